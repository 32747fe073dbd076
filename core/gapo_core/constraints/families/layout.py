"""Lines, bullets and sections of a response."""

import re
from collections.abc import Mapping
from itertools import pairwise
from random import Random
from typing import Any

from pydantic import Field

from gapo_core.constraints import nltk_compat, reference
from gapo_core.constraints.document import Document
from gapo_core.constraints.registry import Family, Kwargs, NoKwargs, Phrase, Plain, register
from gapo_core.constraints.relations import amount
from gapo_core.constraints.types import EVIDENCE_LIMIT, Span, Verdict, spans
from gapo_core.constraints.words import neighbours, word_texts

_LINE = re.compile(r"[^\n]+")
_WORDED = re.compile(r"[^\W_][^\n]*")  # a line that holds a word, from its first letter or digit
_INDENT = re.compile(r"[ \t]*")
_SPACE = re.compile(r"\s")
_BULLET = re.compile(r"^[ \t]*(?:[-*+•‣▪◦]|\d{1,3}[.)])[ \t]+", re.MULTILINE)
_STAR = re.compile(r"^[ \t]*\*[ \t]+(?=\S)", re.MULTILINE)
_REFERENCE_STAR = re.compile(r"^[^\S\n]*\*", re.MULTILINE)
_STAR_OR_DASH = re.compile(r"^[ \t]*([*-])[ \t]+(?=\S)", re.MULTILINE)
_HEADING = re.compile(
    r"^[ \t]*(?:#{1,6}[ \t]|\*\*[^*\n]+\*\*:?[ \t]*$|<h[1-6][^>\n]*>|section\b)[^\n]*", re.MULTILINE | re.I
)
_THESIS = re.compile(r"\s*(?:<p>\s*)?<(i|em)>\s*(?P<thesis>[^<\s][^<]*)</\1>", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")
_NO_LINES = Verdict("violated", "the response is blank", 0)


def _lines(text: str) -> list[Span]:
    """The lines that are not blank."""
    return [Span(*match.span()) for match in _LINE.finditer(text) if not match.group().isspace()]


class NoWhitespace(Plain):
    id = "format:no_whitespace"
    phrasings = (
        "The output should not contain any whitespace.",
        "Write your response without a single space, tab or line break.",
        "Do not use whitespace anywhere in your answer.",
    )

    def judge(self, document: Document, kwargs: NoKwargs, prompt: str | None) -> Verdict:
        text = document.text.rstrip("\r\n")  # a line break that ends the output is not one of its characters
        where = spans(_SPACE.finditer(text))
        if where:
            return Verdict("violated", "the response contains whitespace", len(_SPACE.findall(text)), where)
        return Verdict("satisfied", "no whitespace is used", 0) if text else _NO_LINES

    def compat(self, response: str, kwargs: NoKwargs) -> bool:
        return not any(map(str.isspace, response))


class WordPerLine(Plain):
    id = "format:newline"
    phrasings = (
        "Write each word on a new line.",
        "Put every word of your response on a line of its own.",
        "Start a new line after each word.",
    )

    def judge(self, document: Document, kwargs: NoKwargs, prompt: str | None) -> Verdict:
        text, words = document.text, len(word_texts(document))
        if not words:
            return _NO_LINES
        count = words - len(_WORDED.findall(text))
        if count:
            crowded = neighbours(document, lambda one, two: "\n" not in text[one.end : two.start], count)
            where = tuple(Span(one.start, two.end) for one, two in crowded)
            return Verdict("violated", f"{crowded[0][1].text} is not on a new line", count, where)
        return Verdict("satisfied", "every word is on its own line", 0)

    def compat(self, response: str, kwargs: NoKwargs) -> bool:
        text = nltk_compat.unpunctuated(response).strip()
        # A line of blanks counts as a line, yet holds no word.
        return sum(line != "" for line in text.split("\n")) == len(text.split())


class Stairs(Plain):
    id = "format:line_indent"
    phrasings = (
        "Create stairs by incrementally indenting each new line.",
        "Indent every line further than the line before it, like a staircase.",
        "Each new line of your response must start further to the right than the previous one.",
    )

    def judge(self, document: Document, kwargs: NoKwargs, prompt: str | None) -> Verdict:
        lines = _lines(document.text)
        indents = [len(_INDENT.match(document[line]).group().expandtabs(4)) for line in lines]  # type: ignore[union-attr]
        if len(lines) < 2:
            return Verdict("violated", "stairs need two lines", indents)
        for number, (one, two) in enumerate(pairwise(indents), 2):
            if two <= one:
                reason = f"line {number} is indented by {two}, the one before it by {one}"
                return Verdict("violated", reason, indents[:EVIDENCE_LIMIT], (lines[number - 1],))
        return Verdict("satisfied", "every line is indented further", indents[:EVIDENCE_LIMIT])

    def compat(self, response: str, kwargs: NoKwargs) -> bool:
        # At least half of the lines are kept, and so many that grow each time would be longer than the response.
        if (response.count("\n") // 2) ** 2 > 4 * len(response):
            return False
        indents = [len(line) - len(line.lstrip(" ")) for line in _reference_lines(response)]
        return all(two > one for one, two in pairwise(indents))


def _reference_lines(response: str) -> list[str]:
    """The lines that are left when blank ones are removed while the list is walked: of two blank lines in a row
    one stays, and it is the first of its kind that goes."""
    lines = response.split("\n")
    at = 0
    while at < len(lines):
        if not lines[at].strip():
            lines.remove(lines[at])
        at += 1
    return lines


class MarkerKwargs(Kwargs):
    sep: Phrase = Field(description="what stands before each item in place of a bullet")


class MarkedList(Family[MarkerKwargs]):
    id = "format:list"
    example = '{"sep": "SEPARATOR"}'
    kwargs = MarkerKwargs
    phrasings = (
        "Answer with a list of items, instead of bullet points use {sep}.",
        "Write your answer as a list whose items are marked with {sep} and not with bullets.",
        "Give a list and put {sep} before each item where a bullet would stand.",
    )

    def judge(self, document: Document, kwargs: MarkerKwargs, prompt: str | None) -> Verdict:
        marker = kwargs.sep.strip()
        edges = [r"(?<!\w)" * marker[0].isalnum(), r"(?!\w)" * marker[-1].isalnum()]
        pattern = re.compile(edges[0] + re.escape(marker) + edges[1] + r"[^\S\n]*(?=[*_`]*\w)")
        found = spans(pattern.finditer(document.text))
        if len(found) < 2:
            reason = f"{amount(len(found), 'item')} marked with {marker} where a list has two or more"
            return Verdict("violated", reason, len(found), found)
        bullet = next((m for m in _BULLET.finditer(document.text) if m.group().strip() != marker), None)
        if bullet:
            return Verdict("violated", f"{bullet.group().strip()} is used as a bullet", len(found), spans([bullet]))
        return Verdict("satisfied", f"{amount(len(found), 'item')} marked with {marker}", len(found), found)

    def compat(self, response: str, kwargs: MarkerKwargs) -> bool:
        return response.count(kwargs.sep) >= 2

    def satisfy(self, response: str, kwargs: MarkerKwargs, rng: Random) -> Mapping[str, Any] | None:
        return self._sampled(response, kwargs, "satisfied", rng)

    def violate(self, response: str, kwargs: MarkerKwargs, rng: Random) -> Mapping[str, Any] | None:
        return self._sampled(response, kwargs, "violated", rng)

    def _sampled(self, response: str, kwargs: MarkerKwargs, status: str, rng: Random) -> Mapping[str, Any] | None:
        markers = (kwargs.sep, "...", "SEPARATOR", "!?!?", "-", "*", "•", ">>")
        fitting = [
            marker
            for marker in markers
            if self.judge(Document.of(response), MarkerKwargs(sep=marker), None).status == status
        ]
        return {"sep": rng.choice(fitting)} if fitting else None

    def requires(self, kwargs: MarkerKwargs) -> tuple[str, ...]:
        return (kwargs.sep.strip(),)


class SubBullets(Plain):
    id = "format:sub-bullets"
    phrasings = (
        "Your response must include bullet points denoted by * and at least one sub-bullet point denoted by - for each "
        "bullet point.",
        "Use bullet points that start with * and give each of them one or more sub-bullets that start with -.",
        "Write a list with * bullets, each followed by at least one - sub-bullet.",
    )

    def judge(self, document: Document, kwargs: NoKwargs, prompt: str | None) -> Verdict:
        marks = list(_STAR_OR_DASH.finditer(document.text))
        kinds = [mark.group(1) for mark in marks]
        bare = [mark for at, mark in enumerate(marks) if kinds[at] == "*" and kinds[at + 1 : at + 2] != ["-"]]
        count = kinds.count("*")
        if not count:
            return Verdict("violated", "no bullet point starts with *", 0)
        if bare:
            return Verdict("violated", f"{amount(len(bare), 'bullet point')} without sub-bullet", count, spans(bare))
        return Verdict("satisfied", f"{amount(count, 'bullet point')} with sub-bullets", count, spans(marks))

    def compat(self, response: str, kwargs: NoKwargs) -> bool:
        return all("-" in part for part in response.split("*")[1:])  # so is a text without any asterisk


class SentencesThenBullets(Plain):
    id = "format:no_bullets_bullets"
    phrasings = (
        "Your answer must contain at least two sentences ending in a period followed by at least two bullet points "
        "denoted by *.",
        "Write two or more sentences that end with a full stop, then two or more bullet points that start with *.",
        "Begin with at least two full sentences and go on with at least two * bullet points.",
    )

    def judge(self, document: Document, kwargs: NoKwargs, prompt: str | None) -> Verdict:
        bullets = list(_STAR.finditer(document.text))
        if len(bullets) < 2:
            return Verdict("violated", f"{amount(len(bullets), 'bullet point')} found", len(bullets), spans(bullets))
        first = bullets[0].start()
        before = [span for span in document.sentences if span.end <= first and _ends_with_stop(document[span])]
        reason = f"{amount(len(before), 'sentence')} before {amount(len(bullets), 'bullet point')}"
        return Verdict("satisfied" if len(before) > 1 else "violated", reason, len(before), spans(bullets))

    def compat(self, response: str, kwargs: NoKwargs) -> bool:
        if sum(1 for _ in _REFERENCE_STAR.finditer(response)) < 2:
            return False
        sentences = bullets = 0
        over = False  # a blank line ends the sentences; after that and after a bullet only bullets may follow
        for line in map(str.strip, response.split("\n")):
            if line.startswith("*"):
                if sentences < 2:
                    return False
                bullets, over = bullets + 1, True
            elif over:
                return False
            else:
                found = sum(1 for _ in reference.sentence_texts(line))
                sentences, over = sentences + found, not found
        return bullets >= 2


def _ends_with_stop(sentence: str) -> bool:
    return sentence.rstrip("\"'”’»*_`)] ").endswith((".", "。", "…"))


class ItalicThesis(Plain):
    id = "format:thesis"
    phrasings = (
        "Each section must begin with a thesis statement in italics, use HTML to indicate the italics.",
        "Start every section with its thesis in HTML italics, such as <i>thesis</i>.",
        "Open each section with a thesis statement between <i> and </i>.",
    )

    def judge(self, document: Document, kwargs: NoKwargs, prompt: str | None) -> Verdict:
        # Without headings the response is one section.
        text, cuts = document.text, [0, *(match.end() for match in _HEADING.finditer(document.text))]
        ends = [*(match.start() for match in _HEADING.finditer(document.text)), len(text)]
        sections = [(start, end) for start, end in zip(cuts, ends, strict=True) if text[start:end].strip()]
        found: list[re.Match[str]] = []
        for start, end in sections:
            thesis = _THESIS.match(text, start, end)
            if thesis is None:
                reason = "a section does not begin with a thesis in italics"
                return Verdict("violated", reason, len(found), document.part(start, min(end, start + 80)))
            if not _TAG.sub("", text[thesis.end() : end]).strip():
                return Verdict("violated", "nothing follows a thesis", len(found), spans([thesis]))
            found.append(thesis)
        if not found:
            return _NO_LINES
        return Verdict(
            "satisfied", f"{amount(len(found), 'section')} with a thesis in italics", len(found), spans(found)
        )

    def compat(self, response: str, kwargs: NoKwargs) -> bool:
        # The first <i> or else the first <em> of the text opens, the first </i> or else </em> behind it closes; tags
        # are taken to be three and four characters long.
        opened = next((at for tag in ("<i>", "<em>") if (at := response.find(tag)) >= 0), -1)
        text = response[opened:] if opened >= 0 else ""
        closed = next((at for tag in ("</i>", "</em>") if (at := text.find(tag)) >= 0), -1)
        return closed >= 0 and bool(text[3:closed].strip()) and bool(text[closed + 4 :].strip())


register(NoWhitespace(), WordPerLine(), Stairs(), MarkedList(), SubBullets(), SentencesThenBullets(), ItalicThesis())
