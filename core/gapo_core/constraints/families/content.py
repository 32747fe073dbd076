"""Placeholders and a postscript that a response must hold."""

import re
from collections.abc import Mapping
from functools import lru_cache
from random import Random
from typing import Any

from pydantic import Field

from gapo_core.constraints.document import Document
from gapo_core.constraints.families.counting import Counted
from gapo_core.constraints.registry import Family, Kwargs, Phrase, register
from gapo_core.constraints.types import Span, Verdict, spans

_REFERENCE_PLACEHOLDER = re.compile(r"\[.*?\]")
# Square brackets around words; not an index (arr[i]), an image, an escaped bracket, the text of a link, or a
# footnote mark.
_PLACEHOLDER = re.compile(r"\[(?<![\w)!\\]\[)(?!\^)([^\[\]\n]*)\](?!\()")
_LETTER = re.compile(r"[^\W\d_]")
_TICKED = re.compile(r"[-*+] \[[xX]\]")


class PlaceholdersKwargs(Kwargs):
    num_placeholders: int = Field(ge=1, description="the lowest number of placeholders")


class NumberPlaceholders(Counted[PlaceholdersKwargs]):
    id = "detectable_content:number_placeholders"
    kwargs = PlaceholdersKwargs
    example = '{"num_placeholders": 3}'
    limit, noun = "num_placeholders", ("placeholder", "placeholders")
    phrasings = (
        "The response must contain {limited} represented by square brackets, such as [address].",
        "Include {limited} in square brackets, for example [name].",
        "Use {limited} written in square brackets, such as [date].",
    )

    def count(self, document: Document, kwargs: PlaceholdersKwargs) -> tuple[int, tuple[Span, ...]]:
        text = document.text
        found = [
            match
            for match in _PLACEHOLDER.finditer(text)
            if _LETTER.search(match.group(1)) and not _TICKED.match(text, max(0, match.start() - 2))
        ]
        return len(found), spans(found)

    def compat(self, response: str, kwargs: PlaceholdersKwargs) -> bool:
        # Searching line by line, as the pattern does not cross them, keeps a flood of opening brackets linear.
        lines = (line for line in response.split("\n") if "]" in line)
        found = sum(len(_REFERENCE_PLACEHOLDER.findall(line)) for line in lines)
        return found >= kwargs.num_placeholders


class PostscriptKwargs(Kwargs):
    postscript_marker: Phrase = Field(description="what the postscript starts with")


@lru_cache(maxsize=256)
def _marker(marker: str) -> re.Pattern[str]:
    """The marker and a word behind it; full stops and spaces within it are free ("P. S.", "PS:")."""
    letters = re.sub(r"[\s.]", "", marker)
    if letters.isalpha() and len(letters) <= 4:
        core = r"\.?[^\S\n]?".join(letters) + r"(?:\.|(?!\w))"
    else:
        core = r"\s+".join(map(re.escape, Document.of(marker).plain.split()))
    return re.compile(rf"(?<![\w.])(?<!\w\. )({core})(?=[\W_]*[^\W_])", re.IGNORECASE)


class Postscript(Family[PostscriptKwargs]):
    id = "detectable_content:postscript"
    kwargs = PostscriptKwargs
    example = '{"postscript_marker": "P.S."}'
    phrasings = (
        "At the end of your response, please explicitly add a postscript starting with {postscript_marker}",
        "Finish your answer with a postscript that starts with {postscript_marker}",
        "Add a postscript at the end, beginning with {postscript_marker}",
    )

    def judge(self, document: Document, kwargs: PostscriptKwargs, prompt: str | None) -> Verdict:
        found = list(_marker(kwargs.postscript_marker).finditer(document.plain))
        behind = [match for match in found if document.text[: match.start()].strip()]
        if behind:
            return Verdict("satisfied", f"a postscript starts with {behind[-1].group(1)}", 1, spans(behind[-1:]))
        if found:
            return Verdict("violated", "nothing stands before the postscript", 1, spans(found[:1]))
        return Verdict("violated", f"no postscript starts with {kwargs.postscript_marker}", 0)

    def compat(self, response: str, kwargs: PostscriptKwargs) -> bool:
        marker = kwargs.postscript_marker.strip()
        pattern = {"P.P.S": r"p\.\s?p\.\s?s", "P.S.": r"p\.\s?s\."}.get(marker)
        text = response.lower()
        return bool(re.search(pattern, text)) if pattern else marker.lower() in text

    def satisfy(self, response: str, kwargs: PostscriptKwargs, rng: Random) -> Mapping[str, Any] | None:
        return self._marked(response, "satisfied", rng)

    def violate(self, response: str, kwargs: PostscriptKwargs, rng: Random) -> Mapping[str, Any] | None:
        return self._marked(response, "violated", rng)

    def _marked(self, response: str, status: str, rng: Random) -> Mapping[str, Any] | None:
        document = Document.of(response)
        markers = [
            marker
            for marker in ("P.S.", "P.P.S")
            if self.judge(document, PostscriptKwargs(postscript_marker=marker), None).status == status
        ]
        return {"postscript_marker": rng.choice(markers)} if markers else None


register(NumberPlaceholders(), Postscript())
