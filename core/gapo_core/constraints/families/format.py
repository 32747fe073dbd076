"""Lists, highlights, sections, titles, JSON and fixed answers: the shape of a response."""

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from random import Random
from typing import TYPE_CHECKING, Any, NoReturn

from pydantic import Field

from gapo_core.constraints import reference
from gapo_core.constraints.document import Document
from gapo_core.constraints.families.counting import Counted
from gapo_core.constraints.registry import Kwargs, NoKwargs, Phrase, Plain, register
from gapo_core.constraints.relations import amount
from gapo_core.constraints.types import Span, Verdict, spans

if TYPE_CHECKING:
    from gapo_core.constraints.types import Constraint

_BULLET = re.compile(r"^[^\S\n]*[*+•‣◦▪●○∙–-][^\S\n]+(?!(?:[*_-][^\S\n]*)+$)\S[^\n]*", re.MULTILINE)
_NUMBERED = re.compile(r"^[^\S\n]*\d{1,3}[.)][^\S\n]+\S[^\n]*", re.MULTILINE)
_FENCED = re.compile(r"^[^\S\n]*(```|~~~)[^\n]*\n.*?(?:^[^\S\n]*\1|\Z)", re.MULTILINE | re.DOTALL)
_REFERENCE_BULLETS = (re.compile(r"^\s*\*[^\*].*$", re.MULTILINE), re.compile(r"^\s*-.*$", re.MULTILINE))
# Emphasis of one, two or three marks that touches the words in it and no word around it.
_STARRED = re.compile(r"\*(?<![\w*\\]\*)(\*{0,2})(?=[^\s*])([^*\n]*[^\s*])\*\1(?![\w*])")
_UNDERSCORED = re.compile(r"_(?<![\w\\]_)(_?)(?=[^\s_])([^_\n]*[^\s_])_\1(?!\w)")
_REFERENCE_HIGHLIGHT = re.compile(r"\*[^\n\*]*\*")
_REFERENCE_DOUBLE_HIGHLIGHT = re.compile(r"\*\*[^\n\*]*\*\*")
_TITLE = re.compile(r"<<[^<>\n]*[^\W_][^<>\n]*>>")
_FENCE = re.compile(r"```[^\S\n]*(?:json\w*)?[^\S\n]*\n(.*?)\n?[^\S\n]*```", re.DOTALL | re.IGNORECASE)
_WORD_NUMBERS = "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve"


class BulletsKwargs(Kwargs):
    num_bullets: int = Field(ge=1, description="the exact number of bullet points")


class NumberBulletLists(Counted[BulletsKwargs]):
    id = "detectable_format:number_bullet_lists"
    kwargs = BulletsKwargs
    example = '{"num_bullets": 3}'
    limit, fixed, noun = "num_bullets", "exactly", ("bullet point", "bullet points")
    phrasings = (
        "Your answer must contain exactly {count}. Use the markdown bullet points such as:\n* This is a point.",
        'Include exactly {count} in markdown format, each starting with "* ".',
        "Give exactly {count} in your response.",
    )

    def count(self, document: Document, kwargs: BulletsKwargs) -> tuple[int, tuple[Span, ...]]:
        text = document.text
        if "```" in text or "~~~" in text:
            text = _FENCED.sub(lambda code: " " * len(code.group()), text)
        # A numbered list is a list of points too, unless its items only hold the bullets.
        found = list(_BULLET.finditer(text)) or list(_NUMBERED.finditer(text))
        return len(found), spans(found)

    def compat(self, response: str, kwargs: BulletsKwargs) -> bool:
        return sum(len(pattern.findall(response)) for pattern in _REFERENCE_BULLETS) == kwargs.num_bullets

    def wording(self, kwargs: BulletsKwargs) -> Mapping[str, object]:
        return {"count": amount(kwargs.num_bullets, *self.noun)}


class HighlightsKwargs(Kwargs):
    num_highlights: int = Field(ge=1, description="the lowest number of highlighted passages")


