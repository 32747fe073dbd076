"""A rule: the words in which people ask for a constraint, and how its keyword arguments are read from them."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gapo_core.constraints.parsing.conditions import condition
from gapo_core.constraints.parsing.content import content
from gapo_core.constraints.parsing.grammar import compiled
from gapo_core.constraints.parsing.mood import adjoined
from gapo_core.constraints.parsing.reading import Reading
from gapo_core.constraints.parsing.waivers import waived


@dataclass(frozen=True)
class Draft:
    """A constraint as read, and where: an id, or a `fact:` that only becomes a constraint together with others."""

    id: str
    kwargs: Mapping[str, Any]
    start: int
    end: int


@dataclass(frozen=True)
class Found:
    """A rule's match. Offsets of `match` count the masked prompt, which is as long as the prompt."""

    match: re.Match[str]
    reading: Reading

    def __getitem__(self, group: str) -> str:
        """The group as the prompt has it, quotation marks removed; "" where the pattern has none or it took no part."""
        if self.match.groupdict().get(group) is None:
            return ""
        start, end = self.match.span(group)
        return unquoted(self.reading.prompt[start:end])

    def items(self, group: str = "items") -> list[str]:
        """A list of words or quoted phrases."""
        start, end = self.match.span(group)
        text = self.match.string
        if text[start] not in QUOTES and text[max(0, start - 2) : start].rstrip().endswith(":"):
            return [item for item in _BETWEEN.split(text[start:end]) if item]
        return [
            unquoted(self.reading.prompt[start + item.start() : start + item.end()])
            for item in _ITEM.finditer(self.reading.masked[start:end])
        ]


QUOTES = "\"“”„«»'‘’`"
# Behind a colon, unquoted items may have several words.
_BETWEEN = re.compile(
    r"\s*(?:[,;/&]|(?<![\w'’-])(?:and|or|nor|as well as)(?![\w'’-]))\s*(?:(?:and|or|nor)(?![\w'’-])\s*)?"
    r"(?:the (?:word|term|phrase|keyword)s? )?",
    re.IGNORECASE,
)
_ITEM = re.compile(
    rf"[{QUOTES}]\ue000+[{QUOTES}]|\b(?!(?:and|or|nor|as well as|the (?:word|term|phrase|keyword)s?)\b)[^\W_][\w'’-]*"
)


def unquoted(text: str) -> str:
    return text[1:-1] if len(text) > 2 and text[0] in QUOTES and text[-1] in QUOTES else text


Kwargs = Mapping[str, Any]
Build = Callable[[Found], "Iterable[tuple[str, Kwargs]] | None"]


DEMANDS = frozenset({"demand"})
ASKED = frozenset({"demand", "question"})
STATED = frozenset({"demand", "question", "statement"})


@dataclass(frozen=True)
class Rule:
    """`pattern` is a template of `grammar.compiled`. `cues`: one of these words must stand in the sentence, in lower
    case. `build` gives ids with keyword arguments, nothing where the match is no demand after all. `unless` looks at
    the sentence before the match, `before` at what follows it. `moods`: the sentences in which the rule is read."""

    pattern: str
    cues: frozenset[str]
    build: Build
    moods: frozenset[str] = DEMANDS
    unless: re.Pattern[str] | None = None
    before: re.Pattern[str] | None = None
    compiled: re.Pattern[str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "compiled", compiled(self.pattern))


def rule(
    pattern: str,
    cues: str,
    build: Build | str,
    unless: str | None = None,
    moods: frozenset[str] = DEMANDS,
    before: str | None = None,
) -> Rule:
    """A `build` that is a string stands for an id without keyword arguments."""
    made: Build = (lambda found, id=build: [(id, {})]) if isinstance(build, str) else build  # type: ignore[misc]
    return Rule(pattern, frozenset(cues.split()), made, moods, _optional(unless), _optional(before))


def _optional(pattern: str | None) -> re.Pattern[str] | None:
    return re.compile(pattern, re.IGNORECASE) if pattern else None


