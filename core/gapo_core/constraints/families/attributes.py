"""Product facts that a response must state, or must not state."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from decimal import Decimal
from random import Random
from typing import Any, Literal

from pydantic import Field, model_validator

from gapo_core.constraints.attributes import places
from gapo_core.constraints.document import Document, Span
from gapo_core.constraints.families.keywords import absent_words, content_words
from gapo_core.constraints.families.numbers import Number, Unit, shown
from gapo_core.constraints.quantities import Quantity, counted, parse_quantity, quantities, unit_of
from gapo_core.constraints.registry import Family, Kwargs, Phrase, register
from gapo_core.constraints.types import EVIDENCE_LIMIT, Verdict
from gapo_core.constraints.words import bare_words

_NEGATIONS = frozenset(
    (
        *("no", "not", "without", "never", "neither", "nor", "lacks", "lack", "lacking", "cannot"),
        *("isn't", "aren't", "doesn't", "don't", "hasn't"),
    )
)
# "Not only for business" and "no doubt for business" affirm.
_AFFIRMATIONS = re.compile(r"\b(?:\w+n't|not|cannot) (?:only|just|merely|simply)\b|\b(?:no|without(?: an?y?)?) doubt\b")
_REACH = 4  # words before a name in which a negation is taken to be about it
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])|[_\s]+")
_PREFIX = re.compile(r"^(?:has|is|for|with) +(?=\S)")


def name_of(slot: str) -> str:
    """A slot as words: "hasUSBPort" and "has_usb_port" are "has usb port"."""
    return " ".join(part for part in _CAMEL.split(slot.strip()) if part).lower()


def _stated(document: Document, value: str) -> tuple[Span, ...]:
    """Where the value stands literally, or as the same quantity with another name of its unit."""
    literal = tuple(Span(*place) for place in places(document.plain, value))[:EVIDENCE_LIMIT]
    wanted = parse_quantity(value) if not literal and any(map(str.isdecimal, value)) else None
    if wanted is None or not wanted.unit:
        return literal
    _, found = counted(document, lambda *stated: stated == (wanted.number, wanted.unit))
    return tuple(quantity.span for quantity in found)


class ValueKwargs(Kwargs):
    slot: Phrase = Field(description="the attribute, such as brand")
    value: Phrase = Field(description="its value, which must stand in the response")


class Value(Family[ValueKwargs]):
    id = "attribute:value"
    kwargs = ValueKwargs
    example = '{"slot": "colour", "value": "silver"}'
    phrasings = (
        "State that the {name} is {value}.",
        "Mention the following {name}: {value}.",
        "Your response must say {value} for {name}.",
        "{name}: {value}",
    )

    def judge(self, document: Document, kwargs: ValueKwargs, prompt: str | None) -> Verdict:
        if where := _stated(document, kwargs.value):
            return Verdict("satisfied", f"{_line(kwargs.value)} is stated", kwargs.value, where)
        return Verdict("violated", f"{_line(kwargs.value)} is not stated")

    def satisfy(self, response: str, kwargs: ValueKwargs, rng: Random) -> Mapping[str, Any] | None:
        return _value(response, kwargs.slot, True, rng)

    def violate(self, response: str, kwargs: ValueKwargs, rng: Random) -> Mapping[str, Any] | None:
        return _value(response, kwargs.slot, False, rng)

    def requires(self, kwargs: ValueKwargs) -> tuple[str, ...]:
        return () if parse_quantity(kwargs.value) else (kwargs.value,)

    def wording(self, kwargs: ValueKwargs) -> Mapping[str, object]:
        return {"name": name_of(kwargs.slot), "value": kwargs.value}


def _value(response: str, slot: str, stated: bool, rng: Random) -> Mapping[str, Any] | None:
    document = Document.of(response)
    words = content_words(response) if stated else absent_words(response)
    fitting = [word for word in rng.sample(words, min(len(words), 16)) if bool(_stated(document, word)) == stated]
    return {"slot": slot, "value": fitting[0]} if fitting else None


class FlagKwargs(Kwargs):
    slot: Phrase = Field(description="the feature, such as has_usb_port")
    value: Literal["yes", "no"] = Field(description="whether the product has it")


class Flag(Family[FlagKwargs]):
    """Decided only where the response names the feature literally; a feature in other words is left to the model."""

    id = "attribute:flag"
    kwargs = FlagKwargs
    example = '{"slot": "has_usb_port", "value": "yes"}'
    phrasings = (
        "{name}: {value}",
        "Say that for {name} the answer is {value}.",
        "State in your response, about {name}: {value}.",
    )

    def judge(self, document: Document, kwargs: FlagKwargs, prompt: str | None) -> Verdict:
        affirmed, denied = _polarities(document, kwargs.slot)
        name = _PREFIX.sub("", name_of(kwargs.slot))
        where = tuple((*affirmed, *denied)[:EVIDENCE_LIMIT])
        if bool(affirmed) == bool(denied):
            reason = f"{name} is both affirmed and denied" if affirmed else f"{name} is not named literally"
            return Verdict("unknown", reason, None, where)
        said = "yes" if affirmed else "no"
        reason = f"{name} is {'affirmed' if affirmed else 'denied'}"
        return Verdict("satisfied" if said == kwargs.value else "violated", reason, said, where)

    def satisfy(self, response: str, kwargs: FlagKwargs, rng: Random) -> Mapping[str, Any] | None:
        return self._sampled(response, kwargs, True, rng)

    def violate(self, response: str, kwargs: FlagKwargs, rng: Random) -> Mapping[str, Any] | None:
        return self._sampled(response, kwargs, False, rng)

    def _sampled(self, response: str, kwargs: FlagKwargs, kept: bool, rng: Random) -> Mapping[str, Any] | None:
        words = content_words(response)
        for slot in (kwargs.slot, *rng.sample(words, min(len(words), 8))):
            affirmed, denied = _polarities(Document.of(response), slot)
            if bool(affirmed) != bool(denied):
                return {"slot": slot, "value": "yes" if bool(affirmed) == kept else "no"}
        return None

    def conflicts(self, this: Any, other: Any) -> bool:
        same = this.id == other.id and name_of(this.kwargs["slot"]) == name_of(other.kwargs["slot"])
        return bool(same and this.kwargs["value"] != other.kwargs["value"])

    def wording(self, kwargs: FlagKwargs) -> Mapping[str, object]:
        return {"name": name_of(kwargs.slot), "value": kwargs.value}


def _polarities(document: Document, slot: str) -> tuple[tuple[Span, ...], tuple[Span, ...]]:
    """Where a feature is named without and with a negation shortly before it in its sentence."""
    affirmed: list[Span] = []
    denied: list[Span] = []
    found = [Span(*place) for place in places(document.plain, _PREFIX.sub("", name_of(slot)))]
    words, sentences = (bare_words(document), document.sentences) if found else ((), ())
    starts, sentence_starts = [word.start for word in words], [sentence.start for sentence in sentences]
    for span in found:
        at, sentence = bisect_left(starts, span.start), bisect_right(sentence_starts, span.start)
        first = sentence_starts[sentence - 1] if sentence else 0
        before = " ".join(word.text for word in words[max(0, at - _REACH) : at] if word.start >= first)
        (denied if _NEGATIONS.intersection(_AFFIRMATIONS.sub("", before).split()) else affirmed).append(span)
    return tuple(affirmed), tuple(denied)


class RangeKwargs(Kwargs):
    slot: Phrase = Field(description="the attribute, such as price")
    minimum: Number | None = Field(default=None, description="the lowest value allowed")
    maximum: Number | None = Field(default=None, description="the highest value allowed")
    unit: Unit | None = Field(default=None, description="the unit; without one the sentence must name the attribute")

    @model_validator(mode="after")
    def _bounded(self) -> "RangeKwargs":
        if self.minimum is None and self.maximum is None:
            raise ValueError("neither minimum nor maximum is given; give one of them")
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise ValueError(f"minimum {self.minimum} is above maximum {self.maximum}")
        return self

    def holds(self, number: Decimal) -> bool:
        above = self.minimum is None or number >= Decimal(str(self.minimum))
        return above and (self.maximum is None or number <= Decimal(str(self.maximum)))


class Range(Family[RangeKwargs]):
    id = "attribute:range"
    kwargs = RangeKwargs
    example = '{"slot": "weight", "minimum": 1, "maximum": 3, "unit": "kg"}'
    phrasings = (
        "The {name} must be {range}.",
        "State a {name} of {range}.",
        "Your response must give a {name} that is {range}.",
    )

    def judge(self, document: Document, kwargs: RangeKwargs, prompt: str | None) -> Verdict:
        found = _candidates(document, kwargs)
        inside = [quantity for quantity in found if kwargs.holds(quantity.number)]
        where = tuple(quantity.span for quantity in found[:EVIDENCE_LIMIT])
        observed = [shown(quantity.number, quantity.unit) for quantity in found[:8]]
        name = name_of(kwargs.slot)
        if not found:
            return Verdict("violated", f"no number is stated for {name}", observed)
        if len(inside) == len(found):
            return Verdict("satisfied", f"{observed[0]} is within the range for {name}", observed, where)
        if not inside:
            return Verdict("violated", f"{observed[0]} is outside of the range for {name}", observed, where)
        return Verdict("unknown", f"which of several numbers is the {name} cannot be told", observed, where)

    def satisfy(self, response: str, kwargs: RangeKwargs, rng: Random) -> Mapping[str, Any] | None:
        numbers = [float(quantity.number) for quantity in _candidates(Document.of(response), kwargs)]
        if not numbers or max(map(abs, numbers)) > 1e14:
            return None
        low, high = min(numbers), max(numbers)
        return {
            **self._kept(kwargs),
            "minimum": low - rng.randint(0, 3) - abs(low) // 10,
            "maximum": high + abs(high) // 10 + 1,
        }

    def violate(self, response: str, kwargs: RangeKwargs, rng: Random) -> Mapping[str, Any] | None:
        numbers = [float(quantity.number) for quantity in _candidates(Document.of(response), kwargs)]
        if numbers and max(map(abs, numbers)) > 1e14:
            return None
        low = max(numbers, default=0.0) + 1 + rng.randint(0, 3)
        return {**self._kept(kwargs), "minimum": low, "maximum": low + rng.randint(1, 10)}

    def _kept(self, kwargs: RangeKwargs) -> dict[str, Any]:
        return kwargs.model_dump(include={"slot", "unit"}, exclude_none=True)

    def conflicts(self, this: Any, other: Any) -> bool:
        one, two = this.kwargs, other.kwargs
        if this.id != other.id or name_of(one["slot"]) != name_of(two["slot"]) or one.get("unit") != two.get("unit"):
            return False
        low = max(kwargs.get("minimum", -1e15) for kwargs in (one, two))
        return bool(low > min(kwargs.get("maximum", 1e15) for kwargs in (one, two)))

    def wording(self, kwargs: RangeKwargs) -> Mapping[str, object]:
        low, high = (None if n is None else shown(n, kwargs.unit) for n in (kwargs.minimum, kwargs.maximum))
        words = f"between {low} and {high}" if low and high else f"at least {low}" if low else f"at most {high}"
        return {"name": name_of(kwargs.slot), "range": words}


def _candidates(document: Document, kwargs: RangeKwargs) -> list[Quantity]:
    """The quantities in the unit; without a unit, the numbers of sentences that name the attribute."""
    found = quantities(document)
    if kwargs.unit:
        return [quantity for quantity in found if quantity.unit == unit_of(kwargs.unit)]
    named = [start for start, _ in places(document.plain, name_of(kwargs.slot))] if found else []
    starts = [sentence.start for sentence in document.sentences] if named else []
    sentences = {bisect_right(starts, at) for at in named}
    return [quantity for quantity in found if bisect_right(starts, quantity.span.start) in sentences]


class AbsentKwargs(Kwargs):
    slot: Phrase = Field(description="the attribute that must not be stated")
    value: Phrase | None = Field(
        default=None, description="the value that must not be stated; without one, no value may"
    )


class Absent(Family[AbsentKwargs]):
    id = "attribute:absent"
    kwargs = AbsentKwargs
    example = '{"slot": "price", "value": "expensive"}'
    phrasings = (
        "Do not mention the {fact}.",
        "Leave the {fact} out of your response.",
        "Your response must not state the {fact}.",
    )

    def judge(self, document: Document, kwargs: AbsentKwargs, prompt: str | None) -> Verdict:
        if kwargs.value is not None:
            if where := _stated(document, kwargs.value):
                return Verdict("violated", f"{_line(kwargs.value)} is stated", kwargs.value, where)
            return Verdict("satisfied", f"{_line(kwargs.value)} is not stated")
        name = name_of(kwargs.slot)
        if named := tuple(Span(*place) for place in places(document.plain, name))[:EVIDENCE_LIMIT]:
            return Verdict("violated", f"{name} is mentioned", name, named)
        return Verdict("unknown", f"{name} is not named, but may be stated in other words")

    def satisfy(self, response: str, kwargs: AbsentKwargs, rng: Random) -> Mapping[str, Any] | None:
        return _value(response, kwargs.slot, False, rng)

    def violate(self, response: str, kwargs: AbsentKwargs, rng: Random) -> Mapping[str, Any] | None:
        return _value(response, kwargs.slot, True, rng)

    def forbids(self, text: str, kwargs: AbsentKwargs) -> bool:
        return kwargs.value is not None and bool(_stated(Document.of(text), kwargs.value))

    def wording(self, kwargs: AbsentKwargs) -> Mapping[str, object]:
        name = name_of(kwargs.slot)
        return {"fact": name if kwargs.value is None else f"{name} {kwargs.value}"}


def _line(text: str) -> str:
    return " ".join(text.split())


register(Value(), Flag(), Range(), Absent())
