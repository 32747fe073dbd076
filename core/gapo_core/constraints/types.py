"""The type of a constraint: one checkable demand on a response, and what a check finds."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from types import MappingProxyType
from typing import Any, Literal, cast

from gapo_core.constraints import registry

Mode = Literal["strict", "compat", "compat_loose"]
Status = Literal["satisfied", "violated", "unknown"]


@dataclass(frozen=True)
class Span:
    """Characters `start` … `end` (exclusive) of a text."""

    start: int
    end: int


@dataclass(frozen=True)
class Verdict:
    """What a check found. `evidence` are spans of the response, `observed` what was counted, `reason` a sentence."""

    status: Status
    reason: str
    observed: object = None
    evidence: tuple[Span, ...] = ()


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

    def __hash__(self) -> int:
        return hash((self.id, json.dumps(dict(self.kwargs), sort_keys=True)))

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
    def _kwargs(self) -> Any:
        return cast(Any, self).__dict__["_validated"]

    def _sampled(self, kwargs: Mapping[str, Any] | None) -> "Constraint | None":
        return None if kwargs is None else Constraint(self.id, kwargs)