_NEXT = (
    r"(?:\b(?:and|but|then|plus)|,)\s+(?:$|(?:please|also|use|write|wrap|put|enclose|keep|make|include"
    r"|mention|avoid|end"
    r"|finish|answer|reply|respond|start|begin|add|place|surround|give|set|in|with|only|your|everything|must|should)\b)"
)


def governed(words: str, reach: int, stops: str = ".;:") -> str:
    """For `unless`: one of the words before the match ("n't" is always one), in the same demand: "use no commas and
    write in capitals" holds two."""
    return (
        rf"(?:\b(?:{words})|n['’]t)\b(?! (?:forget|fail|hesitate|be afraid)\b)(?:(?!{_NEXT})[^{stops}]){{0,{reach}}}$"
    )


# What is said of a part: "in the last paragraph, do not …" (`unless`), "… in the last paragraph" (`before`).
_PLACE = (
    r"(?:in|for|within) (?:the|your) (?:very )?(?:(?:first|second|third|fourth|fifth|last|final|next|opening|closing"
    r"|middle|concluding|introductory) (?:\w+ )?(?:paragraph|sentence|line|stanza|verse|section|half|chapter|part"
    r"|bullet|point|answer)s?|title|headline|heading|subject line|introduction|intro|conclusion|greeting|chorus"
    r"|refrain)\b"
)
OF_A_PART = rf"\b{_PLACE}[^.;:!?\n]{{0,60}}$"
IN_A_PART = rf"\s*{_PLACE}"

_WORD = re.compile(r"[^\W_]+")
# Behind these words no demand stands: what one asks how to do, and what once was so ("his letter was all in capitals").
_NO_DEMAND = re.compile(
    r"\b(?:likes|loves|tends|hates|wants|learn(?:s|ed|t)|manage[sd]|tries|tried|refuse[sd]|used|began|forgot) to\s*$|"
    r"\b(?:how|when|whether|ways?) to\s*$|\b(?:was|were|contained|(?<!it )had)(?: (?:always|only|never))?\s*$",
    re.IGNORECASE,
)


def drafts(reading: Reading, tables: Iterable[Rule]) -> list[Draft]:
    """All that the rules find, in the order of the rules; a later rule does not read what an earlier one read."""
    rules = list(tables)
    found: list[Draft] = []
    for sentence in reading.sentences:
        if sentence.mood == "passage":
            continue
        words = set(_WORD.findall(reading.masked[sentence.start : sentence.end].lower()))
        taken: list[tuple[int, int]] = []
        read: list[Draft] = []
        said = reading.masked[sentence.start : sentence.end]
        elsewhere = [(sentence.start + a, sentence.start + b) for a, b in (*content(said), *waived(said))]
        for each in rules:
            if sentence.mood not in each.moods or each.cues.isdisjoint(words):
                continue
            for match in each.compiled.finditer(reading.masked, sentence.start, sentence.end):
                start, end = _trimmed(reading.masked, *match.span())
                if _overlaps(start, end, taken) or _overlaps(start, end, elsewhere):
                    continue
                if each.unless and each.unless.search(reading.masked, sentence.start, match.start()):
                    continue
                if each.before and each.before.match(reading.masked, match.end(), sentence.end):
                    continue
                if _NO_DEMAND.search(reading.masked, max(sentence.start, start - 20), start):
                    continue
                if sentence.mood == "question" and not adjoined(reading.masked[sentence.start : start], match.group()):
                    continue
                made = list(each.build(Found(match, reading)) or ())
                if not made:
                    continue
                if (last := condition(reading.masked, sentence, start, end)) is not None:
                    elsewhere.append((start, last))
                    continue
                taken.append((start, end))
                read += [Draft(id, kwargs, start, end) for id, kwargs in made]
        # A condition may be found after a rule has read words in it.
        found += [draft for draft in read if not _overlaps(draft.start, draft.end, elsewhere)]
    return found


def _overlaps(start: int, end: int, spans: Iterable[tuple[int, int]]) -> bool:
    return any(start < b and a < end for a, b in spans)


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and (text[end - 1].isspace() or text[end - 1] in ",;"):
        end -= 1
    return start, end
