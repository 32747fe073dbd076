"""The national symbol of the US, told backwards by word or by letter."""

import re
from typing import ClassVar

from gapo_core.constraints.document import Document
from gapo_core.constraints.nltk_compat import unpunctuated
from gapo_core.constraints.reference import sentence_texts
from gapo_core.constraints.registry import NoKwargs, Plain, register
from gapo_core.constraints.types import Verdict, spans

_QUESTION = "What animal is the national symbol of the US?"
# Pairs of neighbours that stand in this order only where a sentence runs forwards.
_FORWARDS = re.compile(
    r"\b(?:bald\W+eagle|the\W+(?:national|bald|us|united|animal)|national\W+(?:symbol|bird|animal)|symbol\W+of|of\W+the"
    r"|is\W+the|united\W+states)\b",
    re.IGNORECASE,
)
_BACKWARDS = re.compile(r"\beagle\W+bald\b", re.IGNORECASE)
_UNREVERSED = re.compile(r"\b(?:the|national|symbol|united|states|bald|eagle|animal|is|of)\b", re.IGNORECASE)
_LETTERS_BACKWARDS = re.compile(r"\belgae\s+dlab\b", re.IGNORECASE)


class _Reversed(Plain):
    """Whether the rest of the sentence makes sense when read backwards is not looked at."""

    wanted: ClassVar[re.Pattern[str]]
    unwanted: ClassVar[re.Pattern[str]]
    unit: ClassVar[str]

    def judge(self, document: Document, kwargs: NoKwargs, prompt: str | None) -> Verdict:
        if forwards := self.unwanted.search(document.text):
            reason = f"{' '.join(forwards.group().split())} is not reversed {self.unit} by {self.unit}"
            return Verdict("violated", reason, forwards.group(), spans([forwards]))
        if found := self.wanted.search(document.text):
            return Verdict("satisfied", "the bald eagle is named backwards", found.group(), spans([found]))
        return Verdict("violated", "the bald eagle is not named backwards")


class ReversedWords(_Reversed):
    id = "custom:word_reverse"
    wanted, unwanted, unit = _BACKWARDS, _FORWARDS, "word"
    phrasings = (
        f"{_QUESTION} Respond to this query, but make your sentence in reverse order of what it should be, per word.",
        f"{_QUESTION} Answer in one sentence whose words stand in reverse order.",
        f"{_QUESTION} Write your sentence backwards, word by word.",
    )

    def compat(self, response: str, kwargs: NoKwargs) -> bool:
        turned = " ".join(reversed(unpunctuated(response.lower().strip()).split()))
        return "bald eagle" in turned and turned in sentence_texts(turned)


class ReversedLetters(_Reversed):
    id = "custom:character_reverse"
    wanted, unwanted, unit = _LETTERS_BACKWARDS, _UNREVERSED, "letter"
    phrasings = (
        f"{_QUESTION} Respond to this query, but make your sentence in reverse order of what it should be, per letter.",
        f"{_QUESTION} Answer in one sentence whose letters stand in reverse order.",
        f"{_QUESTION} Write your sentence backwards, letter by letter.",
    )

    def compat(self, response: str, kwargs: NoKwargs) -> bool:
        return "elgae dlab" in response.lower()


register(ReversedWords(), ReversedLetters())
