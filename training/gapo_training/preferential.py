"""Preferential prompts: same response, an accepted and a rejected constraint list of equal length.

Both lists differ in one constraint, at the same place and in the same wording, so that neither length nor
order tells them apart. Labels hold by construction: see `Record`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from gapo_core.constraints.attributes import Attribute

from gapo_training.corpora.record import Record
from gapo_training.wordings import render


@dataclass(frozen=True)
class PreferentialPrompt:
    """`action` is "modification" (a stated slot, another value) or "insertion" (a fact never stated)."""

    accepted: str
    rejected: str
    response: str
    action: str
    slot: str
    topic: str


class ValueSampler:
    """Draws attributes as often as the corpus states them, so that a rejected value is not a rare one."""

    def __init__(self, records: Sequence[Record]) -> None:
        self.counts: dict[tuple[str, str, str], int] = {}
        for record in records:
            for a in record.stated:
                key = (record.topic, a.slot, a.value)
                self.counts[key] = self.counts.get(key, 0) + 1

    def draw(self, topic: str, options: Sequence[Attribute], rng: Random) -> Attribute:
        weights = [self.counts.get((topic, a.slot, a.value), 0) + 0.01 for a in options]
        return rng.choices(options, weights)[0]


def augment(
    records: Sequence[Record], seed: int, evaluation: bool = False, most: int = 5
) -> list[PreferentialPrompt]:
    """One pair for each record that allows one, the two actions alternating where both are possible."""
    rng, sampler = Random(seed), ValueSampler(records)
    pairs: dict[tuple[str, str, str], PreferentialPrompt] = {}
    for record in records:
        if pair := _pair(record, rng, sampler, evaluation, most):
            pairs[pair.accepted, pair.rejected, pair.response] = pair
    return list(pairs.values())


def _pair(
    record: Record, rng: Random, sampler: ValueSampler, evaluation: bool, most: int
) -> PreferentialPrompt | None:
    # Of a slot stated twice only the first value is used: a prompt asks for one value of a slot.
    stated = list({a.slot: a for a in reversed(record.stated)}.values())
    if not stated:
        return None
    kept = rng.sample(stated, rng.randint(1, min(most, len(stated))))
    place = rng.randrange(len(kept))
    replaced = kept[place]
    said = {a.slot for a in stated}
    same = [Attribute(replaced.slot, v) for v in record.unstated.get(replaced.slot, ())]
    new = [Attribute(s, v) for s, vs in record.unstated.items() if s not in said for v in vs]
    actions = [name for name, options in (("modification", same), ("insertion", new)) if options]
    if not actions:
        return None
    action = rng.choice(actions)
    wrong = sampler.draw(record.topic, same if action == "modification" else new, rng)
    rejected = [*kept[:place], wrong, *kept[place + 1 :]]
    wording = rng.random()
    return PreferentialPrompt(
        accepted=render(record.topic, kept, Random(wording), evaluation),
        rejected=render(record.topic, rejected, Random(wording), evaluation),
        response=record.text,
        action=action,
        slot=wrong.slot,
        topic=record.topic,
    )
