"""Demands on the letters of every word: its first letter, its length, its vowels and consonants, its script."""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import islice, pairwise
from random import Random
from typing import Any

from pydantic import Field

from gapo_core.constraints import nltk_compat
from gapo_core.constraints.document import Document, Rows, remembered
from gapo_core.constraints.families.counting import Counted
from gapo_core.constraints.families.inventory import Whole
from gapo_core.constraints.registry import Family, Kwargs, NoKwargs, Plain, register
from gapo_core.constraints.relations import amount, listed
from gapo_core.constraints.types import EVIDENCE_LIMIT, Span, Verdict
from gapo_core.constraints.words import (
    Word,
    bare_words,
    counted_of,
    folded,
    initial,
    neighbours,
    vocabulary,
    word_texts,
    words_of,
)

_ALPHABET = "abcdefghijklmnopqrstuvwxyz"
_NO_WORDS = Verdict("violated", "the response holds no word", 0)
# "y" is a consonant where a vowel follows ("canyon") and a vowel elsewhere ("my").
_CLUSTER = re.compile(r"(?:[b-df-hj-np-tv-xz]|y(?=[aeiou])){2}")
_REFERENCE_CLUSTER = re.compile(r"[b-df-hj-np-tv-z]{2}")
# Latin letters by the vowel that they are without accent.
_LATIN = [chr(code) for code in (*range(0x41, 0x250), *range(0x1E00, 0x1F00))]
_VOWELS = {vowel: re.compile(f"[{''.join(mark for mark in _LATIN if folded(mark)[:1] == vowel)}]") for vowel in "aeiou"}
_VOWEL = re.compile(r"[aeiou]")
_REFERENCE_JAPANESE = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")
_JAPANESE = re.compile(r"[\u3041-\u3096\u30a1-\u30fa\u30fc\u3005\u3400-\u4dbf\u4e00-\u9fff\uff66-\uff9f]")
_CHUNK = re.compile(r"\S+")
_ALNUM = re.compile(r"[^\W_]")


def _at(words: Iterable[Word]) -> tuple[Span, ...]:
    return tuple(word.span for word in words)[:EVIDENCE_LIMIT]


class AlphabetLoop(Plain):
    id = "words:alphabet"
    phrasings = (
        "Each word in your response must start with the next letter of the alphabet, looping back to 'A' after 'Z'.",
        "Start every word with the letter that follows the first letter of the word before it; A follows Z.",
        "The first letters of your words must run through the alphabet in order, again from A after Z.",
    )

    def judge(self, document: Document, kwargs: NoKwargs, prompt: str | None) -> Verdict:
        words = bare_words(document)
        if not words:
            return _NO_WORDS
        first = _ALPHABET.find(initial(words[0].text) or " ")
        for number, word in enumerate(words):
            wanted = _ALPHABET[(first + number) % 26]
            if first < 0 or initial(word.text) != wanted:
                reason = f"word {number + 1} is {word.text}" + (f" where {wanted} is wanted" if first >= 0 else "")
                return Verdict("violated", reason, number, (word.span,))
        return Verdict("satisfied", f"{amount(len(words), 'word')} follow the alphabet", len(words))

    def compat(self, response: str, kwargs: NoKwargs) -> bool:
        firsts = [word[0].lower() for word in nltk_compat.unpunctuated(response).split()]
        if not firsts or firsts[0] not in _ALPHABET:
            return False
        start = _ALPHABET.index(firsts[0])
        return all(first == _ALPHABET[(start + number) % 26] for number, first in enumerate(firsts))


class NoConsecutiveFirstLetter(Plain):
    id = "words:no_consecutive"
    phrasings = (
        "No two consecutive words can share the same first letter.",
        "Neighbouring words in your response must not start with the same letter.",
        "Never write two words in a row that begin with the same letter.",
    )

    def judge(self, document: Document, kwargs: NoKwargs, prompt: str | None) -> Verdict:
        letters = {word: initial(word) for word in vocabulary(document)}
        along = pairwise(map(letters.__getitem__, word_texts(document)))
        count = sum(1 for one, two in along if one and one == two)
        if not count:
            return Verdict("satisfied", "no two neighbours share their first letter", 0)
        alike = neighbours(document, lambda one, two: letters[one.text] == letters[two.text] != "", count)
        where = tuple(Span(one.start, two.end) for one, two in alike)
        pair = " and ".join(word.text for word in alike[0])
        return Verdict("violated", f"{pair} share their first letter", count, where)

    def compat(self, response: str, kwargs: NoKwargs) -> bool:
        firsts = [word[0] for word in nltk_compat.unpunctuated(response.lower()).split()]
        return all(one != two for one, two in pairwise(firsts))


