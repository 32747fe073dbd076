"""A response with its words, sentences and paragraphs, each found once for all constraints."""

import re
from array import array
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache, wraps
from typing import Any, NamedTuple, TypeVar, overload

import sentencex

# One character for one character, so that spans found in the folded text count in the original.
_FOLDS = (
    ("‘’‚‛ʼ＇", "'"),
    ("“”„‟＂", '"'),
    ("\N{HYPHEN}\N{NON-BREAKING HYPHEN}", "-"),
    ("\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}\N{FIGURE SPACE}", " "),
)
_SURROGATES = dict.fromkeys(range(0xD800, 0xE000), "\N{REPLACEMENT CHARACTER}")

# Characters that nobody sees: soft hyphens, blanks and joiners without width.
UNSEEN = re.compile("[\u00ad\u200b-\u200d\u2060-\u2064\ufeff]+")

# A word goes from its first letter or digit to white space, a dash or an ellipsis. Scripts without spaces count
# by character, as word processors do.
UNSPACED = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_WORD = re.compile(r"[^\W_][^\s—–―…]*")
_CHARACTER = re.compile(f"[{UNSPACED}]")
_CHARACTER_OR_WORD = re.compile(rf"[{UNSPACED}]|[^\W_{UNSPACED}][^\s—–―…{UNSPACED}]*")
_LETTER = re.compile(r"[^\W\d_]")
_BLANK_LINES = re.compile(r"\n[^\S\n]*(?:\n[^\S\n]*)+")

# Lines that end where they end: headings, table rows, lines all in bold.
_WHOLE_LINE = re.compile(r"^[ \t]*(?:#{1,6}[ \t][^\n]*|\|[^\n]*\||\*\*[^*\n]+\*\*:?)[ \t]*$", re.MULTILINE)
# The segmenter is quadratic in texts that hold no sentence end it knows (thousands of code fences, ideographic full
# stops); a text longer than responses are goes to it in blocks, cut where a sentence can end.
LONG, _BLOCK = 16_384, 1_000  # characters
_CUTS = (re.compile(r"[.!?]\s+|[。！？]|\n[^\S\n]*\n"), re.compile(r"\n"))
_CLOSED = re.compile(r"[.!?][)\]]\s+(?=[A-Z\"“(])")


T = TypeVar("T")


class Span(NamedTuple):
    """Characters `start` … `end` (exclusive) of a text."""

    start: int
    end: int


class Rows(Sequence[T]):
    """Named tuples that are made of plain ones when they are looked at.

    A megabyte holds up to a million words; making objects of them all costs more than finding them does.
    """

    def __init__(self, make: Callable[[Any], T], rows: Sequence[tuple[Any, ...]]) -> None:
        self._make, self._rows = make, rows

    @staticmethod
    def of(make: Callable[[Any], T], rows: Sequence[tuple[Any, ...]]) -> Sequence[T]:
        """Of few rows all are made at once: most are looked at more than once."""
        return tuple(map(make, rows)) if len(rows) <= LONG else Rows(make, rows)

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> "Sequence[T]": ...
    def __getitem__(self, index: int | slice) -> T | Sequence[T]:
        return Rows(self._make, self._rows[index]) if isinstance(index, slice) else self._make(self._rows[index])

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[T]:
        return map(self._make, self._rows)


