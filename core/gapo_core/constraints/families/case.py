"""Capital and lower-case letters."""

from itertools import islice
from typing import TYPE_CHECKING

import regex
from pydantic import Field

from gapo_core.constraints import reference
from gapo_core.constraints.document import Document
from gapo_core.constraints.families.counting import Counted
from gapo_core.constraints.languages import identify, reference_accepts
from gapo_core.constraints.registry import Kwargs, NoKwargs, Plain, register
from gapo_core.constraints.relations import Relation, holds, interval
from gapo_core.constraints.types import Span, Verdict, spans

if TYPE_CHECKING:
    from gapo_core.constraints.types import Constraint

_LOWER, _UPPER = regex.compile(r"\p{Ll}+"), regex.compile(r"[\p{Lu}\p{Lt}]+")
_TELLING = 40  # letters; a shorter text may be in any language that shares the alphabet


def _in_english(document: Document) -> bool:
    short = sum(1 for _ in islice(filter(str.isalpha, document.text), _TELLING)) < _TELLING
    return short or identify(document.text).get("en", 0.0) > 0.05


class _OneCase(Plain):
    """English in one case throughout."""

    other: "regex.Pattern[str]"
    name: str

    def judge(self, document: Document, kwargs: NoKwargs, prompt: str | None) -> Verdict:
        if wrong := spans(self.other.finditer(document.text)):
            first = document[wrong[0]][:40]
            return Verdict("violated", f'not all letters are {self.name}: "{first}"', None, wrong)
        if not any(map(str.isalpha, document.text)):
            return Verdict("unknown" if document.text.strip() else "violated", "the response has no letters")
        if not _in_english(document):
            return Verdict("violated", "the response is not in English", max(identify(document.text), default=None))
        return Verdict("satisfied", f"all letters are {self.name}")


class EnglishCapital(_OneCase):
    id = "change_case:english_capital"
    other, name = _LOWER, "capital"
    phrasings = (
        "Your entire response should be in English, and in all capital letters.",
        "Write your whole answer in English using only capital letters.",
        "Respond in English, in all caps.",
    )

    def compat(self, response: str, kwargs: NoKwargs) -> bool:
        return response.isupper() and reference_accepts(response, "en")

    def conflicts(self, this: "Constraint", other: "Constraint") -> bool:
        return other.id == EnglishLowercase.id or super().conflicts(this, other)


class EnglishLowercase(_OneCase):
    id = "change_case:english_lowercase"
    other, name = _UPPER, "lower case"
    phrasings = (
        "Your entire response should be in English, and in all lowercase letters. No capital letters are allowed.",
        "Write your whole answer in English using only lowercase letters.",
        "Respond in English, all in lowercase, without any capital letters.",
    )

    def compat(self, response: str, kwargs: NoKwargs) -> bool:
        return response.islower() and reference_accepts(response, "en")


class CapitalsKwargs(Kwargs):
    capital_frequency: int = Field(ge=0, description="the number of words in capitals it is compared with")
    capital_relation: Relation


class CapitalWordFrequency(Counted[CapitalsKwargs]):
    id = "change_case:capital_word_frequency"
    kwargs = CapitalsKwargs
    example = '{"capital_frequency": 4, "capital_relation": "at least"}'
    limit, relation, additive = "capital_frequency", "capital_relation", True
    noun = ("word in all capital letters", "words in all capital letters")
    phrasings = (
        "In your response, words with all capital letters should appear {times}.",
        "Use {limited} in your answer.",
        "Your response should contain {limited}.",
    )

    def count(self, document: Document, kwargs: CapitalsKwargs) -> tuple[int, tuple[Span, ...]]:
        # "I" and "A" are written so anyway; nobody would call them words in capitals.
        found = [
            match
            for match in document.word_pattern.finditer(document.text)
            if match.group().isupper() and sum(map(str.isalpha, match.group())) > 1
        ]
        return len(found), spans(found)

    def compat(self, response: str, kwargs: CapitalsKwargs) -> bool:
        return holds(kwargs.capital_relation, reference.capital_words(response), kwargs.capital_frequency)

    def wording(self, kwargs: CapitalsKwargs) -> dict[str, object]:
        times = f"{kwargs.capital_relation} {kwargs.capital_frequency} time{'s' * (kwargs.capital_frequency != 1)}"
        return {**super().wording(kwargs), "times": times}

    def conflicts(self, this: "Constraint", other: "Constraint") -> bool:
        lowest, _ = interval(*self.comparison(this._kwargs))
        return (other.id == EnglishLowercase.id and lowest > 0) or super().conflicts(this, other)


register(EnglishCapital(), EnglishLowercase(), CapitalWordFrequency())
