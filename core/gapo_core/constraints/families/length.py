"""Words, sentences and paragraphs that a response must count, and the first word of one of them."""

import re
from collections.abc import Mapping, Sequence
from itertools import islice
from random import Random
from typing import TYPE_CHECKING, Any

import regex
from pydantic import Field, model_validator

from gapo_core.constraints import reference
from gapo_core.constraints.document import Document
from gapo_core.constraints.families.counting import Counted
from gapo_core.constraints.families.keywords import absent_words, whole
from gapo_core.constraints.registry import Family, Kwargs, Phrase, register
from gapo_core.constraints.relations import Relation, amount, holds
from gapo_core.constraints.types import Span, Verdict

if TYPE_CHECKING:
    from gapo_core.constraints.types import Constraint

_REFERENCE_WORD = re.compile(r"\w+")
_REFERENCE_DIVIDER = re.compile(r"\s?\*\*\*\s?")
_DIVIDER = re.compile(r"\*{3}(?<!\S\*{3})\**(?!\S)")
_MARKUP = re.compile(r"[\W_]*")


class WordsKwargs(Kwargs):
    num_words: int = Field(ge=0, description="the number of words it is compared with")
    relation: Relation


class NumberWords(Counted[WordsKwargs]):
    id = "length_constraints:number_words"
    kwargs = WordsKwargs
    example = '{"num_words": 300, "relation": "at least"}'
    limit, relation, noun, additive = "num_words", "relation", ("word", "words"), True
    phrasings = (
        "Answer with {limited}.",
        "Your response should contain {limited}.",
        "Write {limited}.",
        "The response must be {limited} long.",
    )

    def count(self, document: Document, kwargs: WordsKwargs) -> tuple[int, tuple[Span, ...]]:
        count = document.word_count
        if count <= kwargs.num_words:
            return count, ()
        # What goes beyond the limit, whether that is wanted or not.
        first = next(islice(document.word_pattern.finditer(document.text), kwargs.num_words, None))
        return count, document.part(first.start(), len(document.text.rstrip()))

    def compat(self, response: str, kwargs: WordsKwargs) -> bool:
        return holds(kwargs.relation, len(_REFERENCE_WORD.findall(response)), kwargs.num_words)


class SentencesKwargs(Kwargs):
    num_sentences: int = Field(ge=0, description="the number of sentences it is compared with")
    relation: Relation


class NumberSentences(Counted[SentencesKwargs]):
    id = "length_constraints:number_sentences"
    kwargs = SentencesKwargs
    example = '{"num_sentences": 10, "relation": "less than"}'
    limit, relation, noun = "num_sentences", "relation", ("sentence", "sentences")
    phrasings = (
        "Your response should contain {limited}.",
        "Answer in {limited}.",
        "Write {limited}.",
        "Use {limited} in your response.",
    )

    def count(self, document: Document, kwargs: SentencesKwargs) -> tuple[int, Sequence[Span]]:
        return len(document.sentences), document.sentences

    def compat(self, response: str, kwargs: SentencesKwargs) -> bool:
        observed = reference.sentences(response, enough=kwargs.num_sentences + 1)
        return holds(kwargs.relation, observed, kwargs.num_sentences)


class ParagraphsKwargs(Kwargs):
    num_paragraphs: int = Field(ge=1, description="the number of paragraphs")


class NumberParagraphs(Counted[ParagraphsKwargs]):
    id = "length_constraints:number_paragraphs"
    kwargs = ParagraphsKwargs
    example = '{"num_paragraphs": 3}'
    limit, fixed, noun = "num_paragraphs", "exactly", ("paragraph", "paragraphs")
    phrasings = (
        "There should be {count}. Paragraphs are separated with the markdown divider: ***",
        "Write {count}, separated by the markdown divider ***.",
        "Your response must have {count} with the markdown divider *** between them.",
    )

    def count(self, document: Document, kwargs: ParagraphsKwargs) -> tuple[int, tuple[Span, ...]]:
        paragraphs = tuple(document.between(_DIVIDER))
        return len(paragraphs), paragraphs

    def compat(self, response: str, kwargs: ParagraphsKwargs) -> bool:
        paragraphs = [part.strip() for part in _REFERENCE_DIVIDER.split(response)]
        first = 0 if paragraphs[0] else 1
        last = len(paragraphs) - (0 if paragraphs[-1] else 1)
        if not all(paragraphs[1:-1]):
            return False
        # A single blank part is both the first and the last, and is taken off once.
        return max(last - first, 0) == kwargs.num_paragraphs

    def wording(self, kwargs: ParagraphsKwargs) -> Mapping[str, object]:
        return {"count": amount(kwargs.num_paragraphs, *self.noun)}


class FirstWordKwargs(Kwargs):
    num_paragraphs: int = Field(ge=1, description="the number of paragraphs, separated by blank lines")
    nth_paragraph: int = Field(ge=1, description="which paragraph, counted from 1")
    first_word: Phrase = Field(description="the word that the paragraph starts with")

    @model_validator(mode="after")
    def _within(self) -> "FirstWordKwargs":
        if self.nth_paragraph > self.num_paragraphs:
            raise ValueError(f"nth_paragraph {self.nth_paragraph} is above num_paragraphs {self.num_paragraphs}")
        return self


