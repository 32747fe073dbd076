"""Markdown headings, lists and tables that a response must hold."""

from collections.abc import Sequence
from typing import NamedTuple

import pyromark
from pydantic import Field

from gapo_core.constraints.document import Document, Span, remembered
from gapo_core.constraints.families.counting import Counted
from gapo_core.constraints.registry import Kwargs, register
from gapo_core.constraints.relations import Relation
from gapo_core.constraints.types import EVIDENCE_LIMIT

_LONGEST = 131_072  # characters that are parsed
# HTML is text like any other, and no character but a line feed ends a line.
_PLAIN = str.maketrans("<\r\0", "?  ")


class Block(NamedTuple):
    """A heading (`size` is its level), a list (its items) or a table (its rows below the header)."""

    kind: str
    size: int
    columns: int
    ordered: bool
    span: Span


@remembered
def blocks(document: Document) -> tuple[Block, ...]:
    """The headings, lists and tables of the first 131,072 characters, in order of their end."""
    # Markdown's marks of blocks are ASCII; with one "?" for any other character the parser's bytes are characters.
    text = document.text[:_LONGEST].encode("ascii", "replace").decode().translate(_PLAIN)
    found: list[Block] = []
    stack: list[Block] = []
    for event, place in pyromark.events_with_range(text, options=pyromark.Options.ENABLE_TABLES):
        match event:
            case {"Text": _}:  # most events
                continue
            case {"Start": "Item" | "TableRow"}:
                stack[-1] = stack[-1]._replace(size=stack[-1].size + 1)
            case {"Start": {"List": number}}:
                stack.append(Block("list", 0, 0, number is not None, Span(place["start"], place["end"])))
            case {"Start": {"Table": columns}}:
                stack.append(Block("table", 0, len(columns), False, Span(place["start"], place["end"])))
            case {"End": {"List": _} | "Table"}:
                found.append(stack.pop())
            case {"Start": {"Heading": {"level": level}}}:
                found.append(Block("heading", int(level[1]), 0, False, Span(place["start"], place["end"])))
    return tuple(found)


def _shown(document: Document, found: Sequence[Block]) -> tuple[Span, ...]:
    """Where the first few blocks stand, without the line breaks behind them."""
    places = (block.span for block in found[:EVIDENCE_LIMIT])
    return tuple(Span(start, start + len(document.text[start:end].rstrip())) for start, end in places)


class HeadingKwargs(Kwargs):
    count: int = Field(ge=0, description="how many headings")
    relation: Relation
    level: int | None = Field(default=None, ge=1, le=6, description="the level counted, 1 for #; without one all are")


class Headings(Counted[HeadingKwargs]):
    id = "markdown:heading"
    kwargs = HeadingKwargs
    example = '{"count": 2, "relation": "at least"}'
    limit, relation, noun = "count", "relation", ("Markdown heading", "Markdown headings")
    phrasings = (
        "Use {limited}{which}.",
        "Structure your response with {limited}{which}.",
        "Your response must have {limited}{which}.",
    )

    def subject(self, kwargs: HeadingKwargs) -> object:
        return kwargs.level

    def count(self, document: Document, kwargs: HeadingKwargs) -> tuple[int, tuple[Span, ...]]:
        found = [b for b in blocks(document) if b.kind == "heading" and kwargs.level in (None, b.size)]
        return len(found), _shown(document, found)

    def wording(self, kwargs: HeadingKwargs) -> dict[str, object]:
        which = "" if kwargs.level is None else f" of level {kwargs.level}"
        return {**super().wording(kwargs), "which": which}


class ListKwargs(Kwargs):
    count: int = Field(ge=0, description="how many items, those of sublists included")
    relation: Relation
    ordered: bool | None = Field(
        default=None, description="whether numbered or bulleted items count; without it both do"
    )


class ListItems(Counted[ListKwargs]):
    id = "markdown:list"
    kwargs = ListKwargs
    example = '{"count": 3, "relation": "at least"}'
    limit, relation, noun = "count", "relation", ("list item", "list items")
    phrasings = (
        "Give {which} Markdown list with {limited}.",
        "Your response must hold {limited} in {which} Markdown list.",
        "Write {limited}, formatted as {which} Markdown list.",
    )

    def subject(self, kwargs: ListKwargs) -> object:
        return kwargs.ordered

    def count(self, document: Document, kwargs: ListKwargs) -> tuple[int, tuple[Span, ...]]:
        found = [b for b in blocks(document) if b.kind == "list" and kwargs.ordered in (None, b.ordered)]
        return sum(block.size for block in found), _shown(document, found)

    def wording(self, kwargs: ListKwargs) -> dict[str, object]:
        which = {None: "a", True: "a numbered", False: "a bulleted"}[kwargs.ordered]
        return {**super().wording(kwargs), "which": which}


class TableKwargs(Kwargs):
    count: int = Field(ge=0, description="how many tables")
    relation: Relation
    columns: int | None = Field(default=None, ge=1, description="the number of columns of the tables counted")
    rows: int | None = Field(
        default=None, ge=0, description="the number of rows below the header of the tables counted"
    )


class Tables(Counted[TableKwargs]):
    id = "markdown:table"
    kwargs = TableKwargs
    example = '{"count": 1, "relation": "at least"}'
    limit, relation, noun = "count", "relation", ("Markdown table", "Markdown tables")
    phrasings = (
        "Use {limited}{which}.",
        "Present your answer with {limited}{which}.",
        "Your response must contain {limited}{which}.",
    )

    def subject(self, kwargs: TableKwargs) -> object:
        return kwargs.columns, kwargs.rows

    def count(self, document: Document, kwargs: TableKwargs) -> tuple[int, tuple[Span, ...]]:
        tables = (block for block in blocks(document) if block.kind == "table")
        found = [t for t in tables if kwargs.columns in (None, t.columns) and kwargs.rows in (None, t.size)]
        return len(found), _shown(document, found)

    def wording(self, kwargs: TableKwargs) -> dict[str, object]:
        parts = [f"{n} {name}" for n, name in ((kwargs.columns, "columns"), (kwargs.rows, "rows")) if n is not None]
        return {**super().wording(kwargs), "which": " of " + " and ".join(parts) if parts else ""}


register(Headings(), ListItems(), Tables())
