"""Words and letters that a response must hold, must not hold, or must hold so many times."""

import unicodedata
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import islice
from random import Random
from typing import Any

import regex
from pydantic import Field

from gapo_core.constraints import reference
from gapo_core.constraints.document import UNSEEN, Document
from gapo_core.constraints.families.counting import Counted
from gapo_core.constraints.registry import Family, Kwargs, Phrase, register
from gapo_core.constraints.relations import Relation, holds, interval, listed
from gapo_core.constraints.types import EVIDENCE_LIMIT, Span, Verdict

_UNSPACED = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]")
_WORDLIKE = regex.compile(r"[\p{L}\p{N}\p{M}]")
_CONTENT_WORD = regex.compile(r"(?<![\p{L}\p{N}\p{M}'’_-])[\p{L}\p{M}]{4,24}(?![\p{L}\p{N}\p{M}'’_-])")
_ABSENT = ("lantern", "orchid", "granite", "harbour", "violin", "compass", "meadow", "thimble", "walnut", "glacier")


@lru_cache(maxsize=4096)
def whole(phrase: str) -> "regex.Pattern[str]":
    """A pattern for the phrase as whole words, whatever its case, spacing and typography; for `Document.plain`.

    Letters match with their accents composed or decomposed: "é" is one character or two.

    Combining marks belong to words. Scripts written without spaces have no word boundary to look for.
    """
    parts = Document.of(phrase).plain.split()
    bounded = [_WORDLIKE.match(edge) and not _UNSPACED.match(edge) for edge in (parts[0][0], parts[-1][-1])]
    before = r"(?<![\p{L}\p{N}\p{M}])" if bounded[0] else ""
    after = r"(?![\p{L}\p{N}\p{M}])" if bounded[1] else ""
    return regex.compile(before + r"\s+".join(map(_either_form, parts)) + after, regex.IGNORECASE)


def _either_form(word: str) -> str:
    forms = dict.fromkeys((word, unicodedata.normalize("NFC", word), unicodedata.normalize("NFD", word)))
    alternatives = "|".join(map(regex.escape, forms))
    return alternatives if len(forms) == 1 else f"(?:{alternatives})"


def occurrences(phrase: str, document: Document) -> Iterator[Span]:
    """Where the phrase stands as `whole` finds it, in order.

    Characters that nobody sees, such as soft hyphens, are looked past: they may stand within a word or between two.
    """
    as_written = (Span(*match.span()) for match in whole(phrase).finditer(document.plain))
    seen, places = document.seen
    if places is None:
        return as_written
    found = whole(UNSEEN.sub("", phrase) or phrase).finditer(seen)
    as_seen = (Span(places[match.start()], places[match.end() - 1] + 1) for match in found)
    return iter(sorted({*as_written, *as_seen}))


def content_words(response: str) -> list[str]:
    """The distinct words of a response that a person might ask for, in order of their first use."""
    return list(dict.fromkeys(word.lower() for word in _CONTENT_WORD.findall(response[:20_000])))


def absent_words(response: str) -> list[str]:
    document = Document.of(response)
    return [word for word in _ABSENT if not whole(word).search(document.plain)]


class ExistenceKwargs(Kwargs):
    keywords: tuple[Phrase, ...] = Field(min_length=1, strict=False, description="words that must all be there")


