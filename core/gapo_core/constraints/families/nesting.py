"""Brackets within brackets, quotes within quotes, and what follows a quote."""

import re
from collections.abc import Iterable, Iterator
from itertools import chain, islice

from gapo_core.constraints.document import Document
from gapo_core.constraints.nltk_compat import PUNCTUATION
from gapo_core.constraints.registry import NoKwargs, Plain, register
from gapo_core.constraints.relations import amount
from gapo_core.constraints.types import EVIDENCE_LIMIT, Span, Verdict

_PAIRS = {")": "(", "]": "[", "}": "{"}
_MARKS = {**{mark: (mark, True) for mark in "([{"}, **{mark: (_PAIRS[mark], False) for mark in _PAIRS}}
_BRACKET = re.compile(r"[()\[\]{}]")
_QUOTE = re.compile("[\"'“”„‘’‚‟‛«»]")
_DOUBLE, _SINGLE = re.compile('["“”„‟«»]'), re.compile("['‘’‚‛]")
_ALNUM = re.compile(r"[^\W_]")
_LEVELS, _QUOTE_LEVELS = 5, 3
_REFERENCE_EDGES = "0123456789" + PUNCTUATION.replace('"', "")


Mark = tuple[str, bool, int]  # of a bracket or quote: its kind, the same for both of a pair; whether it opens; where


def deepest(marks: Iterable[Mark], enough: int, alternating: bool = False) -> tuple[int, Span | None]:
    """The number of levels of the deepest group of closed pairs, and where it stands; the first that has `enough`.

    A closing mark that closes nothing is passed over; an opening one that its surroundings leave open is no level.
    With `alternating`, a pair directly within one of its own kind is no level.
    """
    kinds: list[str] = []
    starts: list[int] = []
    within: list[int] = []  # levels found within each open mark
    open_of = dict.fromkeys("([{'\"", 0)
    best, where = 0, None
    for kind, opens, start in marks:
        if opens:
            kinds.append(kind)
            starts.append(start)
            within.append(0)
            open_of[kind] += 1
            continue
        if not open_of[kind]:
            continue
        while kinds[-1] != kind:
            open_of[kinds.pop()] -= 1
            starts.pop()
            within.pop()
        open_of[kinds.pop()] -= 1
        first, levels = starts.pop(), within.pop() + 1
        if levels > best:
            best, where = levels, Span(first, start + 1)
            if best >= enough:
                break
        if kinds and levels > within[-1] and not (alternating and kinds[-1] == kind):
            within[-1] = levels
    return best, where


class NestedBrackets(Plain):
    id = "format:parentheses"
    phrasings = (
        "Nest parentheses (and [brackets {{and braces}}]) at least 5 levels deep.",
        "Use parentheses, brackets or braces within each other, five or more levels deep.",
        "Somewhere in your response, brackets must be nested to a depth of at least five.",
    )

    def judge(self, document: Document, kwargs: NoKwargs, prompt: str | None) -> Verdict:
        marks = ((*_MARKS[match.group()], match.start()) for match in _BRACKET.finditer(document.text))
        levels, where = deepest(marks, _LEVELS)
        kept = levels >= _LEVELS
        reason = f"brackets are nested {levels} deep" + ("" if kept else f", not {_LEVELS}")
        return Verdict("satisfied" if kept else "violated", reason, levels, (where,) if where else ())

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
            yield kind, True, at
        elif mark in "”’»":
            yield kind, False, at
        else:
            opens = bool(behind.strip()) and (not before.strip() or before in "([{—–-'\"“‘*_>:")
            if opens and before in ("'", '"') and open_straight[mark] and not behind.isalnum():
                opens = False
            open_straight[mark] += 1 if opens else -1 if open_straight[mark] else 0
            yield kind, opens, at


class NestedQuotes(Plain):
    id = "format:quotes"
    phrasings = (
        "Include quotes within quotes within quotes, at least 3 levels deep, alternating between double quotes and "
        "single quotes.",
        "Nest quotations at least three levels deep; take double and single quotation marks in turn.",
        "Your response must hold a quote in a quote in a quote, with double and single quotation marks alternating.",
    )

    def judge(self, document: Document, kwargs: NoKwargs, prompt: str | None) -> Verdict:
        text = document.text
        enough = _QUOTE_LEVELS if _DOUBLE.search(text) and _SINGLE.search(text) else 1  # more than one takes both kinds
        levels, where = deepest(_quotes(text), enough, alternating=True)
        kept = levels >= _QUOTE_LEVELS
        reason = f"quotes are nested {levels} deep" + ("" if kept else f", not {_QUOTE_LEVELS}")
        return Verdict("satisfied" if kept else "violated", reason, levels, (where,) if where else ())

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
        text, count, before = document.text, -1, None  # the end of the text comes last and is no phrase
        for phrase in chain(_phrases(text), (Span(len(text), len(text)),)):
            if before and not _ALNUM.search(text, before.end, phrase.start):
                return Verdict("violated", "a quoted phrase is not followed by an explanation", None, (before,))
            count, before = count + 1, phrase
        reason = (
            f"{amount(count, 'quoted phrase')}, each followed by words of its own" if count else "nothing is quoted"
        )
        return Verdict("satisfied", reason, count, tuple(islice(_phrases(text), EVIDENCE_LIMIT)))

    def compat(self, response: str, kwargs: NoKwargs) -> bool:
        text = "".join(response.replace("'\"'", "").split())
        return '""' not in text and not text.strip(_REFERENCE_EDGES).endswith('"')


def _phrases(text: str) -> Iterator[Span]:
    """Phrases in double quotation marks, outermost only."""
    depth = start = 0
    for kind, opens, at in _quotes(text):
        if kind == "'":
            continue
        if opens:
            start, depth = (at if not depth else start), depth + 1
        elif depth:
            depth -= 1
            if not depth:
                yield Span(start, at + 1)


register(NestedBrackets(), NestedQuotes(), QuoteThenExplanation())
