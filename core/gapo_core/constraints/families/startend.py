"""How a response starts and ends."""

import re
from collections.abc import Mapping
from random import Random
from typing import TYPE_CHECKING, Any

from pydantic import Field

from gapo_core.constraints.document import Document
from gapo_core.constraints.registry import Family, Kwargs, NoKwargs, Phrase, Plain, register
from gapo_core.constraints.types import Span, Status, Verdict

if TYPE_CHECKING:
    from gapo_core.constraints.types import Constraint

_CLOSING = "\"'*_`)]»> \t\r\n"  # quotes, emphasis, brackets that may close behind the last words
_OPENING_QUOTES, _CLOSING_QUOTES = '"“„‟＂', '"”“‟＂'
_QUOTE = re.compile(r"(?<!\\)[\"“”„‟＂]")
_BEFORE_QUOTES = "([{<—–-" + _OPENING_QUOTES
_PHRASES = ("Is there anything else I can help with?", "That is all you need!", "Hope you agree with me.", "Peace!")
_SPACE = re.compile(r"\s+")


def _words(text: str) -> str:
    """Plain, lower case, single spaces, without what may close behind it."""
    return _SPACE.sub(" ", Document.of(text).plain.lower()).strip().rstrip(_CLOSING)


class EndKwargs(Kwargs):
    end_phrase: Phrase = Field(description="the exact phrase at the end")


class EndChecker(Family[EndKwargs]):
    id = "startend:end_checker"
    kwargs = EndKwargs
    quotes = ("end_phrase",)
    example = '{"end_phrase": "That is all you need!"}'
    phrasings = (
        "Finish your response with this exact phrase {end_phrase} No other words should follow this phrase.",
        "End your answer with the exact phrase {end_phrase} and nothing after it.",
        "The last words of your response must be {end_phrase}",
    )

    def judge(self, document: Document, kwargs: EndKwargs, prompt: str | None) -> Verdict:
        phrase = _words(kwargs.end_phrase) or kwargs.end_phrase.strip()
        pattern = re.compile(r"(?<!\w)" * phrase[0].isalnum() + r"\s+".join(map(re.escape, phrase.split())), re.I)
        end = len(document.plain.rstrip(_CLOSING if _words(kwargs.end_phrase) else None))
        # White space within the phrase is free; twice its length and some is enough to look at.
        tail = max(0, end - 2 * len(phrase) - 64)
        for match in pattern.finditer(document.plain, tail, end):
            if match.end() == end:
                return Verdict("satisfied", "the response ends with the phrase", None, (Span(*match.span()),))
        return Verdict("violated", "the response does not end with the phrase", None, document.part(end - 60, end))

    def compat(self, response: str, kwargs: EndKwargs) -> bool:
        return response.strip().strip('"').lower().endswith(kwargs.end_phrase.strip().lower())

    def satisfy(self, response: str, kwargs: EndKwargs, rng: Random) -> Mapping[str, Any] | None:
        words = response.rstrip(_CLOSING)[-2000:].split()
        phrases = [" ".join(words[-count:]) for count in range(3, 9) if len(words) > count] or [" ".join(words)]
        fitting = [phrase for phrase in phrases if phrase and self._status(response, phrase) == "satisfied"]
        return {"end_phrase": rng.choice(fitting)} if fitting else None

    def violate(self, response: str, kwargs: EndKwargs, rng: Random) -> Mapping[str, Any] | None:
        other = [phrase for phrase in _PHRASES if self._status(response, phrase) == "violated"]
        return {"end_phrase": rng.choice(other)}

    def _status(self, response: str, phrase: str) -> str:
        return self.judge(Document.of(response), EndKwargs(end_phrase=phrase), None).status

    def requires(self, kwargs: EndKwargs) -> tuple[str, ...]:
        return (kwargs.end_phrase,)

    def conflicts(self, this: "Constraint", other: "Constraint") -> bool:
        if this.id == other.id:
            one, two = (_words(constraint.kwargs["end_phrase"]) for constraint in (this, other))
            return not (one.endswith(two) or two.endswith(one))
        return super().conflicts(this, other)


def _closed_early(text: str) -> int | None:
    """Where the quotation that a text begins with ends within the text; quotations within it are passed over."""
    depth = 1
    for match in _QUOTE.finditer(text, 1, len(text) - 1):
        before, after = text[match.start() - 1], text[match.end()]
        ends_words = after.isspace() or not (after.isalnum() or before in _BEFORE_QUOTES)
        if (ends_words and not before.isspace()) or (text[0] == "“" and match.group() == "”"):
            depth -= 1
        elif not after.isspace():
            depth += 1
        if not depth:
            return match.start()
    return None


class Quotation(Plain):
    id = "startend:quotation"
    phrasings = (
        "Wrap your entire response with double quotation marks.",
        "Put your whole answer inside double quotation marks.",
        "Your entire response must be enclosed in double quotation marks.",
    )

    def judge(self, document: Document, kwargs: NoKwargs, prompt: str | None) -> Verdict:
        text = document.text.strip()
        start = document.text.find(text)
        ends = document.part(start, start + 1) + document.part(start + len(text) - 1, start + len(text))
        if len(text) > 2 and text[0] in _OPENING_QUOTES and text[-1] in _CLOSING_QUOTES and text[1:-1].strip():
            if (closed := _closed_early(text)) is not None:
                # Behind a figure the mark may be one of inches.
                status: Status = "unknown" if text[closed - 1].isdecimal() and text[closed] == '"' else "violated"
                where = document.part(start + closed, start + closed + 1)
                return Verdict(status, "the first quotation ends before the response does", None, where)
            return Verdict("satisfied", "the response stands in double quotation marks", None, ends)
        return Verdict("violated", "the response does not stand in double quotation marks", None, ends)

    def compat(self, response: str, kwargs: NoKwargs) -> bool:
        text = response.strip()
        return len(text) > 1 and text[0] == text[-1] == '"'


register(EndChecker(), Quotation())
