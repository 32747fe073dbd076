"""All variants of one (prompt, response)."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal

from gapo_core.constraints.augmentation.demands import Demand, Pool, demands, parsed, status
from gapo_core.constraints.augmentation.rewording import reworded
from gapo_core.constraints.parsing.reading import read
from gapo_core.constraints.registry import ConstraintError
from gapo_core.constraints.types import Constraint

Action = Literal["modification", "insertion"]
DRAWS = 8  # other demands drawn for each place of a prompt
WOVEN = ("combination:repeat_prompt",)  # said over several sentences
LISTED = ("attribute:value", "attribute:flag")  # stand in lists, and are inserted in the form of the list


@dataclass(frozen=True)
class Variant:
    """Two prompts for `response` that differ in one demand: it keeps the one in `accepted` and not that in `rejected`.

    Both hold as many demands. `changed` names the ids of the accepted prompt's demand, then the rejected one's.
    """

    accepted: str
    rejected: str
    response: str
    action: Action
    changed: tuple[str, ...]


def augment(prompt: str, response: str, rng: Random, pool: Pool | None = None) -> list[Variant]:
    """Variants by modification (a demand with other arguments, in the prompt's own words) and by insertion (one
    demand more, or another in a list of attributes), each once.

    Demands of the prompt that the response violates are first changed into ones that it keeps, or cut out; where
    neither can be done there are no variants. Every label is proven: the prompts are parsed again, no constraint
    of an accepted one is violated, and the changed one of a rejected one is. Other demands come from `pool` and
    from the families' own samplers; a pool of the prompts of the corpus keeps the words of both sides alike.
    """
    pool = pool or Pool()
    base = _kept(prompt, response, rng, pool)
    if base is None:
        return []
    made = dict.fromkeys((*_modified(base, response, rng, pool), *_inserted(base, response, rng, pool)))
    return list(made)


def _kept(prompt: str, response: str, rng: Random, pool: Pool) -> str | None:
    """The prompt with its violated demands changed into satisfied ones, else cut out with their sentence."""
    for _ in range(8):
        broken = next((d for d in demands(parsed(prompt)) if d.status(response, prompt) == "violated"), None)
        if broken is None:
            return prompt
        fitting = [new for new in _others(broken, response, rng, pool) if status(new, response, prompt) == "satisfied"]
        prompts = [text for new in fitting if (text := _with(prompt, broken, new))]
        if prompts:
            prompt = prompts[0]
        elif (without := _without(prompt, broken)) is not None:
            prompt = without
        else:
            return None
    return None


def _others(demand: Demand, response: str, rng: Random, pool: Pool) -> list[tuple[Constraint, ...]]:
    """Demands that could stand in its words: from the pool, its numbers shifted, from the families' samplers."""
    drawn = pool.like(demand, rng, DRAWS)
    found: list[tuple[Constraint, ...]] = []
    for other in drawn:
        if numbers := Demand(demand.span, other).numbers():
            shift = numbers[0] - demand.numbers()[0]
            found += [shifted] if shift and (shifted := _moved(demand.constraints, shift)) else []
        if len(other) == 1:
            found.append(other)
    if len(demand.constraints) == 1:
        for sample in (demand.constraints[0].satisfied_by, demand.constraints[0].violated_by) * 2:
            found += [(sampled,)] if (sampled := sample(response, rng)) else []
    return [new for new in dict.fromkeys(found) if new != demand.constraints]


def _moved(constraints: Sequence[Constraint], shift: int) -> tuple[Constraint, ...] | None:
    """With every number moved by `shift`; None where one would not be allowed."""
    try:
        return tuple(
            Constraint(
                c.id,
                {k: v + shift if isinstance(v, int) and not isinstance(v, bool) else v for k, v in c.kwargs.items()},
            )
            for c in constraints
        )
    except ConstraintError:
        return None