class Existence(Family[ExistenceKwargs]):
    id = "keywords:existence"
    kwargs = ExistenceKwargs
    quotes = ("keywords",)
    example = '{"keywords": ["river", "bridge"]}'
    phrasings = (
        "Include keywords {keywords} in the response.",
        "Make sure to use {keywords} in your answer.",
        "Your response must mention {keywords}.",
        "Use the following words in your response: {keywords}.",
    )

    def judge(self, document: Document, kwargs: ExistenceKwargs, prompt: str | None) -> Verdict:
        found = {word: next(occurrences(word, document), None) for word in kwargs.keywords}
        missing = [word for word, place in found.items() if place is None]
        where = tuple(islice((place for place in found.values() if place), EVIDENCE_LIMIT))
        if missing:
            return Verdict(
                "violated", f"{listed(missing)} {'is' if len(missing) == 1 else 'are'} missing", missing, where
            )
        return Verdict("satisfied", "every keyword is there", [], where)

    def compat(self, response: str, kwargs: ExistenceKwargs) -> bool:
        return all(reference.occurrences(word, response) for word in kwargs.keywords)

    def satisfy(self, response: str, kwargs: ExistenceKwargs, rng: Random) -> Mapping[str, Any] | None:
        words = content_words(response)
        return {"keywords": rng.sample(words, min(len(words), len(kwargs.keywords)))} if words else None

    def violate(self, response: str, kwargs: ExistenceKwargs, rng: Random) -> Mapping[str, Any] | None:
        absent, present = absent_words(response), content_words(response)
        if not absent:
            return None
        kept = rng.sample(present, min(len(present), len(kwargs.keywords) - 1))
        keywords = [*kept, rng.choice(absent)]
        rng.shuffle(keywords)
        return {"keywords": keywords}

    def requires(self, kwargs: ExistenceKwargs) -> tuple[str, ...]:
        return kwargs.keywords


class ForbiddenKwargs(Kwargs):
    forbidden_words: tuple[Phrase, ...] = Field(min_length=1, strict=False, description="words that must not be there")


class ForbiddenWords(Family[ForbiddenKwargs]):
    id = "keywords:forbidden_words"
    kwargs = ForbiddenKwargs
    quotes = ("forbidden_words",)
    example = '{"forbidden_words": ["rock", "stone"]}'
    phrasings = (
        "Do not include keywords {forbidden_words} in the response.",
        "Avoid using {forbidden_words} in your answer.",
        "Your response must not mention {forbidden_words}.",
        "Refrain from using the following words: {forbidden_words}.",
    )

    def judge(self, document: Document, kwargs: ForbiddenKwargs, prompt: str | None) -> Verdict:
        found = {word: next(occurrences(word, document), None) for word in kwargs.forbidden_words}
        present = [word for word, place in found.items() if place]
        where = tuple(islice((place for place in found.values() if place), EVIDENCE_LIMIT))
        if present:
            return Verdict("violated", f"{listed(present)} {'is' if len(present) == 1 else 'are'} used", present, where)
        return Verdict("satisfied", "no forbidden word is used", [], ())

    def compat(self, response: str, kwargs: ForbiddenKwargs) -> bool:
        return not any(reference.occurrences(word, response, r"\b{}\b") for word in kwargs.forbidden_words)

    def satisfy(self, response: str, kwargs: ForbiddenKwargs, rng: Random) -> Mapping[str, Any] | None:
        absent = absent_words(response)
        return (
            {"forbidden_words": rng.sample(absent, min(len(absent), len(kwargs.forbidden_words)))} if absent else None
        )

    def violate(self, response: str, kwargs: ForbiddenKwargs, rng: Random) -> Mapping[str, Any] | None:
        absent, present = absent_words(response), content_words(response)
        if not present:
            return None
        words = [*rng.sample(absent, min(len(absent), len(kwargs.forbidden_words) - 1)), rng.choice(present)]
        rng.shuffle(words)
        return {"forbidden_words": words}

    def forbids(self, text: str, kwargs: ForbiddenKwargs) -> bool:
        return self.judge(Document.of(text), kwargs, None).status == "violated"


class FrequencyKwargs(Kwargs):
    keyword: Phrase = Field(description="the word to count")
    frequency: int = Field(ge=0, description="the number of times it is compared with")
    relation: Relation


