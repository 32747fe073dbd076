"""The language of a response."""

import re
from collections.abc import Mapping
from heapq import nlargest
from itertools import islice
from random import Random
from typing import TYPE_CHECKING, Any

from pydantic import Field, field_validator

from gapo_core.constraints.document import Document
from gapo_core.constraints.languages import LANGUAGES, identify, reference_accepts
from gapo_core.constraints.registry import Family, Kwargs, register
from gapo_core.constraints.types import Span, Verdict

if TYPE_CHECKING:
    from gapo_core.constraints.types import Constraint

_LINE = re.compile(r"[^\n]{60,}")  # long enough to tell its language for certain
_FEW = 12  # letters, below which a guess is no verdict
_SHORT = 100  # letters, below which a guess is one only if it is of every half too: its probability is near 1 anyway
_LINES = 4  # the longest lines are looked at one by one


class LanguageKwargs(Kwargs):
    language: str = Field(description="an ISO 639-1 code")

    @field_validator("language")
    @classmethod
    def _known(cls, code: str) -> str:
        if code not in LANGUAGES:
            raise ValueError(f"{code!r} is not a known language code; known are {', '.join(LANGUAGES)}")
        return code


class ResponseLanguage(Family[LanguageKwargs]):
    id = "language:response_language"
    kwargs = LanguageKwargs
    example = '{"language": "de"}'
    phrasings = (
        "Your ENTIRE response should be in {language} language, no other language is allowed.",
        "Respond entirely in {language}.",
        "Write your whole answer in {language}; no other language is allowed.",
        "Please answer in {language} only.",
    )

    def judge(self, document: Document, kwargs: LanguageKwargs, prompt: str | None) -> Verdict:
        text, name = document.text, LANGUAGES[kwargs.language]
        letters = sum(1 for _ in islice(filter(str.isalpha, text), _SHORT))
        if not letters:
            return Verdict("unknown" if text.strip() else "violated", "the response has no letters")
        found = identify(text)
        observed = max(found, key=lambda code: found[code], default=None)
        if found.get(kwargs.language, 0.0) < 0.5:
            short = letters < _FEW or (letters < _SHORT and _half_is(text, kwargs.language))
            if short or kwargs.language in found:
                return Verdict("unknown", f"too little tells whether the response is in {name}", observed)
            other = LANGUAGES.get(observed or "", "a script of another language")
            return Verdict("violated", f"the response is in {other}, not in {name}", observed, (Span(0, len(text)),))
        if foreign := _foreign(text, kwargs.language):
            return Verdict("violated", f"a part of the response is not in {name}", observed, foreign)
        return Verdict("satisfied", f"the response is in {name}", observed)

    def compat(self, response: str, kwargs: LanguageKwargs) -> bool:
        return reference_accepts(response, kwargs.language)

    def satisfy(self, response: str, kwargs: LanguageKwargs, rng: Random) -> Mapping[str, Any] | None:
        return self._with(response, "satisfied", list(identify(response)), rng)

    def violate(self, response: str, kwargs: LanguageKwargs, rng: Random) -> Mapping[str, Any] | None:
        return self._with(response, "violated", rng.sample(sorted(set(LANGUAGES) - {"zh-cn", "zh-tw"}), 3), rng)

    def _with(self, response: str, status: str, codes: list[str], rng: Random) -> Mapping[str, Any] | None:
        document = Document.of(response)
        fitting = [c for c in codes if self.judge(document, LanguageKwargs(language=c), None).status == status]
        return {"language": rng.choice(fitting)} if fitting else None

    def conflicts(self, this: "Constraint", other: "Constraint") -> bool:
        language = this.kwargs["language"]
        if other.id == self.id:
            return bool(language[:2] != other.kwargs["language"][:2])
        in_english = other.id in ("change_case:english_capital", "change_case:english_lowercase")
        return (in_english and language != "en") or super().conflicts(this, other)

    def wording(self, kwargs: LanguageKwargs) -> Mapping[str, object]:
        return {"language": LANGUAGES[kwargs.language]}


def _half_is(text: str, language: str) -> bool:
    """Whether half of the words, first or last, even or odd ones, may be in the language."""
    words = text.split()
    middle = len(words) // 2
    halves = (words[:middle], words[middle:], words[::2], words[1::2])
    return any(identify(" ".join(half)).get(language, 0.0) > 0.3 for half in halves)


def _foreign(text: str, language: str) -> tuple[Span, ...]:
    """Long lines that are for certain in another language."""
    lines = [match.span() for match in _LINE.finditer(text[:100_000])]
    if len(lines) < 2:
        return ()  # the line is the response, whose language is known
    foreign = []
    for start, end in nlargest(_LINES, lines, key=lambda line: line[1] - line[0]):
        found = identify(text[start:end])
        if found and language not in found and max(found.values()) > 0.99:
            foreign.append(Span(start, end))
    return tuple(sorted(foreign))


register(ResponseLanguage())
