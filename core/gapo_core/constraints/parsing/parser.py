"""From a prompt to its constraints and what is left of it."""

import re
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass

from gapo_core.constraints.document import Span
from gapo_core.constraints.parsing.attributes import attributes
from gapo_core.constraints.parsing.composition import compose
from gapo_core.constraints.parsing.reading import Reading, read
from gapo_core.constraints.parsing.rules import Draft, drafts
from gapo_core.constraints.parsing.subjects import RULES
from gapo_core.constraints.registry import ConstraintError
from gapo_core.constraints.types import Constraint


@dataclass(frozen=True)
class Parsed:
    """A constraint and the characters of the prompt that ask for it; two constraints may share a span."""

    constraint: Constraint
    span: Span


@dataclass(frozen=True)
class Parse:
    """`constraints` in the order of the prompt; `remainder`: the prompt without what they say."""

    constraints: tuple[Parsed, ...]
    remainder: str


def parse(prompt: str) -> Parse:
    """The constraints that a prompt states, in words or in a structured form.

    Never raises. Precision goes before recall: a demand that is quoted, only mentioned, part of a text to work on
    or of unclear extent is not parsed, and stays in the remainder. Of a prompt of more than `LONGEST_PROMPT`
    characters the middle is not searched.
    """
    half = LONGEST_PROMPT // 2
    middle = prompt[half:-half] if len(prompt) > LONGEST_PROMPT else ""
    text = prompt[:half] + _SEAM + prompt[-half:] if middle else prompt
    reading = read(text)
    found = [parsed for draft in parse_drafts(reading) if (parsed := _built(draft))]
    remainder = _remainder(reading, [parsed.span for parsed in found], middle)
    if middle:
        shift = len(middle) - len(_SEAM)
        found = [_shifted(parsed, half, shift) for parsed in found]
    return Parse(tuple(found), remainder)


LONGEST_PROMPT = 24_000
"""Characters; of a longer prompt the first and the last half of so many are read: instructions stand at the ends."""

_SEAM = "\n\n\ue001\n\n"


def _shifted(parsed: Parsed, half: int, shift: int) -> Parsed:
    """With the span in the whole prompt, where the text behind `half` stands `shift` characters later."""
    start, end = (place + shift if place > half else place for place in parsed.span)
    return Parsed(parsed.constraint, Span(start, end))


def parse_drafts(reading: Reading) -> list[Draft]:
    """Each constraint once, in the order of the prompt, not yet validated."""
    found = compose(reading, drafts(reading, RULES))
    taken = bytearray(len(reading.prompt))
    for draft in found:
        taken[draft.start : draft.end] = b"\1" * (draft.end - draft.start)
    found += [draft for draft in attributes(reading) if not any(taken[draft.start : draft.end])]
    once: dict[tuple[str, str], Draft] = {}
    for draft in sorted(found, key=lambda d: (d.start, d.end)):
        once.setdefault((draft.id, repr(sorted(draft.kwargs.items())).lower()), draft)
    return list(once.values())


def _built(draft: Draft) -> Parsed | None:
    try:
        return Parsed(Constraint(draft.id, draft.kwargs), Span(draft.start, draft.end))
    except ConstraintError:  # for instance a language that no checker knows
        return None


# Words that carry a demand and say nothing without it.
_SCAFFOLD = frozenset(
    [
        "a",
        "about",
        "add",
        "all",
        "also",
        "always",
        "an",
        "and",
        "answer",
        "any",
        "anything",
        "are",
        "article",
        "as",
        "at",
        "avoid",
        "be",
        "but",
        "by",
        "can",
        "cannot",
        "contain",
        "contains",
        "content",
        "could",
        "do",
        "don",
        "each",
        "else",
        "email",
        "end",
        "ensure",
        "entire",
        "entirely",
        "essay",
        "every",
        "exactly",
        "final",
        "finally",
        "finish",
        "first",
        "for",
        "format",
        "from",
        "have",
        "has",
        "i",
        "ideally",
        "in",
        "include",
        "included",
        "including",
        "into",
        "is",
        "it",
        "its",
        "just",
        "keep",
        "kindly",
        "length",
        "let",
        "limit",
        "letter",
        "like",
        "make",
        "makes",
        "may",
        "mention",
        "must",
        "my",
        "need",
        "needs",
        "never",
        "no",
        "not",
        "of",
        "on",
        "only",
        "or",
        "other",
        "output",
        "please",
        "poem",
        "post",
        "put",
        "refrain",
        "reply",
        "respond",
        "response",
        "review",
        "s",
        "should",
        "so",
        "speech",
        "start",
        "story",
        "such",
        "sure",
        "t",
        "text",
        "that",
        "the",
        "their",
        "them",
        "then",
        "there",
        "these",
        "this",
        "those",
        "to",
        "too",
        "use",
        "used",
        "using",
        "want",
        "whole",
        "will",
        "with",
        "within",
        "without",
        "word",
        "words",
        "would",
        "wrap",
        "write",
        "written",
        "you",
        "your",
    ]
)
_WORD = re.compile(r"[^\W_]+")


def _remainder(reading: Reading, spans: Iterable[Span], middle: str) -> str:
    """Without the spans, and without the sentences of which they leave nothing but scaffolding."""
    asked: list[tuple[int, int]] = sorted(set(spans))
    gaps = list(asked)
    starts, longest = [start for start, _ in asked], max((end - start for start, end in asked), default=0)
    for sentence in reading.sentences:
        near = asked[bisect_left(starts, sentence.start - longest) : bisect_left(starts, sentence.end)]
        inside = [(start, end) for start, end in near if end > sentence.start]
        left = _without(reading.prompt, sentence.start, sentence.end, inside)
        if inside and {word.lower() for word in _WORD.findall(left)} <= _SCAFFOLD:
            gaps.append((sentence.start, sentence.end))
    rest = _without(reading.prompt, 0, len(reading.prompt), gaps)
    rest = rest.replace(_SEAM, middle, 1) if middle else rest
    return re.sub(r"[ \t]{2,}", " ", re.sub(r"\n{3,}", "\n\n", rest)).strip()


def _without(text: str, start: int, end: int, gaps: Iterable[tuple[int, int]]) -> str:
    """The text from `start` to `end` with the gaps cut out."""
    pieces = []
    for left, right in sorted(gaps):
        if left > start:
            pieces.append(text[start : min(left, end)])
        start = max(start, right)
    return "".join(pieces) + text[start:end]
