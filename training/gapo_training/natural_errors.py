"""Natural errors of the E2E cleaned development set: the original attribute list against the corrected one."""

import csv
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from random import Random

from gapo_core.constraints.attributes import Attribute

from gapo_training.corpora.e2e import parse, rows
from gapo_training.corpora.restaurant_facts import meaning
from gapo_training.preferential import PreferentialPrompt
from gapo_training.wordings import EVALUATION, render

READING = Path(__file__).with_name("natural_errors_reading.csv")
"""Every pair of seed 0, by `fingerprint`, as a language model read it that saw neither which list is the corrected one
nor any score: whether the text says all facts of `replaced` and of `wrong`; 1 yes, 0 no, ? cannot be told."""


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


def fingerprint(pair: PreferentialPrompt) -> str:
    """Of the text and of the facts in which the prompts differ."""
    facts = [sorted(f"{a.slot}={a.value}" for a in side) for side in (pair.replaced, pair.wrong)]
    return hashlib.sha256(json.dumps([pair.response, *facts]).encode()).hexdigest()[:16]


def supported(pairs: Sequence[PreferentialPrompt]) -> list[PreferentialPrompt]:
    """The pairs whose label the blind `READING` supports: the text says all that the accepted prompt asks for instead,
    and not all that is wrong. Pairs of other seeds were not read and are left out.

    The corrected lists were made by patterns, and leave out or turn round facts that stand in the text ("1 out 5",
    "aren't family-friendly"): there the rejected prompt is as right as the accepted one, or more.
    """
    with READING.open(encoding="utf-8", newline="") as stream:
        found = {row["pair"] for row in csv.DictReader(stream) if (row["replaced"], row["wrong"]) == ("1", "0")}
    return [pair for pair in pairs if fingerprint(pair) in found]


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
