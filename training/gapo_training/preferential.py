"""Preferential prompts: same response, an accepted and a rejected constraint list of equal length.

Both lists differ in wrong facts that take the place of right ones, in the same wording, so that neither length nor
order tells them apart. Labels hold by construction: see `Record`. What a text says beyond what is asked is no fault:
every list asks for a random part of what is stated.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal, Protocol

from gapo_core.constraints.attributes import Attribute

from gapo_training.corpora.record import Record
from gapo_training.wordings import EVALUATION, TRAIN, Pool, render

Action = Literal["modification", "insertion"]
Rows = tuple[tuple[str, str], tuple[str, str]]
FLAG_SLOTS = ("isforbusinesscomputing", "hasusbport", "familyFriendly")
# Facts that people phrase in words of their own are harder to learn than names, and drawn more often.
_HARD = {*FLAG_SLOTS, "priceRange", "customer rating", "area", "eatType", "hdmiport"}


class Preference(Protocol):
    """What a reward model is warmed up on: `rows` are a (prompt, response) of label 1 and one of label 0."""

    @property
    def rows(self) -> Rows: ...


@dataclass(frozen=True)
class Swap:
    """Stated attributes in order, and the wrong ones that take the place of some of them, by place."""

    kept: list[Attribute]
    wrong: dict[int, Attribute]

    @property
    def rejected(self) -> list[Attribute]:
        return [self.wrong.get(place, attribute) for place, attribute in enumerate(self.kept)]


@dataclass(frozen=True)
class PreferentialPrompt:
    """`action`: "modification" (a stated slot, another value) or "insertion" (a slot that the text does not state).

    `replaced` are the accepted prompt's facts in whose place the rejected prompt asks for `wrong`.
    """

    accepted: str
    rejected: str
    response: str
    action: Action
    replaced: tuple[Attribute, ...]
    wrong: tuple[Attribute, ...]
    topic: str

    @property
    def slot(self) -> str:
        """Slot of the (first) wrong fact."""
        return self.wrong[0].slot

    @property
    def rows(self) -> Rows:
        return (self.accepted, self.response), (self.rejected, self.response)


class Balance:
    """How much more often each slot and value was taken out of an accepted prompt than put into a rejected one.

    Choosing pairs that bring this to zero keeps a classifier that sees only the prompt at chance.
    """

    def __init__(self) -> None:
        self.surplus: Counter[tuple[str, ...]] = Counter()

    def cost(self, topic: str, swap: Swap) -> float:
        """Lower is better; values weigh more than slots since the rarer words tell more."""
        total = 0
        for place, new in swap.wrong.items():
            out = swap.kept[place]
            total += self.surplus[topic, out.slot] - self.surplus[topic, new.slot]
            total += 2 * (self.surplus[topic, out.slot, out.value] - self.surplus[topic, new.slot, new.value])
        return total / len(swap.wrong)

    def add(self, topic: str, swap: Swap) -> None:
        for place, new in swap.wrong.items():
            for attribute, sign in ((swap.kept[place], 1), (new, -1)):
                self.surplus[topic, attribute.slot] += sign
                self.surplus[topic, attribute.slot, attribute.value] += sign


def augment(
    records: Sequence[Record],
    seed: int,
    evaluation: bool = False,
    most: int = 8,
    candidates: int = 12,
    pool: Pool = TRAIN,
) -> list[PreferentialPrompt]:
    """One pair for each record that allows one, of both actions; see `Balance` for the choice among candidates.

    Evaluation pairs have one wrong fact each and wordings of their own; of the training pairs, worded from `pool`, a
    fifth has two or three.
    """
    pool = EVALUATION if evaluation else pool
    rng, balance = Random(seed), Balance()
    pairs: dict[tuple[str, str, str], PreferentialPrompt] = {}
    for record in rng.sample(records, len(records)):
        action: Action = rng.choice(("modification", "insertion"))
        errors = 1 if evaluation else rng.choice((1, 1, 1, 1, 1, 1, 1, 1, 2, 3))
        swaps = [swap for _ in range(candidates) if (swap := _swap(record, action, errors, rng, most))]
        if not swaps:
            continue
        swap = min(swaps, key=lambda s: balance.cost(record.topic, s))
        balance.add(record.topic, swap)
        wording = rng.random()
        pair = PreferentialPrompt(
            accepted=render(record.topic, swap.kept, Random(wording), pool),
            rejected=render(record.topic, swap.rejected, Random(wording), pool),
            response=record.text,
            action=action,
            replaced=tuple(swap.kept[place] for place in swap.wrong),
            wrong=tuple(swap.wrong.values()),
            topic=record.topic,
        )
        if pair.accepted != pair.rejected:  # values alone do not tell a high rating from a high price
            pairs[pair.accepted, pair.rejected, pair.response] = pair
    return list(pairs.values())


def _swap(record: Record, action: Action, errors: int, rng: Random, most: int) -> Swap | None:
    # Of a slot stated twice only the first value is used: a prompt asks for one value of a slot.
    stated = list({a.slot: a for a in reversed(record.stated)}.values())
    if not stated:
        return None
    kept = rng.sample(stated, rng.randint(1, min(most, len(stated))))
    wrong: dict[int, Attribute] = {}
    asked = {attribute.slot for attribute in stated}
    for place in _drawn([a.slot for a in kept], min(errors, len(kept)), rng):
        slots = [kept[place].slot] if action == "modification" else [s for s in record.unstated if s not in asked]
        slots = [slot for slot in slots if record.unstated.get(slot)]
        if slots:
            slot = slots[_drawn(slots, 1, rng)[0]]
            wrong[place] = Attribute(slot, rng.choice(record.unstated[slot]))
            asked.add(slot)
    return Swap(kept, wrong) if wrong else None


def _drawn(slots: Sequence[str], count: int, rng: Random) -> list[int]:
    """Places of `count` different slots, the hard ones three times as likely."""
    left, places = list(range(len(slots))), []
    for _ in range(count):
        places.append(rng.choices(left, [3 if slots[place] in _HARD else 1 for place in left])[0])
        left.remove(places[-1])
    return places
