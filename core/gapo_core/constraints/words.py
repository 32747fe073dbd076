"""The bare words of a response, each found once for all constraints that look at words one by one."""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import islice, pairwise
from string import punctuation
from typing import NamedTuple

from gapo_core.constraints.document import LONG, UNSPACED, Document, Rows, Span, encodable, remembered
from gapo_core.constraints.types import EVIDENCE_LIMIT

_EDGES = re.escape(punctuation + "“”„‟‘’‚‛«»‹›…–—―¿¡·•。、，！？：；（）［］｛｝「」『』")
_INNER, _EDGE = rf"[^\s—–―…{UNSPACED}]", rf"[^\s{UNSPACED}{_EDGES}]"
_BARE = re.compile(rf"[{UNSPACED}]|{_EDGE}(?:{_INNER}*{_EDGE})?")
_ALNUM = re.compile(r"[^\W_]")
_BREAK = re.compile(rf"[\s—–―…{UNSPACED}]")  # no word goes on across one
_TAIL = 128  # characters from the end in which the last words are looked for first


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


def _found(text: str, start: int = 0) -> Iterator[tuple[str, int, int]]:
    """The fields of the bare words."""
    forms = _BareForms()
    return ((word, *match.span()) for match in _BARE.finditer(text, start) if (word := forms[match.group()]))


@remembered
def bare_words(document: Document) -> Sequence[Word]:
    """The words of `Document.words` without the punctuation and the markup around them."""
    return Rows.of(Word._make, list(_found(document.plain)))


@remembered
def word_texts(document: Document) -> list[str]:
    """The text of each bare word, in order; found several times faster than where they stand."""
    forms = _BareForms()
    return [form for token in _BARE.findall(document.plain) if (form := forms[token])]


@remembered
def vocabulary(document: Document) -> Mapping[str, int]:
    """The different bare words of a document, in the order in which they are first used, and how often each is."""
    return Counter(word_texts(document))


@remembered
def written_words(document: Document) -> Mapping[str, int]:
    """`vocabulary` with the capitals that are written."""
    counts = Counter(_BARE.findall(document.plain))
    return {token: count for token, count in counts.items() if token.isalnum() or _ALNUM.search(token)}


def each_word(document: Document) -> Iterator[Word]:
    """The bare words, those of a long document found as they are asked for."""
    return iter(bare_words(document)) if len(document.text) <= LONG else map(Word._make, _found(document.plain))


def last_words(text: str, count: int) -> list[Word]:
    """The last bare words of a plain text, at least `count` where there are as many."""
    reach = _TAIL
    while reach < len(text):
        cut = _BREAK.search(text, len(text) - reach)
        if cut and len(found := list(_found(text, cut.start()))) >= count:
            return list(map(Word._make, found))
        reach *= 4
    return list(map(Word._make, _found(text)))


def edge_words(text: str) -> tuple[Word, Word] | None:
    """The first and the last bare word of a plain text; None where it holds no word."""
    first = next(_found(text), None)
    return (Word._make(first), last_words(text, 1)[-1]) if first else None


def words_of(document: Document, kind: Callable[[str], bool]) -> Iterator[Word]:
    """The bare words of a kind; each different word is asked about once."""
    wanted = {word for word in vocabulary(document) if kind(word)}
    return (word for word in each_word(document) if word.text in wanted) if wanted else iter(())


def counted(words: Iterable[Word]) -> tuple[int, tuple[Word, ...]]:
    """How many there are, and the first few, for evidence."""
    rest = iter(words)
    first = tuple(islice(rest, EVIDENCE_LIMIT))
    return len(first) + sum(1 for _ in rest), first


def counted_of(document: Document, kind: Callable[[str], bool]) -> tuple[int, tuple[Word, ...]]:
    """`counted` for the words of a kind, of which no more are found than are shown."""
    count = sum(times for word, times in vocabulary(document).items() if kind(word))
    return count, tuple(islice(words_of(document, kind), min(count, EVIDENCE_LIMIT)))


def neighbours(document: Document, kind: Callable[[Word, Word], bool], count: int) -> tuple[tuple[Word, Word], ...]:
    """The first few pairs of neighbouring words of a kind, of which there are `count`."""
    pairs = (pair for pair in pairwise(each_word(document)) if kind(*pair))
    return tuple(islice(pairs, min(count, EVIDENCE_LIMIT)))


class Sentence(NamedTuple):
    """A sentence and its bare words, of which there is at least one."""

    span: Span
    words: tuple[Word, ...]


def worded_sentences(document: Document) -> Iterable[Sentence]:
    """The sentences of a document with their words; those of a long one are cut as they are asked for."""
    if len(document.text) <= LONG:
        return _worded(document)
    return _cut(document.cut_sentences(), each_word(document))


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


def initial(word: str) -> str:
    """The first letter, lower case and without accent; empty where the word starts with a digit."""
    first = word[0]
    if not first.isascii():
        first = folded(first)[:1]
    return first if first.isalpha() else ""
