"""Phrases that a response must hold, must not hold, must start with or must end with."""

from collections.abc import Mapping
from random import Random
from typing import Any, ClassVar

from pydantic import Field

from gapo_core.constraints.document import Document
from gapo_core.constraints.families.keywords import Existence, ForbiddenWords, whole
from gapo_core.constraints.families.startend import EndChecker
from gapo_core.constraints.registry import Family, K, Kwargs, Phrase, register
from gapo_core.constraints.types import Span, Verdict
from gapo_core.constraints.words import writable

_MARKUP = "#*_`>\"'“”‘’«»([{ \t\r\n"
_UNLIKELY = ("Zebras wander through", "Lanterns above the", "In a distant orchard")


class _Renamed(Family[K]):
    """A family that judges as an IFEval family does, under keyword arguments with plainer names."""

    inner: ClassVar[Family[Any]]
    own: ClassVar[str]
    inner_name: ClassVar[str]

    def _inner(self, kwargs: K) -> Any:
        return self.inner.kwargs(**{self.inner_name: getattr(kwargs, self.own)})

    def judge(self, document: Document, kwargs: K, prompt: str | None) -> Verdict:
        return self.inner.judge(document, self._inner(kwargs), prompt)

    def satisfy(self, response: str, kwargs: K, rng: Random) -> Mapping[str, Any] | None:
        return self._outer(self.inner.satisfy(response, self._inner(kwargs), rng))

    def violate(self, response: str, kwargs: K, rng: Random) -> Mapping[str, Any] | None:
        return self._outer(self.inner.violate(response, self._inner(kwargs), rng))

    def _outer(self, sampled: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
        return sampled and {self.own: sampled[self.inner_name]}

    def requires(self, kwargs: K) -> tuple[str, ...]:
        return self.inner.requires(self._inner(kwargs))

    def forbids(self, text: str, kwargs: K) -> bool:
        return self.inner.forbids(text, self._inner(kwargs))


class RequiredKwargs(Kwargs):
    phrases: tuple[Phrase, ...] = Field(min_length=1, strict=False, description="phrases that must all be there")


class Required(_Renamed[RequiredKwargs]):
    id = "phrases:required"
    kwargs = RequiredKwargs
    quotes = ("phrases",)
    example = '{"phrases": ["over the river"]}'
    inner, own, inner_name = Existence(), "phrases", "keywords"
    phrasings = (
        "Use the following phrases in your response: {phrases}.",
        "Your response must contain {phrases}.",
        "Make sure to include {phrases} in your answer.",
    )


class AvoidedKwargs(Kwargs):
    phrases: tuple[Phrase, ...] = Field(min_length=1, strict=False, description="phrases that must not be there")


class Forbidden(_Renamed[AvoidedKwargs]):
    id = "phrases:forbidden"
    kwargs = AvoidedKwargs
    quotes = ("phrases",)
    example = '{"phrases": ["in conclusion"]}'
    inner, own, inner_name = ForbiddenWords(), "phrases", "forbidden_words"
    phrasings = (
        "Never use the following phrases: {phrases}.",
        "Your response must not contain {phrases}.",
        "Avoid writing {phrases} anywhere in your answer.",
    )


class EdgeKwargs(Kwargs):
    phrase: Phrase = Field(description="the words at the edge of the response")


class Ends(_Renamed[EdgeKwargs]):
    id = "startend:ends"
    kwargs = EdgeKwargs
    quotes = ("phrase",)
    example = '{"phrase": "See you soon."}'
    inner, own, inner_name = EndChecker(), "phrase", "end_phrase"
    phrasings = (
        "End your response with {phrase}",
        "The last words of your answer must be {phrase}",
        "Finish with the words {phrase}",
    )

    def conflicts(self, this: Any, other: Any) -> bool:
        if this.id == other.id:
            one, two = (constraint.kwargs["phrase"].strip().lower() for constraint in (this, other))
            return not (one.endswith(two) or two.endswith(one))
        return bool(super().conflicts(this, other))


class Starts(Family[EdgeKwargs]):
    id = "startend:starts"
    kwargs = EdgeKwargs
    quotes = ("phrase",)
    example = '{"phrase": "Dear reader"}'
    phrasings = (
        "Start your response with {phrase}",
        "The first words of your answer must be {phrase}",
        "Begin with the words {phrase}",
    )

    def judge(self, document: Document, kwargs: EdgeKwargs, prompt: str | None) -> Verdict:
        # Quotes, emphasis and heading marks before the first words are not part of them, unless the phrase has them.
        text, bare = document.plain, kwargs.phrase.lstrip(_MARKUP)
        found = whole(bare).match(text, len(text) - len(text.lstrip(_MARKUP))) if bare.strip() else None
        if not found or bare != kwargs.phrase.lstrip():
            found = whole(kwargs.phrase).match(text, len(text) - len(text.lstrip()))
        if found:
            return Verdict("satisfied", "the response starts with the phrase", None, (Span(*found.span()),))
        return Verdict("violated", "the response does not start with the phrase", None, document.part(0, 60))

    def satisfy(self, response: str, kwargs: EdgeKwargs, rng: Random) -> Mapping[str, Any] | None:
        words = response.lstrip(_MARKUP)[:2000].split()[:8]
        phrases = [" ".join(words[:count]) for count in range(1, len(words) + 1)]
        return self._sampled(response, phrases, "satisfied", rng)

    def violate(self, response: str, kwargs: EdgeKwargs, rng: Random) -> Mapping[str, Any] | None:
        return self._sampled(response, list(_UNLIKELY), "violated", rng)

    def _sampled(self, response: str, phrases: list[str], status: str, rng: Random) -> Mapping[str, Any] | None:
        document = Document.of(response)
        usable = [phrase for phrase in phrases if phrase.strip() and writable(phrase)]
        fitting = [p for p in usable if self.judge(document, EdgeKwargs(phrase=p), None).status == status]
        return {"phrase": rng.choice(fitting)} if fitting else None

    def requires(self, kwargs: EdgeKwargs) -> tuple[str, ...]:
        return (kwargs.phrase,)

    def conflicts(self, this: Any, other: Any) -> bool:
        if this.id == other.id:
            one, two = (constraint.kwargs["phrase"].strip().lower() for constraint in (this, other))
            return not (one.startswith(two) or two.startswith(one))
        return bool(super().conflicts(this, other))


register(Required(), Forbidden(), Starts(), Ends())
