"""Demands: what one place of a prompt asks for, and a pool of such from which others are drawn."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from random import Random
from typing import Any

from gapo_core.constraints.document import Span
from gapo_core.constraints.parsing import Parse, parse
from gapo_core.constraints.types import Constraint, Status

Key = tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Demand:
    """The constraints that share a span of a prompt: "20 to 30 sentences" asks for two."""

    span: Span
    constraints: tuple[Constraint, ...]

    @property
    def key(self) -> Key:
        """Demands of one key can stand for each other in the same words: same ids, same texts that name a kind."""
        return tuple(
            (c.id, *(str(c.kwargs[name]) for name in sorted(c.kwargs) if "relation" in name)) for c in self.constraints
        )

    def status(self, response: str, prompt: str) -> Status:
        """Violated where one constraint is, satisfied where all are."""
        return status(self.constraints, response, prompt)

    def numbers(self) -> list[int]:
        return [value for c in self.constraints for value in c.kwargs.values() if is_number(value)]


def is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def status(constraints: Iterable[Constraint], response: str, prompt: str) -> Status:
    found = {constraint.check(response, prompt=prompt).status for constraint in constraints}
    return "violated" if "violated" in found else "unknown" if "unknown" in found else "satisfied"


@lru_cache(maxsize=8192)
def parsed(prompt: str) -> Parse:
    """`parse`, remembered: variants of one prompt are compared with it again and again."""
    return parse(prompt)


def demands(found: Parse) -> list[Demand]:
    """The demands of a prompt in its order; of spans that overlap only the first is one."""
    by_span: dict[Span, list[Constraint]] = defaultdict(list)
    for each in found.constraints:
        by_span[each.span].append(each.constraint)
    kept: list[Demand] = []
    for span in sorted(by_span):
        if not kept or span.start >= kept[-1].span.end:
            kept.append(Demand(span, tuple(by_span[span])))
    return kept


class Pool:
    """Demands by key, with repetitions, so that draws follow the frequencies of the prompts they come from."""

    def __init__(self, found: Iterable[Sequence[Constraint]] = ()) -> None:
        self._by_key: dict[Key, list[tuple[Constraint, ...]]] = defaultdict(list)
        for constraints in found:
            self._by_key[Demand(Span(0, 0), tuple(constraints)).key].append(tuple(constraints))

    @classmethod
    def of(cls, prompts: Iterable[str]) -> "Pool":
        return cls(demand.constraints for prompt in prompts for demand in demands(parsed(prompt)))

    def like(self, demand: Demand, rng: Random, most: int) -> list[tuple[Constraint, ...]]:
        """Up to `most` others of the demand's key."""
        same = self._by_key.get(demand.key, [])
        return rng.sample(same, min(most, len(same)))

    def any(self, rng: Random, most: int) -> list[Constraint]:
        """Up to `most` single constraints, each key as likely as the others."""
        keys = [key for key in self._by_key if len(key) == 1]
        return [rng.choice(self._by_key[key])[0] for key in rng.sample(keys, min(most, len(keys)))]
