"""The bare words of a response, each found once for all constraints that look at words one by one."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import islice
from string import punctuation
from typing import NamedTuple

from gapo_core.constraints.document import LONG, UNSPACED, Document, Rows, Span, encodable, remembered
from gapo_core.constraints.types import EVIDENCE_LIMIT

_EDGES = re.escape(punctuation + "“”„‟‘’‚‛«»‹›…–—―¿¡·•。、，！？：；（）［］｛｝「」『』")
_INNER, _EDGE = rf"[^\s—–―…{UNSPACED}]", rf"[^\s{UNSPACED}{_EDGES}]"
_BARE = re.compile(rf"[{UNSPACED}]|{_EDGE}(?:{_INNER}*{_EDGE})?")
_ALNUM = re.compile(r"[^\W_]")


class Word(NamedTuple):
    """`text` is lower case, with plain apostrophes and hyphens and without punctuation around it."""

    text: str
    start: int
    end: int

    @property
    def span(self) -> Span:
        return Span(self.start, self.end)


class _BareForms(dict[str, str]):
    """Tokens in lower case, each worked out once; empty for a token that is no word."""

    def __missing__(self, token: str) -> str:
        form = self[token] = token.lower() if token.isalnum() or _ALNUM.search(token) else ""
        return form


def _found(text: str) -> Iterator[tuple[str, int, int]]:
    """The fields of the bare words."""
    forms = _BareForms()
    return ((word, *match.span()) for match in _BARE.finditer(text) if (word := forms[match.group()]))


@remembered
def bare_words(document: Document) -> Sequence[Word]:
    """The words of `Document.words` without the punctuation and the markup around them."""
    return Rows.of(Word._make, list(_found(document.plain)))


@remembered
def vocabulary(document: Document) -> frozenset[str]:
    """The different bare words of a document."""
    forms = _BareForms()
    return frozenset(form for token in set(_BARE.findall(document.plain)) if (form := forms[token]))


def words_of(document: Document, kind: Callable[[str], bool]) -> Iterator[Word]:
    """The bare words of a kind; each different word is asked about once."""
    wanted = {word for word in vocabulary(document) if kind(word)}
    if len(document.text) > LONG:
        return map(Word._make, (fields for fields in _found(document.plain) if fields[0] in wanted) if wanted else ())
    return (word for word in bare_words(document) if word.text in wanted)


def counted(words: Iterable[Word]) -> tuple[int, tuple[Word, ...]]:
    """How many there are, and the first few, for evidence."""
    rest = iter(words)
    first = tuple(islice(rest, EVIDENCE_LIMIT))
    return len(first) + sum(1 for _ in rest), first


class Sentence(NamedTuple):
    """A sentence and its bare words, of which there is at least one."""

    span: Span
    words: tuple[Word, ...]


def worded_sentences(document: Document) -> Iterable[Sentence]:
    """The sentences of a document with their words; those of a long one are cut as they are asked for."""
    if len(document.text) <= LONG:
        return _worded(document)
    return _cut(document.cut_sentences(), map(Word._make, _found(document.plain)))


@remembered
def _worded(document: Document) -> tuple[Sentence, ...]:
    return tuple(_cut(document.sentences, iter(bare_words(document))))


def _cut(sentences: Iterable[tuple[int, int]], words: Iterator[Word]) -> Iterator[Sentence]:
    word = next(words, None)
    for start, end in sentences:
        held = []
        while word and word.start < end:
            if word.start >= start:
                held.append(word)
            word = next(words, None)
        if held:
            yield Sentence(Span(start, end), tuple(held))


@lru_cache(maxsize=65536)
def folded(text: str) -> str:
    """Lower case without accents: "Élan" is "elan"."""
    if text.isascii():
        return text.lower()
    return "".join(mark for mark in unicodedata.normalize("NFKD", text) if not unicodedata.combining(mark)).lower()


def writable(text: str) -> bool:
    """Whether a text can be a keyword argument: one with a lone surrogate cannot."""
    return encodable(text) == text


def initial(word: Word) -> str:
    """The first letter, lower case and without accent; empty where the word starts with a digit."""
    first = word.text[0]
    if not first.isascii():
        first = folded(first)[:1]
    return first if first.isalpha() else ""