class Frequency(Counted[FrequencyKwargs]):
    id = "keywords:frequency"
    kwargs = FrequencyKwargs
    quotes = ("keyword",)
    example = '{"keyword": "river", "frequency": 3, "relation": "at least"}'
    limit, relation, noun, additive = "frequency", "relation", ("time", "times"), True
    phrasings = (
        "In your response, the word {keyword} should appear {limited}.",
        "Use the word {keyword} {limited}.",
        "The word {keyword} must be mentioned {limited} in your answer.",
        "Mention {keyword} {limited} in your response.",
    )

    def subject(self, kwargs: FrequencyKwargs) -> object:
        return kwargs.keyword.lower()

    def count(self, document: Document, kwargs: FrequencyKwargs) -> tuple[int, tuple[Span, ...]]:
        found = list(occurrences(kwargs.keyword, document))
        return len(found), tuple(found[:EVIDENCE_LIMIT])

    def compat(self, response: str, kwargs: FrequencyKwargs) -> bool:
        observed = reference.occurrences(kwargs.keyword.strip(), response)
        return holds(kwargs.relation, observed, kwargs.frequency)

    def limited(self, response: str, kwargs: FrequencyKwargs, wanted: bool, rng: Random) -> Mapping[str, Any] | None:
        if (same := super().limited(response, kwargs, wanted, rng)) is not None:
            return same
        words = content_words(response)  # "less than" is never violated by a word that is not there
        if not words:
            return None
        return super().limited(response, kwargs.model_copy(update={"keyword": rng.choice(words)}), wanted, rng)

    def requires(self, kwargs: FrequencyKwargs) -> tuple[str, ...]:
        return (kwargs.keyword,) if interval(kwargs.relation, kwargs.frequency)[0] > 0 else ()


class LetterKwargs(Kwargs):
    letter: str = Field(min_length=1, max_length=1, pattern=r"^\S$", description="the character to count")
    let_frequency: int = Field(ge=0, description="the number of times it is compared with")
    let_relation: Relation


class LetterFrequency(Counted[LetterKwargs]):
    id = "keywords:letter_frequency"
    kwargs = LetterKwargs
    example = '{"letter": "e", "let_frequency": 40, "let_relation": "less than"}'
    limit, relation, noun, additive = "let_frequency", "let_relation", ("time", "times"), True
    phrasings = (
        "In your response, the letter {letter} should appear {limited}.",
        "Use the letter {letter} {limited} in your answer.",
        "The letter {letter} must occur {limited}.",
    )

    def subject(self, kwargs: LetterKwargs) -> object:
        return kwargs.letter.lower()

    def count(self, document: Document, kwargs: LetterKwargs) -> tuple[int, tuple[Span, ...]]:
        cases = {kwargs.letter, kwargs.letter.lower(), kwargs.letter.upper()}
        letters = {case for case in cases if len(case) == 1}  # "ß".upper() is "SS", another letter twice
        text = document.text
        observed = sum(map(text.count, letters))
        return observed, _positions(text, letters) if observed else ()

    def compat(self, response: str, kwargs: LetterKwargs) -> bool:
        # The first release of the reference draws a random letter in place of "#" or "!"; later ones count it.
        return holds(kwargs.let_relation, response.lower().count(kwargs.letter.lower()), kwargs.let_frequency)

    def limited(self, response: str, kwargs: LetterKwargs, wanted: bool, rng: Random) -> Mapping[str, Any] | None:
        if (same := super().limited(response, kwargs, wanted, rng)) is not None:
            return same
        present = sorted(set(response[:20_000].lower()) & set("abcdefghijklmnopqrstuvwxyz"))
        if not present:
            return None
        return super().limited(response, kwargs.model_copy(update={"letter": rng.choice(present)}), wanted, rng)

    def requires(self, kwargs: LetterKwargs) -> tuple[str, ...]:
        return (kwargs.letter,) if interval(kwargs.let_relation, kwargs.let_frequency)[0] > 0 else ()


def _positions(text: str, letters: set[str], most: int = 16) -> tuple[Span, ...]:
    """Where the first few occurrences are; letters are many, so that a few show the point."""
    pattern = regex.compile("|".join(map(regex.escape, sorted(letters))))
    return tuple(Span(*match.span()) for match, _ in zip(pattern.finditer(text), range(most), strict=False))


register(Existence(), ForbiddenWords(), Frequency(), LetterFrequency())