class NumberHighlightedSections(Counted[HighlightsKwargs]):
    id = "detectable_format:number_highlighted_sections"
    kwargs = HighlightsKwargs
    example = '{"num_highlights": 2}'
    limit, noun = "num_highlights", ("section", "sections")
    phrasings = (
        "Highlight {limited} in your answer with markdown, i.e. *highlighted section*.",
        "Use markdown to highlight {limited} of your response, like *this*.",
        "Your answer must have {limited} highlighted in markdown, such as *highlighted text*.",
    )

    def count(self, document: Document, kwargs: HighlightsKwargs) -> tuple[int, tuple[Span, ...]]:
        found = [*_STARRED.finditer(document.text), *_UNDERSCORED.finditer(document.text)]
        return len(found), spans(found)

    def compat(self, response: str, kwargs: HighlightsKwargs) -> bool:
        single = sum(bool(found.strip("*").strip()) for found in _REFERENCE_HIGHLIGHT.findall(response))
        double = sum(bool(found[2:-2].strip()) for found in _REFERENCE_DOUBLE_HIGHLIGHT.findall(response))
        return single + double >= kwargs.num_highlights


class SectionsKwargs(Kwargs):
    section_spliter: Phrase = Field(description="the word that, with a number behind it, begins each section")
    num_sections: int = Field(ge=1, description="the lowest number of sections")


@lru_cache(maxsize=512)
def _heading(spliter: str) -> re.Pattern[str]:
    words = r"\s+".join(map(re.escape, Document.of(spliter).plain.split()))
    return re.compile(
        rf"^[^\w\n]*{words}[^\S\n]*[#:.-]?[^\S\n]*(?:\d+|[ivxlc]+\b|[a-z]\b|(?:{_WORD_NUMBERS})\b)", re.I | re.M
    )


class MultipleSections(Counted[SectionsKwargs]):
    id = "detectable_format:multiple_sections"
    kwargs = SectionsKwargs
    example = '{"section_spliter": "SECTION", "num_sections": 2}'
    limit, noun = "num_sections", ("section", "sections")
    phrasings = (
        "Your response must have {count}. Mark the beginning of each section with {section_spliter} X, such as:\n"
        "{section_spliter} 1\n[content of section 1]\n{section_spliter} 2\n[content of section 2]",
        "Divide your answer into {count}, each starting with {section_spliter} X.",
        "Write {count} and mark the beginning of each with {section_spliter} X.",
    )

    def subject(self, kwargs: SectionsKwargs) -> object:
        return kwargs.section_spliter.lower()

    def count(self, document: Document, kwargs: SectionsKwargs) -> tuple[int, tuple[Span, ...]]:
        found = list(_heading(kwargs.section_spliter).finditer(document.plain))
        return len(found), spans(found)

    def compat(self, response: str, kwargs: SectionsKwargs) -> bool:
        marks = reference.occurrences(kwargs.section_spliter.strip(), response, r"\s?{}\s?\d+\s?", re.RegexFlag(0))
        return marks >= kwargs.num_sections

    def limited(self, response: str, kwargs: SectionsKwargs, wanted: bool, rng: Random) -> Mapping[str, Any] | None:
        for spliter in (kwargs.section_spliter, "Section", "Chapter", "Part", "Day", "Step"):
            other = kwargs.model_copy(update={"section_spliter": spliter})
            if (found := super().limited(response, other, wanted, rng)) is not None:
                return found
        return None

    def requires(self, kwargs: SectionsKwargs) -> tuple[str, ...]:
        return (kwargs.section_spliter,)

    def wording(self, kwargs: SectionsKwargs) -> Mapping[str, object]:
        return {**super().wording(kwargs), "count": amount(kwargs.num_sections, *self.noun)}


class Title(Plain):
    id = "detectable_format:title"
    phrasings = (
        "Your answer must contain a title, wrapped in double angular brackets, such as <<poem of joy>>.",
        "Include a title in double angular brackets, i.e. <<title>>.",
        "Give your response a title and put it in double angular brackets, like <<title>>.",
    )

    def judge(self, document: Document, kwargs: NoKwargs, prompt: str | None) -> Verdict:
        if found := _TITLE.search(document.text):
            return Verdict("satisfied", f"{found.group()[:80]} is a title", 1, (Span(*found.span()),))
        return Verdict("violated", "no title stands in double angular brackets", 0)

    def compat(self, response: str, kwargs: NoKwargs) -> bool:
        # What "<<[^\n]+>>" finds, without its quadratic search: from the first mark of a line to the last.
        for line in response.split("\n"):
            start, end = line.find("<<"), line.rfind(">>")
            if start >= 0 and end >= start + 3 and line[start:end].lstrip("<").rstrip(">").strip():
                return True
        return False


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def json_value(body: str) -> Any:
    """The value of a JSON text. Raises `ValueError` for none, NaN and Infinity included, and `RecursionError`."""
    return json.loads(body, parse_constant=_no_constant)


