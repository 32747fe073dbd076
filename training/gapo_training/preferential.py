"""Preferential prompts: same response, an accepted and a rejected constraint list of equal length.

Both lists differ in one constraint, at the same place and in the same wording, so that neither length nor
order tells them apart. Labels hold by construction: see `Record`.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from gapo_core.constraints.attributes import Attribute

from gapo_training.corpora.record import Record
from gapo_training.wordings import render


@dataclass(frozen=True)
class Swap:
    """Stated attributes in order, and the wrong one that takes the place of one of them."""

    kept: list[Attribute]
    place: int
    wrong: Attribute


@dataclass(frozen=True)
class PreferentialPrompt:
    """`action` is "modification" (a stated slot, another value) or "insertion" (a fact never stated)."""

    accepted: str
    rejected: str
    response: str
    action: str
    slot: str
    topic: str


class Balance:
    """How much more often each slot and value was taken out of an accepted prompt than put into a rejected one.

    Choosing pairs that bring this to zero keeps a classifier that sees only the prompt at chance.
    """

    def __init__(self) -> None:
        self.surplus: Counter[tuple[str, ...]] = Counter()

    def cost(self, topic: str, swap: Swap) -> float:
        """Lower is better; slots weigh more than values since they are fewer."""
        out, new = swap.kept[swap.place], swap.wrong
        slots = self.surplus[topic, out.slot] - self.surplus[topic, new.slot]
        values = self.surplus[topic, out.slot, out.value] - self.surplus[topic, new.slot, new.value]
        return slots + 2 * values

    def add(self, topic: str, swap: Swap) -> None:
        for attribute, sign in ((swap.kept[swap.place], 1), (swap.wrong, -1)):
            self.surplus[topic, attribute.slot] += sign
            self.surplus[topic, attribute.slot, attribute.value] += sign


def augment(
    records: Sequence[Record], seed: int, evaluation: bool = False, most: int = 5, candidates: int = 12
) -> list[PreferentialPrompt]:
    """One pair for each record that allows one, of both actions; see `Balance` for the choice among candidates."""
    rng, balance = Random(seed), Balance()
    pairs: dict[tuple[str, str, str], PreferentialPrompt] = {}
    for record in rng.sample(records, len(records)):
        action = rng.choice(("modification", "insertion"))
        swaps = [swap for _ in range(candidates) if (swap := _swap(record, action, rng, most))]
        if not swaps:
            continue
        swap = min(swaps, key=lambda s: balance.cost(record.topic, s))
        balance.add(record.topic, swap)
        rejected = [*swap.kept[: swap.place], swap.wrong, *swap.kept[swap.place + 1 :]]
        wording = rng.random()
        pair = PreferentialPrompt(
            accepted=render(record.topic, swap.kept, Random(wording), evaluation),
            rejected=render(record.topic, rejected, Random(wording), evaluation),
            response=record.text,
            action=action,
            slot=swap.wrong.slot,
            topic=record.topic,
        )
        pairs[pair.accepted, pair.rejected, pair.response] = pair
    return list(pairs.values())


def _swap(record: Record, action: str, rng: Random, most: int) -> Swap | None:
    # Of a slot stated twice only the first value is used: a prompt asks for one value of a slot.
    stated = list({a.slot: a for a in reversed(record.stated)}.values())
    if not stated:
        return None
    kept = rng.sample(stated, rng.randint(1, min(most, len(stated))))
    place = rng.randrange(len(kept))
    said = {a.slot for a in stated}
    slots = [kept[place].slot] if action == "modification" else [s for s in record.unstated if s not in said]
    slots = [slot for slot in slots if record.unstated.get(slot)]
    if not slots:
        return None
    slot = rng.choice(slots)
    return Swap(kept, place, Attribute(slot, rng.choice(record.unstated[slot])))
