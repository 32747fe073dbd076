"""Numbers and quantities that a response must state."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from random import Random
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from gapo_core.constraints.document import Document, Span
from gapo_core.constraints.families.counting import Counted
from gapo_core.constraints.quantities import Quantity, counted, dimension_of, quantities, unit_of
from gapo_core.constraints.registry import Family, Kwargs, register
from gapo_core.constraints.relations import Relation
from gapo_core.constraints.types import EVIDENCE_LIMIT, Verdict


def _known(unit: str) -> str:
    if unit_of(unit) is None:
        raise ValueError(f"{unit!r} is no known unit; take one such as GB, kg, km, %, hours or USD")
    return unit


Unit = Annotated[str, AfterValidator(_known)]
Number = Annotated[float, Field(strict=False, allow_inf_nan=False, ge=-1e15, le=1e15)]


def shown(number: float | Decimal, unit: str | None) -> str:
    text = f"{Decimal(str(number)).normalize():f}"
    return f"{text} {unit}" if unit else text


def _spans(found: Sequence[Quantity]) -> tuple[Span, ...]:
    return tuple(quantity.span for quantity in found[:EVIDENCE_LIMIT])


class ContainsKwargs(Kwargs):
    number: Number = Field(description="the number that must be stated")
    unit: Unit | None = Field(default=None, description="its unit, by any of its names; without one any unit will do")


class Contains(Family[ContainsKwargs]):
    id = "numbers:contains"
    kwargs = ContainsKwargs
    example = '{"number": 8, "unit": "GB"}'
    phrasings = (
        "State {quantity} in your response.",
        "Your response must mention {quantity}.",
        "Make sure that your answer contains {quantity}.",
    )

    def judge(self, document: Document, kwargs: ContainsKwargs, prompt: str | None) -> Verdict:
        number, unit = Decimal(str(kwargs.number)), unit_of(kwargs.unit or "")
        count, found = counted(document, lambda n, u: n == number and unit in (None, u))
        quantity = shown(kwargs.number, kwargs.unit)
        if count:
            return Verdict("satisfied", f"{quantity} is stated", count, _spans(found))
        _, same = counted(document, lambda _, u: u == unit)
        return Verdict("violated", f"{quantity} is not stated", 0, _spans(same))

    def satisfy(self, response: str, kwargs: ContainsKwargs, rng: Random) -> Mapping[str, Any] | None:
        found = [q for q in quantities(Document.of(response)) if Decimal(str(float(q.number))) == q.number]
        if not found:
            return None
        chosen = rng.choice(found)
        return {"number": float(chosen.number), **({"unit": chosen.unit} if chosen.unit else {})}

    def violate(self, response: str, kwargs: ContainsKwargs, rng: Random) -> Mapping[str, Any] | None:
        found = quantities(Document.of(response))
        near = rng.choice(found) if found else Quantity(Decimal(str(kwargs.number)), kwargs.unit or "", Span(0, 0))
        numbers = {quantity.number for quantity in found}
        others = [n for step in range(1, 9) if (n := Decimal(int(near.number) + step)) not in numbers and n < 10**15]
        unit = near.unit or kwargs.unit
        return {"number": float(rng.choice(others)), **({"unit": unit} if unit else {})} if others else None

    def wording(self, kwargs: ContainsKwargs) -> Mapping[str, object]:
        return {
            "quantity": shown(kwargs.number, kwargs.unit) if kwargs.unit else f"the number {shown(kwargs.number, '')}"
        }


class CountKwargs(Kwargs):
    count: int = Field(ge=0, description="how many numbers")
    relation: Relation


class NumberCount(Counted[CountKwargs]):
    id = "numbers:count"
    kwargs = CountKwargs
    example = '{"count": 3, "relation": "at least"}'
    limit, relation, noun = "count", "relation", ("number", "numbers")
    phrasings = (
        "Use {limited} written in figures.",
        "Your response must contain {limited} in figures.",
        "State {limited}, in figures, in your answer.",
    )

    def count(self, document: Document, kwargs: CountKwargs) -> tuple[int, tuple[Span, ...]]:
        found = quantities(document)
        return len(found), _spans(found)


class UnitKwargs(Kwargs):
    unit: Unit = Field(description="the unit, by any of its names")


class InUnit(Family[UnitKwargs]):
    """Every quantity of the unit's dimension is given in it, and there is at least one."""

    id = "numbers:unit"
    kwargs = UnitKwargs
    example = '{"unit": "kg"}'
    phrasings = (
        "Give every {dimension} in {unit}.",
        "Use {unit} as the only unit of {dimension}.",
        "State each {dimension} in {unit} and in no other unit.",
    )

    def judge(self, document: Document, kwargs: UnitKwargs, prompt: str | None) -> Verdict:
        unit = unit_of(kwargs.unit) or ""
        dimension = dimension_of(unit)
        count, other = counted(document, lambda _, u: bool(u) and u != unit and dimension_of(u) == dimension)
        if count:
            return Verdict("violated", f"{shown(other[0].number, other[0].unit)} is stated", count, _spans(other))
        count, found = counted(document, lambda _, u: u == unit)
        reason = f"every {dimension} is in {kwargs.unit}" if count else f"no {dimension} is stated"
        return Verdict("satisfied" if count else "violated", reason, count, _spans(found))

    def satisfy(self, response: str, kwargs: UnitKwargs, rng: Random) -> Mapping[str, Any] | None:
        return self._sampled(response, "satisfied", rng)

    def violate(self, response: str, kwargs: UnitKwargs, rng: Random) -> Mapping[str, Any] | None:
        return self._sampled(response, "violated", rng)

    def _sampled(self, response: str, status: str, rng: Random) -> Mapping[str, Any] | None:
        document = Document.of(response)
        units = sorted({q.unit for q in quantities(document) if q.unit} | {"kg", "lb", "km", "mi"})
        fitting = [unit for unit in units if self.judge(document, UnitKwargs(unit=unit), None).status == status]
        return {"unit": rng.choice(fitting)} if fitting else None

    def conflicts(self, this: Any, other: Any) -> bool:
        if this.id == other.id:
            one, two = (unit_of(constraint.kwargs["unit"]) or "" for constraint in (this, other))
            return one != two and dimension_of(one) == dimension_of(two)
        return bool(super().conflicts(this, other))

    def wording(self, kwargs: UnitKwargs) -> Mapping[str, object]:
        return {"unit": kwargs.unit, "dimension": dimension_of(unit_of(kwargs.unit) or "")}


register(Contains(), NumberCount(), InUnit())