class NthParagraphFirstWord(Family[FirstWordKwargs]):
    id = "length_constraints:nth_paragraph_first_word"
    kwargs = FirstWordKwargs
    example = '{"num_paragraphs": 3, "nth_paragraph": 2, "first_word": "weekend"}'
    phrasings = (
        "There should be {count}. Paragraphs and only paragraphs are separated with each other by two new lines. "
        "Paragraph {nth_paragraph} must start with word {first_word}.",
        "Write {count} with a blank line between paragraphs, and start paragraph {nth_paragraph} with the word "
        "{first_word}.",
        "Your response must have {count}, separated by blank lines; paragraph {nth_paragraph} has to begin with "
        "{first_word}.",
    )

    def judge(self, document: Document, kwargs: FirstWordKwargs, prompt: str | None) -> Verdict:
        paragraphs = document.paragraphs
        if len(paragraphs) != kwargs.num_paragraphs:
            reason = f"{amount(len(paragraphs), 'paragraph')} found where {kwargs.num_paragraphs} are wanted"
            return Verdict("violated", reason, len(paragraphs), paragraphs[:8])
        start, end = paragraphs[kwargs.nth_paragraph - 1]
        begun = whole(kwargs.first_word).match(document.plain, _letters_from(document, start), end)
        if begun:
            reason = f"paragraph {kwargs.nth_paragraph} starts with {kwargs.first_word}"
            return Verdict("satisfied", reason, len(paragraphs), (Span(*begun.span()),))
        reason = f"paragraph {kwargs.nth_paragraph} does not start with {kwargs.first_word}"
        return Verdict("violated", reason, len(paragraphs), document.part(start, min(end, start + 40)))

    def compat(self, response: str, kwargs: FirstWordKwargs) -> bool:
        paragraphs = response.split("\n\n")
        count = sum(1 for paragraph in paragraphs if paragraph.strip())
        # Blank parts are not counted, yet they are numbered.
        chosen = paragraphs[kwargs.nth_paragraph - 1].strip() if kwargs.nth_paragraph <= count else ""
        if not chosen:
            return False
        word = chosen.split()[0].lstrip("'").lstrip('"')
        return count == kwargs.num_paragraphs and re.split(r"[.,?!'\"]", word)[0].lower() == kwargs.first_word.lower()

    def satisfy(self, response: str, kwargs: FirstWordKwargs, rng: Random) -> Mapping[str, Any] | None:
        document = Document.of(response)
        starts = [
            (number, match.group())
            for number, (start, end) in enumerate(document.paragraphs, 1)
            if (match := _FIRST_WORD.match(document.plain, _letters_from(document, start), end))
        ]
        if not starts:
            return None
        number, word = rng.choice(starts)
        return {"num_paragraphs": len(document.paragraphs), "nth_paragraph": number, "first_word": word}

    def violate(self, response: str, kwargs: FirstWordKwargs, rng: Random) -> Mapping[str, Any] | None:
        count, absent = len(Document.of(response).paragraphs), absent_words(response)
        if count and absent:
            return {
                "num_paragraphs": count,
                "nth_paragraph": rng.randint(1, count),
                "first_word": rng.choice(absent),
            }
        return {**kwargs.model_dump(), "num_paragraphs": max(count + 1, kwargs.nth_paragraph)} if not count else None

    def requires(self, kwargs: FirstWordKwargs) -> tuple[str, ...]:
        return (kwargs.first_word,)

    def conflicts(self, this: "Constraint", other: "Constraint") -> bool:
        clash = this.id == other.id and (
            this.kwargs["num_paragraphs"] != other.kwargs["num_paragraphs"]
            or (
                this.kwargs["nth_paragraph"] == other.kwargs["nth_paragraph"]
                and not _one_starts_the_other(this.kwargs["first_word"], other.kwargs["first_word"])
            )
        )
        return clash or super().conflicts(this, other)

    def wording(self, kwargs: FirstWordKwargs) -> Mapping[str, object]:
        return {**super().wording(kwargs), "count": amount(kwargs.num_paragraphs, "paragraph")}


# As in `whole`, combining marks belong to words: Devanagari writes its vowels with them.
_FIRST_WORD = regex.compile(r"[\p{L}\p{N}][\p{L}\p{N}\p{M}]*(?:['-][\p{L}\p{N}\p{M}]+)*(?![\p{L}\p{N}\p{M}_])")


def _letters_from(document: Document, start: int) -> int:
    """Where the words of a paragraph begin, behind heading marks, bullets, emphasis and quotes."""
    found = _MARKUP.match(document.plain, start)
    return found.end() if found else start


def _one_starts_the_other(one: str, other: str) -> bool:
    one, other = one.lower(), other.lower()
    return one.startswith(other) or other.startswith(one)


register(NumberWords(), NumberSentences(), NumberParagraphs(), NthParagraphFirstWord())