class ThreeVowels(Plain):
    id = "words:vowel"
    phrasings = (
        "Write a paragraph using words that contain only three types of vowels.",
        "Answer in one paragraph that uses no more than three of the vowels a, e, i, o and u.",
        "Your response must be a single paragraph whose words use only three different vowels.",
    )

    def judge(self, document: Document, kwargs: NoKwargs, prompt: str | None) -> Verdict:
        if len(document.paragraphs) != 1:
            return Verdict("violated", f"the response has {amount(len(document.paragraphs), 'paragraph')}, not one")
        found = {vowel: pattern.search(document.text) for vowel, pattern in _VOWELS.items()}
        first = {vowel: match.start() for vowel, match in found.items() if match}
        used = sorted(first, key=lambda vowel: first[vowel])
        where = tuple(Span(first[vowel], first[vowel] + 1) for vowel in used)
        kept = len(used) <= 3
        reason = f"{amount(len(used), 'vowel')} used: {listed(used)}" if used else "no vowel is used"
        return Verdict("satisfied" if kept else "violated", reason, used, where)

    def compat(self, response: str, kwargs: NoKwargs) -> bool:
        text = response.strip().lower()
        return "\n" not in text and len(set(_VOWEL.findall(text))) <= 3


class ConsonantClusters(Plain):
    id = "words:consonants"
    phrasings = (
        "Ensure each word in your response has at least one consonant cluster (two or more consonants together).",
        "Every word you write must contain two or more consonants in a row.",
        "Use only words with at least one group of neighbouring consonants.",
    )

    def judge(self, document: Document, kwargs: NoKwargs, prompt: str | None) -> Verdict:
        count, without = counted_of(document, lambda word: not word.isdigit() and not _clustered(word))
        if count:
            return Verdict("violated", f"{without[0].text} has no consonant cluster", count, _at(without))
        words = not all(map(str.isdigit, vocabulary(document)))
        return Verdict("satisfied", "every word has a consonant cluster", 0) if words else _NO_WORDS

    def compat(self, response: str, kwargs: NoKwargs) -> bool:
        return all(_REFERENCE_CLUSTER.search(word) for word in response.lower().split())


@lru_cache(maxsize=16384)
def _clustered(word: str) -> bool:
    return _CLUSTER.search(folded(word)) is not None


class Palindromes(Plain):
    id = "words:palindrome"
    phrasings = (
        "Include at least 10 single-word palindromes, each at least 5 characters long.",
        "Use ten or more different palindromes of five or more letters in your response.",
        "Your response must contain at least 10 words of 5 letters or more that read the same backwards.",
    )

    def judge(self, document: Document, kwargs: NoKwargs, prompt: str | None) -> Verdict:
        first: dict[str, Word] = {}
        for word in bare_words(document):
            text = word.text
            if len(text) >= 5 and text[0] == text[-1] and text == text[::-1] and text.isalpha():
                first.setdefault(text, word)
        reason = f"{amount(len(first), 'different palindrome')} found where 10 are wanted"
        return Verdict("satisfied" if len(first) >= 10 else "violated", reason, len(first), _at(first.values()))

    def compat(self, response: str, kwargs: NoKwargs) -> bool:
        # The same word ten times will do, and so will "12321".
        words = nltk_compat.unpunctuated(response).lower().split()
        return sum(len(word) >= 5 and word == word[::-1] for word in words) >= 10


class PrimeLengths(Plain):
    id = "words:prime_lengths"
    phrasings = (
        "Use only words with lengths that are prime numbers.",
        "Every word in your response must have a prime number of letters.",
        "Write with words of 2, 3, 5, 7, 11 or another prime number of letters only.",
    )

    def judge(self, document: Document, kwargs: NoKwargs, prompt: str | None) -> Verdict:
        count, wrong = counted_of(document, lambda word: not _prime(_letters(word)))
        if count:
            reason = f"{wrong[0].text[:40]} has {_letters(wrong[0].text)} letters"
            return Verdict("violated", reason, count, _at(wrong))
        if not vocabulary(document):
            return _NO_WORDS
        return Verdict("satisfied", "every word has a prime number of letters", 0)

    def compat(self, response: str, kwargs: NoKwargs) -> bool:
        return all(len(word) < 100 and _prime(len(word)) for word in nltk_compat.unpunctuated(response).split())


