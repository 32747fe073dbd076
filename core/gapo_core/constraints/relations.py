"""How a count is compared with a limit: "at least 3", "less than 200"; shared by all families that count."""

from collections.abc import Callable
from random import Random
from typing import Literal, get_args

Relation = Literal["at least", "less than", "at most", "more than", "exactly"]
RELATIONS: tuple[Relation, ...] = get_args(Relation)

_HOLDS: dict[Relation, Callable[[int, int], bool]] = {
    "at least": int.__ge__,
    "less than": int.__lt__,
    "at most": int.__le__,
    "more than": int.__gt__,
    "exactly": int.__eq__,
}


def holds(relation: Relation, observed: int, limit: int) -> bool:
    return _HOLDS[relation](observed, limit)


def interval(relation: Relation, limit: int) -> tuple[int, float]:
    """The lowest and the highest count that the relation allows; empty where the second is below the first."""
    return {
        "at least": (limit, float("inf")),
        "less than": (0, limit - 1),
        "at most": (0, limit),
        "more than": (limit + 1, float("inf")),
        "exactly": (limit, limit),
    }[relation]


def exclude(one: tuple[Relation, int], other: tuple[Relation, int]) -> bool:
    """Whether no count satisfies both."""
    (low, high), (other_low, other_high) = interval(*one), interval(*other)
    return max(low, other_low) > min(high, other_high)


def limit_for(relation: Relation, observed: int, wanted: bool, rng: Random, lowest: int = 1) -> int | None:
    """A limit near `observed`, natural (rounded as people round) where it can be, under which the relation
    holds (`wanted`) or fails; None where there is none of at least `lowest`."""
    if relation == "exactly":
        if wanted:
            return observed if observed >= lowest else None
        others = [n for n in range(max(lowest, observed - 3), observed + 4) if n != observed]
        return rng.choice(others)
    step = 1 if observed < 20 else 5 if observed < 100 else 10 if observed < 500 else 50
    reach = max(3, observed // 4)
    near = range(max(lowest, observed - reach), observed + reach + 1)
    fitting = [n for n in near if holds(relation, observed, n) == wanted]
    return rng.choice([n for n in fitting if n % step == 0] or fitting) if fitting else None


def amount(count: int, noun: str, plural: str | None = None) -> str:
    """`1 word`, `2 words`; grammar for rendered demands and reasons."""
    return f"{count} {noun if count == 1 else plural or noun + 's'}"


def quoted(text: str) -> str:
    """The text in double quotation marks; in single ones where it holds double ones."""
    return f"'{text}'" if any(mark in text for mark in '"“”„«»') else f'"{text}"'


def listed(words: tuple[str, ...] | list[str]) -> str:
    """`a, b and c`."""
    return " and ".join((", ".join(words[:-1]), words[-1])) if len(words) > 1 else "".join(words)
