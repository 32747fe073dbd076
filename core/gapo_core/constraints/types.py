"""The type of a constraint: one checkable demand on a response, and what a check finds."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from random import Random
from types import MappingProxyType
from typing import Any, Literal, Protocol, cast

from gapo_core.constraints import registry
from gapo_core.constraints.document import Span

Mode = Literal["strict", "compat", "compat_loose"]
Status = Literal["satisfied", "violated", "unknown"]

__all__ = ["EVIDENCE_LIMIT", "Constraint", "Mode", "Span", "Status", "Verdict", "spans"]

EVIDENCE_LIMIT = 64  # spans; a megabyte of commas is one finding, not a million


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check found. `evidence` are spans of the response, `observed` what was counted, `reason` a sentence."""

    status: Status
    reason: str
    observed: object = None
    evidence: tuple[Span, ...] = ()


class _Match(Protocol):
    def span(self) -> tuple[int, int]: ...


def spans(matches: Iterable[_Match]) -> tuple[Span, ...]:
    """The first `EVIDENCE_LIMIT` spans of regular-expression matches, as evidence."""
    return tuple(Span(*match.span()) for match in islice(matches, EVIDENCE_LIMIT))


@dataclass(frozen=True)
class Constraint:
    """`id` is `family:name`; `kwargs` are validated here, so that a constraint that exists can be checked.

    Raises `ConstraintError` for an unknown id and for an unknown, missing or wrong keyword argument.
    """

    id: str
    kwargs: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        validated = registry.family(self.id).validate(self.kwargs)
        object.__setattr__(self, "_validated", validated)
        object.__setattr__(self, "kwargs", MappingProxyType(validated.model_dump(exclude_none=True)))

    @classmethod
    def from_ifeval(cls, ids: Sequence[str], kwargs: Sequence[Mapping[str, Any] | None]) -> "tuple[Constraint, ...]":
        """The constraints of an IFEval or IFBench row (`instruction_id_list`, `kwargs`), in its order.

        Published copies fill every row with every known argument; those that are None are dropped.
        Raises `ConstraintError`, also when the two lists differ in length.
        """
        if len(ids) != len(kwargs):
            raise registry.ConstraintError(f"kwargs: {len(kwargs)} entries for {len(ids)} ids; give one an id")
        given = ({name: value for name, value in (row or {}).items() if value is not None} for row in kwargs)
        return tuple(cls(id, row) for id, row in zip(ids, given, strict=True))

    def __hash__(self) -> int:
        return hash((self.id, json.dumps(dict(self.kwargs), sort_keys=True)))

    def __reduce__(self) -> tuple[type["Constraint"], tuple[str, dict[str, Any]]]:
        return Constraint, (self.id, dict(self.kwargs))

    def check(self, response: str, *, prompt: str | None = None, mode: Mode = "strict") -> Verdict:
        """Pure and deterministic. `strict` says what a person would say; `compat` what the reference checker
        says; `compat_loose` what it says for the best of IFEval's eight relaxed forms of the response."""
        return registry.family(self.id).check(response, self._kwargs, prompt, mode)

    def render(self, style: int | Random = 0) -> str:
        """The demand as a sentence; a style number or a generator chooses among paraphrases."""
        return registry.family(self.id).render(self._kwargs, style)

    def satisfied_by(self, response: str, rng: Random) -> "Constraint | None":
        """A constraint of this id that the response satisfies, near to this one; None where there is none."""
        return self._sampled(registry.family(self.id).satisfy(response, self._kwargs, rng))

    def violated_by(self, response: str, rng: Random) -> "Constraint | None":
        """A constraint of this id that the response violates, near to this one; None where there is none."""
        return self._sampled(registry.family(self.id).violate(response, self._kwargs, rng))

    def conflicts_with(self, other: "Constraint") -> bool:
        """Whether no response can satisfy both, as far as the families know."""
        return registry.family(self.id).conflicts(self, other) or registry.family(other.id).conflicts(other, self)

    @property
    def required(self) -> tuple[str, ...]:
        """Texts that every satisfying response holds."""
        return registry.family(self.id).requires(self._kwargs)

    @property
    def _kwargs(self) -> Any:
        return cast(Any, self).__dict__["_validated"]

    def _sampled(self, kwargs: Mapping[str, Any] | None) -> "Constraint | None":
        return None if kwargs is None else Constraint(self.id, kwargs)
