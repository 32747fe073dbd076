"""Regular expressions that a response must match, or must not."""

from collections.abc import Mapping
from random import Random
from typing import Any, Literal

import re2
from pydantic import Field, field_validator

from gapo_core.constraints.document import Document
from gapo_core.constraints.families.keywords import absent_words, content_words
from gapo_core.constraints.linear_regex import compiled
from gapo_core.constraints.registry import Family, Kwargs, register
from gapo_core.constraints.types import Verdict

_DEMANDS = {"search": "a match somewhere", "full": "a match of the whole text", "absent": "no match"}


class RegexKwargs(Kwargs):
    pattern: str = Field(min_length=1, max_length=4096, description="a regular expression as RE2 takes it")
    match: Literal["search", "full", "absent"] = Field(
        default="search",
        description="a match somewhere, a match of the whole text without its outer white space, or none",
    )
    ignore_case: bool = Field(default=False, description="whether case does not count")

    @field_validator("pattern")
    @classmethod
    def _sound(cls, pattern: str) -> str:
        compiled(pattern)
        return pattern


class Regex(Family[RegexKwargs]):
    id = "text:regex"
    kwargs = RegexKwargs
    example = '{"pattern": "[Rr]iver", "match": "search"}'
    phrasings = (
        "Your response must have {demand} of the regular expression {pattern}",
        "Write a response with {demand} of this regular expression: {pattern}",
        "There must be {demand} of the regex {pattern} in your answer.",
    )

    def judge(self, document: Document, kwargs: RegexKwargs, prompt: str | None) -> Verdict:
        pattern = compiled(kwargs.pattern, kwargs.ignore_case)
        if kwargs.match == "full":
            text = document.encodable.strip()
            kept = pattern.fullmatch(text) is not None
            reason = "the whole response matches" if kept else "the whole response does not match"
            return Verdict("satisfied" if kept else "violated", reason)
        found = pattern.search(document.encodable)
        where = document.part(*found.span()) if found else ()
        kept = bool(found) == (kwargs.match == "search")
        reason = "the pattern matches" if found else "the pattern matches nowhere"
        return Verdict("satisfied" if kept else "violated", reason, found.group()[:80] if found else None, where)

    def satisfy(self, response: str, kwargs: RegexKwargs, rng: Random) -> Mapping[str, Any] | None:
        return self._sampled(response, kwargs, True, rng)

    def violate(self, response: str, kwargs: RegexKwargs, rng: Random) -> Mapping[str, Any] | None:
        return self._sampled(response, kwargs, False, rng)

    def _sampled(self, response: str, kwargs: RegexKwargs, kept: bool, rng: Random) -> Mapping[str, Any] | None:
        present = kept == (kwargs.match != "absent")
        words = content_words(response) if present else absent_words(response)
        if not words:
            return None
        pattern = rf"\b{re2.escape(rng.choice(words))}\b"
        if kwargs.match == "full":
            pattern = rf"(?s).*{pattern}.*"
        sampled: dict[str, Any] = {"pattern": pattern, "match": kwargs.match, "ignore_case": True}
        found = self.judge(Document.of(response), RegexKwargs(**sampled), None).status == "satisfied"
        return sampled if found == kept else None  # RE2 takes an accented letter for the edge of a word

    def wording(self, kwargs: RegexKwargs) -> Mapping[str, object]:
        return {"pattern": kwargs.pattern, "demand": _DEMANDS[kwargs.match]}


register(Regex())