@dataclass(frozen=True)
class Document:
    """`text` is never changed; every span counts its characters."""

    text: str

    @staticmethod
    def of(text: str) -> "Document":
        """The document of a text; many constraints check the same response."""
        return _recent(text) if len(text) <= LONG else _recent_long(text)

    @cached_property
    def found(self) -> dict[Hashable, Any]:
        """What `remembered` functions found in the document."""
        return {}

    @cached_property
    def plain(self) -> str:
        """The text with typographic quotes, hyphens and spaces made plain, character for character."""
        text = self.text
        if not text.isascii():
            for typographic, plain in _FOLDS:
                for character in typographic:
                    text = text.replace(character, plain)
        return text

    @cached_property
    def seen(self) -> tuple[str, Sequence[int] | None]:
        """`plain` without the characters that nobody sees, and the place of each character that is left, or None where
        none was taken out."""
        if self.text.isascii() or not UNSEEN.search(self.text):
            return self.plain, None
        kept = array("L")
        end = 0
        for match in UNSEEN.finditer(self.text):
            kept.extend(range(end, match.start()))
            end = match.end()
        kept.extend(range(end, len(self.text)))
        return UNSEEN.sub("", self.plain), kept

    @cached_property
    def encodable(self) -> str:
        """The text with lone surrogates replaced, character for character, for libraries that take UTF-8."""
        return encodable(self.text)

    @property
    def word_pattern(self) -> "re.Pattern[str]":
        """Finds words as a person counts them: "don't", "well-known", "3.14" are one each; a bare symbol is none."""
        return _WORD if self.text.isascii() or not _CHARACTER.search(self.text) else _CHARACTER_OR_WORD

    @cached_property
    def words(self) -> Sequence[Span]:
        """The words, with the punctuation that follows them."""
        return Rows.of(Span._make, [match.span() for match in self.word_pattern.finditer(self.text)])

    @cached_property
    def word_count(self) -> int:
        return len(self.word_pattern.findall(self.text))

    @cached_property
    def sentences(self) -> Sequence[Span]:
        """Sentences; list items, headings and table rows are sentences without needing a full stop."""
        return Rows.of(Span._make, list(self.cut_sentences()))

    def cut_sentences(self) -> Iterator[tuple[int, int]]:
        """Start and end of each of the `sentences`, cut as they are asked for."""
        text, start = self.encodable, 0
        ends = {*(match.end() for match in _WHOLE_LINE.finditer(text)), *_blocks(text), len(text)}
        for end in sorted(ends):
            for piece in sentencex.segment("en", text[start:end]):
                for part in _closed_parts(piece) if ")" in piece or "]" in piece else (piece,):
                    if part[:1].isalpha() or _LETTER.search(part):
                        yield start + len(part) - len(part.lstrip()), start + len(part.rstrip())
                    start += len(part)

    @cached_property
    def paragraphs(self) -> tuple[Span, ...]:
        """Blocks between blank lines, without the white space around them."""
        return tuple(self.between(_BLANK_LINES))

    def between(self, separator: "re.Pattern[str]") -> list[Span]:
        """The non-blank parts between matches of a separator, without the white space around them."""
        spans, start = [], 0
        for end, following in (*(match.span() for match in separator.finditer(self.text)), (len(self.text),) * 2):
            part = self.text[start:end]
            if stripped := part.strip():
                left = start + part.index(stripped[0])
                spans.append(Span(left, left + len(stripped)))
            start = following
        return spans

    def part(self, start: int, end: int) -> tuple[Span, ...]:
        """The characters `start` … `end` as evidence, clipped to the text; none where nothing is left."""
        start, end = max(0, start), min(end, len(self.text))
        return (Span(start, end),) if start < end else ()

    def __getitem__(self, span: Span) -> str:
        return self.text[span.start : span.end]


@lru_cache(maxsize=256)
def _recent(text: str) -> Document:
    return Document(text)


@lru_cache(maxsize=4)  # what is found in a megabyte takes a hundred times its place
def _recent_long(text: str) -> Document:
    return Document(text)


def forget() -> None:
    """Drops the documents that `Document.of` keeps, and all that was found in them."""
    _recent.cache_clear()
    _recent_long.cache_clear()


def remembered(find: Callable[[Document], T]) -> Callable[[Document], T]:
    """A function whose result is kept with the document, and goes with it."""

    @wraps(find)
    def recalled(document: Document) -> T:
        if find not in document.found:
            document.found[find] = find(document)
        kept: T = document.found[find]
        return kept

    return recalled


def _blocks(text: str) -> list[int]:
    """Where a long text is cut: about every `_BLOCK` characters, but never where no sentence can end."""
    cuts: list[int] = []
    if len(text) <= LONG:
        return cuts
    for start in range(0, len(text), _BLOCK):
        for cut in _CUTS:
            if ends := [match.end() for match in cut.finditer(text, start, start + _BLOCK)]:
                cuts.append(ends[-1])
                break
    return cuts


def _closed_parts(piece: str) -> list[str]:
    """A piece cut after a closing bracket that ends a sentence, which the segmenter leaves joined."""
    cuts = [match.end() for match in _CLOSED.finditer(piece)]
    return [piece[start:end] for start, end in zip((0, *cuts), (*cuts, len(piece)), strict=True)]


def encodable(text: str) -> str:
    """The text with lone surrogates replaced, character for character."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.translate(_SURROGATES)
    return text


def relaxed(response: str) -> list[str]:
    """IFEval's loose protocol: without the first line, the last, both; each also without asterisks."""
    lines = response.split("\n")
    forms = [
        response,
        "\n".join(lines[1:]).strip(),
        "\n".join(lines[:-1]).strip(),
        "\n".join(lines[1:-1]).strip(),
    ]
    return forms + [form.replace("*", "") for form in forms]
