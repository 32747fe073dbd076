"""The bare words of a response, each found once for all constraints that look at words one by one."""

import re
import unicodedata
from functools import lru_cache
from string import punctuation
from typing import NamedTuple

from gapo_core.constraints.document import UNSPACED, Document, Span, encodable

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


@lru_cache(maxsize=256)
def bare_words(document: Document) -> tuple[Word, ...]:
    """The words of `Document.words` without the punctuation and the markup around them."""
    found = []
    for match in _BARE.finditer(document.plain):
        token = match.group()
        if token.isalnum() or _ALNUM.search(token):
            found.append(Word(token.lower(), *match.span()))
    return tuple(found)


@lru_cache(maxsize=256)
def vocabulary(document: Document) -> frozenset[str]:
    """The different bare words of a document."""
    found = set(_BARE.findall(document.plain))
    return frozenset(token.lower() for token in found if token.isalnum() or _ALNUM.search(token))


class Sentence(NamedTuple):
    """A sentence and its bare words, of which there is at least one."""

    span: Span
    words: tuple[Word, ...]


@lru_cache(maxsize=256)
def worded_sentences(document: Document) -> tuple[Sentence, ...]:
    """The sentences of a document with their words."""
    words, sentences, at = bare_words(document), [], 0
    for span in document.sentences:
        while at < len(words) and words[at].start < span.start:
            at += 1
        first = at
        while at < len(words) and words[at].start < span.end:
            at += 1
        if at > first:
            sentences.append(Sentence(span, words[first:at]))
    return tuple(sentences)


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
