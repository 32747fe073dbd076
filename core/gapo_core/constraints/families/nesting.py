"""Brackets within brackets, quotes within quotes, and what follows a quote."""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from gapo_core.constraints.document import Document
from gapo_core.constraints.nltk_compat import PUNCTUATION
from gapo_core.constraints.registry import NoKwargs, Plain, register
from gapo_core.constraints.relations import amount
from gapo_core.constraints.types import EVIDENCE_LIMIT, Span, Verdict

_PAIRS = {")": "(", "]": "[", "}": "{"}
_BRACKET = re.compile(r"[()\[\]{}]")
_QUOTE = re.compile("[\"'“”„‘’‚‟‛«»]")
_ALNUM = re.compile(r"[^\W_]")
_LEVELS, _QUOTE_LEVELS = 5, 3
_REFERENCE_EDGES = "0123456789" + PUNCTUATION.replace('"', "")


class Mark(NamedTuple):
    """A bracket or quote; `kind` is the same for the two of a pair."""

    kind: str
    opens: bool
    start: int


class _Group:
    def __init__(self, mark: Mark) -> None:
        self.mark, self.deepest = mark, 0


def deepest(marks: Iterable[Mark], alternating: bool = False) -> tuple[int, Span | None]:
    """The number of levels of the deepest group of closed pairs, and where it stands.

    A closing mark that closes nothing is passed over; an opening one that its surroundings leave open is no level.
    With `alternating`, a pair directly within one of its own kind is no level.
    """
    stack: list[_Group] = []
    open_of: dict[str, int] = {}
    best, where = 0, None
    for mark in marks:
        if mark.opens:
            stack.append(_Group(mark))
            open_of[mark.kind] = open_of.get(mark.kind, 0) + 1
            continue
        if not open_of.get(mark.kind):
            continue
        while True:
            group = stack.pop()
            open_of[group.mark.kind] -= 1
            if group.mark.kind == mark.kind:
                break
        levels = group.deepest + 1
        if levels > best:
            best, where = levels, Span(group.mark.start, mark.start + 1)
        if stack and not (alternating and stack[-1].mark.kind == mark.kind):
            stack[-1].deepest = max(stack[-1].deepest, levels)
    return best, where


class NestedBrackets(Plain):
    id = "format:parentheses"
    phrasings = (
        "Nest parentheses (and [brackets {{and braces}}]) at least 5 levels deep.",
        "Use parentheses, brackets or braces within each other, five or more levels deep.",
        "Somewhere in your response, brackets must be nested to a depth of at least five.",
    )

    def judge(self, document: Document, kwargs: NoKwargs, prompt: str | None) -> Verdict:
        found = (match for match in _BRACKET.finditer(document.text))
        marks = (Mark(_PAIRS.get(m.group(), m.group()), m.group() not in _PAIRS, m.start()) for m in found)
        levels, where = deepest(marks)
        reason = f"brackets are nested {amount(levels, 'level')} deep where {_LEVELS} are wanted"
        return Verdict("satisfied" if levels >= _LEVELS else "violated", reason, levels, (where,) if where else ())

    def compat(self, response: str, kwargs: NoKwargs) -> bool:
        # Once five are open, closing the innermost will do; a closing one that does not fit forgets them all.
        stack, most = [], 0
        for match in _BRACKET.finditer(response):
            mark = match.group()
            if mark not in _PAIRS:
                stack.append(mark)
                most = max(most, len(stack))
            elif stack and stack[-1] == _PAIRS[mark]:
                stack.pop()
                if most >= _LEVELS:
                    return True
            else:
                stack, most = [], 0
        return False


def _quotes(text: str) -> Iterator[Mark]:
    """Quotation marks, straight and typographic; apostrophes are none."""
    open_straight: dict[str, int] = {"'": 0, '"': 0}
    for match in _QUOTE.finditer(text):
        mark, at = match.group(), match.start()
        before, behind = text[at - 1 : at], text[at + 1 : at + 2]
        kind = "'" if mark in "'‘’‚‛" else '"'
        if kind == "'" and before.isalnum() and behind.isalnum():
            continue
        if mark in "“„‟‘‚‛«":
            yield Mark(kind, True, at)
        elif mark in "”’»":
            yield Mark(kind, False, at)
        else:
            opens = bool(behind.strip()) and (not before.strip() or before in "([{—–-'\"“‘*_>:")
            if opens and before in ("'", '"') and open_straight[mark] and not behind.isalnum():
                opens = False
            open_straight[mark] += 1 if opens else -1 if open_straight[mark] else 0
            yield Mark(kind, opens, at)


class NestedQuotes(Plain):
    id = "format:quotes"
    phrasings = (
        "Include quotes within quotes within quotes, at least 3 levels deep, alternating between double quotes and "
        "single quotes.",
        "Nest quotations at least three levels deep; take double and single quotation marks in turn.",
        "Your response must hold a quote in a quote in a quote, with double and single quotation marks alternating.",
    )

    def judge(self, document: Document, kwargs: NoKwargs, prompt: str | None) -> Verdict:
        levels, where = deepest(_quotes(document.text), alternating=True)
        reason = f"quotes are nested {amount(levels, 'level')} deep where {_QUOTE_LEVELS} are wanted"
        return Verdict(
            "satisfied" if levels >= _QUOTE_LEVELS else "violated", reason, levels, (where,) if where else ()
        )

    def compat(self, response: str, kwargs: NoKwargs) -> bool:
        # Apostrophes are quotes, and a mark closes where the innermost open one is its like.
        stack: list[str] = []
        most = 0
        for mark in re.findall("[\"']", response):
            if stack and stack[-1] == mark:
                stack.pop()
                if most - len(stack) >= _QUOTE_LEVELS:
                    return True
            else:
                stack.append(mark)
                most = max(most, len(stack))
        return False


class QuoteThenExplanation(Plain):
    id = "format:quote_unquote"
    phrasings = (
        "Every quoted phrase must be followed by an unquoted explanation.",
        "After each phrase in quotation marks, explain it in words outside of quotation marks.",
        "Let no quotation stand without an explanation behind it that is not quoted.",
    )

    def judge(self, document: Document, kwargs: NoKwargs, prompt: str | None) -> Verdict:
        text, phrases = document.text, list(_phrases(document.text))
        for at, phrase in enumerate(phrases):
            end = phrases[at + 1].start if at + 1 < len(phrases) else len(text)
            if not _ALNUM.search(text, phrase.end, end):
                return Verdict("violated", "a quoted phrase is not followed by an explanation", len(phrases), (phrase,))
        reason = f"{amount(len(phrases), 'quoted phrase')}, each followed by words of its own"
        return Verdict(
            "satisfied", reason if phrases else "nothing is quoted", len(phrases), tuple(phrases[:EVIDENCE_LIMIT])
        )

    def compat(self, response: str, kwargs: NoKwargs) -> bool:
        text = "".join(response.replace("'\"'", "").split())
        return '""' not in text and not text.strip(_REFERENCE_EDGES).endswith('"')


def _phrases(text: str) -> Iterator[Span]:
    """Phrases in double quotation marks, outermost only."""
    depth = start = 0
    for mark in _quotes(text):
        if mark.kind == "'":
            continue
        if mark.opens:
            start, depth = (mark.start if not depth else start), depth + 1
        elif depth:
            depth -= 1
            if not depth:
                yield Span(start, mark.start + 1)


register(NestedBrackets(), NestedQuotes(), QuoteThenExplanation())