def json_body(document: Document) -> tuple[str, int]:
    """The response without the white space and the code fence that may be around it, and where it starts."""
    text = document.text.strip()
    fenced = _FENCE.fullmatch(text)
    start = document.text.find(text) + (fenced.start(1) if fenced else 0)
    return (fenced.group(1) if fenced else text), start


class JsonFormat(Plain):
    id = "detectable_format:json_format"
    phrasings = (
        "Entire output should be wrapped in JSON format. You can use markdown ticks such as ```.",
        "Give your entire answer in JSON format.",
        "Your whole response must be valid JSON.",
    )

    def judge(self, document: Document, kwargs: NoKwargs, prompt: str | None) -> Verdict:
        body, start = json_body(document)
        try:
            value = json_value(body)
        except json.JSONDecodeError as error:
            at = min(start + error.pos, len(document.text) - 1)
            return Verdict("violated", f"not JSON: {error.msg}", None, document.part(at, at + 1))
        except (ValueError, RecursionError) as error:
            return Verdict("violated", f"not JSON: {error}")
        kind = type(value).__name__
        if isinstance(value, dict | list):
            return Verdict("satisfied", "the response is a JSON " + {"dict": "object", "list": "array"}[kind], kind)
        return Verdict(
            "violated", f"a bare {kind} is not a JSON document", kind, document.part(start, start + len(body))
        )

    def compat(self, response: str, kwargs: NoKwargs) -> bool:
        body = response.strip()
        for opening in ("```json", "```Json", "```JSON", "```"):
            body = body.removeprefix(opening)
        try:
            json.loads(body.removesuffix("```").strip())
        except (ValueError, RecursionError):
            return False
        return True

    def conflicts(self, this: "Constraint", other: "Constraint") -> bool:
        # A document starts with a bracket, and line breaks within its strings are written \n.
        return other.id in ("startend:quotation", NumberBulletLists.id) or super().conflicts(this, other)


ANSWERS = ("My answer is yes.", "My answer is no.", "My answer is maybe.")
_ANSWER = re.compile(r"\bmy\s+answer\s+is\s+(yes|no|maybe)\b[.!]?", re.IGNORECASE)
_DRESS = " \t\r\n\"'*_`()[]<>#“”‘’."


class ConstrainedResponse(Plain):
    id = "detectable_format:constrained_response"
    phrasings = (
        'Answer with one of the following options: "My answer is yes.", "My answer is no.", "My answer is maybe."',
        "Choose one of these as your answer: My answer is yes. / My answer is no. / My answer is maybe.",
        'Your answer must be one of "My answer is yes.", "My answer is no." and "My answer is maybe."',
    )

    def judge(self, document: Document, kwargs: NoKwargs, prompt: str | None) -> Verdict:
        found = list(_ANSWER.finditer(document.text))
        answers = {match.group(1).lower() for match in found}
        if len(answers) > 1:
            return Verdict("violated", "more than one of the options is given", sorted(answers), spans(found))
        # Thinking aloud before or explaining behind is fine; the option itself opens or closes the response.
        edges = [
            match
            for match in found
            if not document.text[: match.start()].strip(_DRESS) or not document.text[match.end() :].strip(_DRESS)
        ]
        if edges:
            return Verdict("satisfied", f'the answer is "{edges[0].group()}"', sorted(answers), spans(edges))
        reason = "an option is mentioned, but not as the answer" if found else "none of the options is given"
        return Verdict("violated", reason, sorted(answers), spans(found))

    def compat(self, response: str, kwargs: NoKwargs) -> bool:
        return any(answer in response for answer in ANSWERS)


register(
    NumberBulletLists(),
    NumberHighlightedSections(),
    MultipleSections(),
    Title(),
    JsonFormat(),
    ConstrainedResponse(),
)