def _letters(word: str) -> int:
    return len(word) if word.isalnum() else sum(map(str.isalnum, word))


@lru_cache(maxsize=1024)
def _prime(number: int) -> bool:
    return number > 1 and all(number % divisor for divisor in range(2, int(number**0.5) + 1))


class RepeatsKwargs(Kwargs):
    small_n: Whole = Field(ge=1, description="how often a word may stand in the response")


class Repeats(Counted[RepeatsKwargs]):
    id = "words:repeats"
    example = '{"small_n": 2}'
    kwargs = RepeatsKwargs
    limit, fixed, noun = "small_n", "at most", ("use of one word", "uses of one word")
    phrasings = (
        "The response should not repeat any word more than {small_n} times.",
        "Use no word more than {times} in your response.",
        "Every word may occur at most {times}.",
    )

    def count(self, document: Document, kwargs: RepeatsKwargs) -> tuple[int, tuple[Span, ...]]:
        times = vocabulary(document)
        most = max(times, key=times.__getitem__, default="")
        return times.get(most, 0), _at(islice(words_of(document, most.__eq__), EVIDENCE_LIMIT))

    def compat(self, response: str, kwargs: RepeatsKwargs) -> bool:
        words = nltk_compat.unpunctuated(response.lower()).split()
        counts: dict[str, int] = {}
        for word in words:
            counts[word] = counts.get(word, 0) + 1
        return max(counts.values(), default=0) <= kwargs.small_n

    def wording(self, kwargs: RepeatsKwargs) -> dict[str, object]:
        return {**super().wording(kwargs), "times": amount(kwargs.small_n, "time")}


class JapaneseKwargs(Kwargs):
    N: Whole = Field(ge=1, description="every how many words one must be Japanese")


class JapaneseWords(Family[JapaneseKwargs]):
    id = "count:words_japanese"
    example = '{"N": 5}'
    kwargs = JapaneseKwargs
    phrasings = (
        "Every {N}th word of your response must be in Japanese.",
        "Write word number {N}, and every {N}th word after it, in Japanese.",
        "Make each {N}th word of your answer a Japanese one.",
    )

    def judge(self, document: Document, kwargs: JapaneseKwargs, prompt: str | None) -> Verdict:
        chunks = _chunks(document)
        chosen = chunks[kwargs.N - 1 :: kwargs.N]
        if not chosen:
            return Verdict("violated", f"the response has {amount(len(chunks), 'word')}, fewer than {kwargs.N}", 0)
        wrong = [span for span in chosen if not _JAPANESE.search(document.text, *span)]
        if wrong:
            reason = f"{document[wrong[0]][:40]} stands where a Japanese word is wanted"
            return Verdict("violated", reason, len(wrong), tuple(wrong[:EVIDENCE_LIMIT]))
        return Verdict("satisfied", "every chosen word is Japanese", 0, tuple(chosen[:EVIDENCE_LIMIT]))

    def compat(self, response: str, kwargs: JapaneseKwargs) -> bool:
        chosen = (word.strip(nltk_compat.PUNCTUATION) for word in response.split()[kwargs.N - 1 :: kwargs.N])
        return all(not word or word.isdigit() or _REFERENCE_JAPANESE.search(word) for word in chosen)

    def satisfy(self, response: str, kwargs: JapaneseKwargs, rng: Random) -> Mapping[str, Any] | None:
        return self._sampled(response, "satisfied", rng)

    def violate(self, response: str, kwargs: JapaneseKwargs, rng: Random) -> Mapping[str, Any] | None:
        return self._sampled(response, "violated", rng)

    def _sampled(self, response: str, status: str, rng: Random) -> Mapping[str, Any] | None:
        document = Document.of(response)
        for n in rng.sample(range(1, 31), 30):
            if self.judge(document, JapaneseKwargs(N=n), None).status == status:
                return {"N": n}
        return None


@remembered
def _chunks(document: Document) -> Sequence[Span]:
    """Words between blanks, as one counts them in a text of mixed scripts."""
    matches = _CHUNK.finditer(document.text)
    chunks = [match.span() for match in matches if match.group().isalnum() or _ALNUM.search(match.group())]
    return Rows.of(Span._make, chunks)


register(
    AlphabetLoop(),
    NoConsecutiveFirstLetter(),
    ThreeVowels(),
    ConsonantClusters(),
    Palindromes(),
    PrimeLengths(),
    Repeats(),
    JapaneseWords(),
)
