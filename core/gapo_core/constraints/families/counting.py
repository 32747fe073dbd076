"""What the families have in common that count something and compare the count with a limit."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from random import Random
from typing import TYPE_CHECKING, Any, ClassVar

from gapo_core.constraints.document import Document
from gapo_core.constraints.registry import Family, K
from gapo_core.constraints.relations import Relation, amount, exclude, holds, interval, limit_for
from gapo_core.constraints.types import EVIDENCE_LIMIT, Span, Verdict

if TYPE_CHECKING:
    from gapo_core.constraints.types import Constraint


class Counted(Family[K]):
    """A family whose verdict is a relation between a count and a limit."""

    limit: ClassVar[str]  # the keyword argument that holds the limit
    relation: ClassVar[str] = ""  # the keyword argument that holds the relation, or
    fixed: ClassVar[Relation] = "at least"  # the relation of every constraint of this id
    noun: ClassVar[tuple[str, str]]  # singular and plural of what is counted
    additive: ClassVar[bool] = False  # whether a text counts no less within a longer one

    @abstractmethod
    def count(self, document: Document, kwargs: K) -> tuple[int, Sequence[Span]]:
        """How many there are, and where (at least the first few)."""

    def subject(self, kwargs: K) -> object:
        """What is counted, where keyword arguments choose it; counts of different subjects never conflict."""
        return None

    def comparison(self, kwargs: K) -> tuple[Relation, int]:
        return getattr(kwargs, self.relation) if self.relation else self.fixed, getattr(kwargs, self.limit)

    def judge(self, document: Document, kwargs: K, prompt: str | None) -> Verdict:
        observed, where = self.count(document, kwargs)
        relation, limit = self.comparison(kwargs)
        kept = holds(relation, observed, limit)
        reason = f"{amount(observed, *self.noun)} found where {relation} {limit} {'is' if limit == 1 else 'are'} wanted"
        return Verdict("satisfied" if kept else "violated", reason, observed, tuple(where[:EVIDENCE_LIMIT]))

    def satisfy(self, response: str, kwargs: K, rng: Random) -> Mapping[str, Any] | None:
        return self.limited(response, kwargs, True, rng)

    def violate(self, response: str, kwargs: K, rng: Random) -> Mapping[str, Any] | None:
        return self.limited(response, kwargs, False, rng)

    def limited(self, response: str, kwargs: K, wanted: bool, rng: Random) -> Mapping[str, Any] | None:
        """The keyword arguments with another limit, under which the response satisfies or violates."""
        relation, _ = self.comparison(kwargs)
        limit = limit_for(relation, self.count(Document.of(response), kwargs)[0], wanted, rng)
        return None if limit is None else {**kwargs.model_dump(), self.limit: limit}

    def forbids(self, text: str, kwargs: K) -> bool:
        _, highest = interval(*self.comparison(kwargs))
        return self.additive and self.count(Document.of(text), kwargs)[0] > highest

    def conflicts(self, this: "Constraint", other: "Constraint") -> bool:
        same = this.id == other.id and self.subject(this._kwargs) == self.subject(other._kwargs)
        clash = same and exclude(self.comparison(this._kwargs), self.comparison(other._kwargs))
        return clash or super().conflicts(this, other)

    def wording(self, kwargs: K) -> Mapping[str, object]:
        relation, limit = self.comparison(kwargs)
        return {**super().wording(kwargs), "limited": f"{relation} {amount(limit, *self.noun)}"}
