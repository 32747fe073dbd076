"""Markdown headings, lists and tables that a response must hold."""

from typing import NamedTuple

from markdown_it import MarkdownIt
from pydantic import Field

from gapo_core.constraints.document import Document, Span, remembered
from gapo_core.constraints.families.counting import Counted
from gapo_core.constraints.registry import Kwargs, register
from gapo_core.constraints.relations import Relation
from gapo_core.constraints.types import EVIDENCE_LIMIT

# Blocks only: what stands within a line does not change how many headings, lists and tables there are.
_PARSER = MarkdownIt("commonmark", {"html": False}).enable("table")
_PARSER.core.ruler.enableOnly(["normalize", "block"])
_LONGEST = 24_576  # characters that are parsed


class Block(NamedTuple):
    """A heading (`size` is its level), a list (its items) or a table (its rows below the header)."""

    kind: str
    size: int
    columns: int
    ordered: bool
    span: Span


@remembered
def blocks(document: Document) -> tuple[Block, ...]:
    """The headings, lists and tables of the first 24,576 characters, in order of their end."""
    text = document.text[:_LONGEST].replace("\r", " ").replace("\0", " ")  # one character for one
    starts = [0]
    for line in text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    found: list[Block] = []
    stack: list[dict[str, int]] = []
    for token in _PARSER.parse(text):
        kind = token.type.removesuffix("_open").removesuffix("_close")
        if kind in ("bullet_list", "ordered_list", "table"):
            if token.nesting == 1:
                first, last = token.map or (0, 0)
                stack.append(
                    {"start": starts[first], "end": starts[min(last, len(starts) - 1)] - 1, "size": 0, "columns": 0}
                )
            else:
                open_ = stack.pop()
                name = "table" if kind == "table" else "list"
                span = Span(open_["start"], max(open_["start"] + 1, min(open_["end"], len(text))))
                found.append(Block(name, open_["size"], open_["columns"], kind == "ordered_list", span))
        elif token.type == "heading_open":
            first, last = token.map or (0, 0)
            end = min(starts[min(last, len(starts) - 1)] - 1, len(text))
            found.append(
                Block("heading", int(token.tag[1]), 0, False, Span(starts[first], max(starts[first] + 1, end)))
            )
        elif stack and token.type in ("list_item_open", "tr_open", "th_open"):
            stack[-1]["columns" if token.type == "th_open" else "size"] += 1
    return tuple(b._replace(size=b.size - 1) if b.kind == "table" else b for b in found)


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
        found = [b.span for b in blocks(document) if b.kind == "heading" and kwargs.level in (None, b.size)]
        return len(found), tuple(found[:EVIDENCE_LIMIT])

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
        return sum(block.size for block in found), tuple(block.span for block in found[:EVIDENCE_LIMIT])

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
        found = [t.span for t in tables if kwargs.columns in (None, t.columns) and kwargs.rows in (None, t.size)]
        return len(found), tuple(found[:EVIDENCE_LIMIT])

    def wording(self, kwargs: TableKwargs) -> dict[str, object]:
        parts = [f"{n} {name}" for n, name in ((kwargs.columns, "columns"), (kwargs.rows, "rows")) if n is not None]
        return {**super().wording(kwargs), "which": " of " + " and ".join(parts) if parts else ""}


register(Headings(), ListItems(), Tables())