def _with(prompt: str, demand: Demand, new: Sequence[Constraint]) -> str | None:
    """The prompt with another demand in the words of this one, if it is then read as just that."""
    span = demand.span
    text = reworded(prompt[span.start : span.end], demand.constraints, new)
    if text is None:
        return None
    changed = prompt[: span.start] + text + prompt[span.end :]
    before = Counter(p.constraint for p in parsed(prompt).constraints)
    after = Counter(p.constraint for p in parsed(changed).constraints)
    return (
        changed if after - before == Counter(new) - before and len(before - after) <= len(demand.constraints) else None
    )


def _without(prompt: str, demand: Demand) -> str | None:
    """The prompt without the sentence of the demand, where that asks for nothing else."""
    held = [s for s in read(prompt).sentences if s.start < demand.span.end and demand.span.start < s.end]
    if not held or any(constraint.id in WOVEN for constraint in demand.constraints):
        return None
    rest = (prompt[: held[0].start].rstrip(" ") + prompt[held[-1].end :]).strip()
    left = Counter(p.constraint for p in parsed(rest).constraints)
    asked = Counter(p.constraint for p in parsed(prompt).constraints)
    return rest if rest and asked - left == Counter(demand.constraints) else None


def _modified(base: str, response: str, rng: Random, pool: Pool) -> Iterator[Variant]:
    for demand in demands(parsed(base)):
        if demand.status(response, base) != "satisfied":
            continue
        named = demand.constraints[0].kwargs.get("slot")
        options = [(demand.constraints, base)]
        for new in _others(demand, response, rng, pool):
            if new[0].kwargs.get("slot") == named and (text := _with(base, demand, new)):
                options.append((new, text))
        yield from _pairs(options, response, "modification")


def _inserted(base: str, response: str, rng: Random, pool: Pool) -> Iterator[Variant]:
    found = demands(parsed(base))
    for demand in found:
        if demand.constraints[0].id in LISTED:
            taken = {d.constraints[0].kwargs.get("slot") for d in found}
            options = [(demand.constraints, base)]
            for new in pool.like(demand, rng, 2 * DRAWS):
                if new[0].kwargs["slot"] not in taken and (text := _with(base, demand, new)):
                    options.append((new, text))
            yield from _pairs(options, response, "insertion")
    if any(demand.constraints[0].id in LISTED for demand in found):
        return
    asked = {c.id for demand in found for c in demand.constraints}
    options = []
    place, style = rng.choice([len(base), *_sentence_ends(base, found)]), rng.randrange(12)
    for new in pool.any(rng, 2 * DRAWS):
        if new.id not in asked and new.id not in LISTED:
            text = (base[:place].rstrip() + " " + new.render(style) + base[place:]).strip()
            options.append(((new,), text))
    yield from _pairs(options, response, "insertion")


def _sentence_ends(prompt: str, found: Sequence[Demand]) -> list[int]:
    """Ends of the sentences of demands, where one more demand reads naturally."""
    held = (s for s in read(prompt).sentences if any(s.start <= d.span.start < s.end for d in found))
    return [
        s.start + len(prompt[s.start : s.end].rstrip()) for s in held if prompt[s.start : s.end].rstrip().endswith(".")
    ]


def _pairs(options: Sequence[tuple[Sequence[Constraint], str]], response: str, action: Action) -> Iterator[Variant]:
    """Each accepted text of a place with each rejected one."""
    kept, broken = [], []
    for constraints, text in options:
        judged = status(constraints, response, text)
        if judged == "violated":
            broken.append((constraints, text))
        elif judged == "satisfied" and _holds(text, response):
            kept.append((constraints, text))
    for one, accepted in kept:
        for other, rejected in broken:
            yield Variant(accepted, rejected, response, action, (*(c.id for c in one), *(c.id for c in other)))


def _holds(prompt: str, response: str) -> bool:
    """Whether the response violates nothing that the prompt asks for."""
    return status((p.constraint for p in parsed(prompt).constraints), response, prompt) != "violated"
