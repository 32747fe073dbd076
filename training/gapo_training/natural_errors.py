"""Natural errors of the E2E cleaned development set: the original attribute list against the corrected one."""

from collections.abc import Sequence
from pathlib import Path
from random import Random

from gapo_core.constraints.attributes import Attribute

from gapo_training.corpora.e2e import parse, rows
from gapo_training.corpora.restaurant_facts import meaning, names_in, read_text
from gapo_training.preferential import PreferentialPrompt
from gapo_training.wordings import EVALUATION, render


def read(file: Path, seed: int, single: bool = False) -> list[PreferentialPrompt]:
    """Pairs from rows with `fixed=1` whose `orig_mr` asks for what `mr` does not have.

    The accepted prompt asks for `mr`, the rejected one for `orig_mr`; counts are matched by leaving satisfied facts
    out of the longer list, and then wrong ones where satisfied ones do not suffice. With `single` the rejected prompt
    asks for one wrong fact only and the accepted one for a satisfied fact in its place, which is harder.
    Two values of one level ("cheap", "less than £20") do not count as an error. Raises `CorpusError`.
    """
    rng, pairs = Random(seed), []
    for row in rows(file, ("mr", "orig_mr", "ref", "fixed")):
        if row["fixed"] != "1":
            continue
        good, asked = parse(row["mr"]), parse(row["orig_mr"])
        right = {(a.slot, meaning(a.slot, a.value)) for a in good}
        wrong = [a for a in asked if (a.slot, meaning(a.slot, a.value)) not in right]
        if not wrong or not good:
            continue
        accepted, rejected = _one_error(good, wrong, rng) if single else _matched(good, asked, wrong, rng)
        wording = rng.random()
        pairs.append(
            PreferentialPrompt(
                accepted=render("restaurant", accepted, Random(wording), EVALUATION),
                rejected=render("restaurant", rejected, Random(wording), EVALUATION),
                response=row["ref"],
                action="modification" if wrong[0].slot in {a.slot for a in good} else "insertion",
                replaced=tuple(a for a in accepted if a not in rejected),
                wrong=tuple(a for a in rejected if a in wrong),
                topic="restaurant",
            )
        )
    return pairs


def undisputed(pairs: Sequence[PreferentialPrompt]) -> list[PreferentialPrompt]:
    """The pairs with at least one wrong fact that the text does not state in plain words.

    The corrected lists were made by patterns too, and leave out or turn round some facts that stand in the text ("1 out
    5", "aren't family-friendly"): there the rejected prompt is as right as the accepted one, or more. The reading is
    the one that labels the training corpus, so this figure is no independent judgement; report it beside the full one.
    """
    asked = {a for pair in pairs for a in (*pair.replaced, *pair.wrong) if a.slot in ("name", "near")}
    names = sorted({a.value for a in asked})

    def stated(pair: PreferentialPrompt) -> bool:
        known = names_in(pair.response, names)
        readings = read_text(pair.response, names) | {"name": known, "near": known}
        return all(readings[a.slot].states(meaning(a.slot, a.value)) for a in pair.wrong)

    return [pair for pair in pairs if not stated(pair)]


def _matched(
    good: list[Attribute], asked: list[Attribute], wrong: list[Attribute], rng: Random
) -> tuple[list[Attribute], list[Attribute]]:
    accepted, rejected = list(good), list(asked)
    while len(rejected) != len(accepted):
        longer = rejected if len(rejected) > len(accepted) else accepted
        longer.remove(rng.choice([a for a in longer if a not in wrong] or longer))
    return accepted, rejected


def _one_error(good: list[Attribute], wrong: list[Attribute], rng: Random) -> tuple[list[Attribute], list[Attribute]]:
    bad = rng.choice(wrong)
    replaced = next((a for a in good if a.slot == bad.slot), None) or rng.choice(good)
    rest = [a for a in good if a.slot != bad.slot and a is not replaced]
    place = rng.randint(0, len(rest))
    return [*rest[:place], replaced, *rest[place:]], [*rest[:place], bad, *rest[place:]]
