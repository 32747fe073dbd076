"""Words that must stand at a place: in a sentence, at a position, in the span to copy."""

import re
from collections.abc import Iterable, Mapping
from itertools import islice
from random import Random
from typing import Any

from pydantic import Field

from gapo_core.constraints import nltk_compat
from gapo_core.constraints.document import Document
from gapo_core.constraints.families.inventory import Whole
from gapo_core.constraints.families.keywords import absent_words, content_words, whole
from gapo_core.constraints.registry import Family, Kwargs, Phrase, register
from gapo_core.constraints.relations import amount
from gapo_core.constraints.types import Span, Verdict, spans
from gapo_core.constraints.words import Word, bare_words, each_word, folded, last_words, worded_sentences, writable

_TIMES = {1: "once", 2: "twice", 3: "three times", 5: "five times", 7: "seven times"}


class FiveKwargs(Kwargs):
    keyword1: Phrase = Field(description="the word to use once")
    keyword2: Phrase = Field(description="the word to use twice")
    keyword3: Phrase = Field(description="the word to use three times")
    keyword4: Phrase = Field(description="the word to use five times")
    keyword5: Phrase = Field(description="the word to use seven times")

    def wanted(self) -> dict[str, int]:
        words = (self.keyword1, self.keyword2, self.keyword3, self.keyword4, self.keyword5)
        return dict(zip(words, _TIMES, strict=True))


class KeywordsMultiple(Family[FiveKwargs]):
    id = "count:keywords_multiple"
    example = '{"keyword1": "door", "keyword2": "bread", "keyword3": "blue", "keyword4": "lamp", "keyword5": "river"}'
    kwargs = FiveKwargs
    quotes = tuple(FiveKwargs.model_fields)
    phrasings = (
        "Include keyword {keyword1} once in your response, keyword {keyword2} twice in your response, keyword "
        "{keyword3} three times in your response, keyword {keyword4} five times in your response, and keyword "
        "{keyword5} seven times in your response.",
        "Use the word {keyword1} once, the word {keyword2} twice, the word {keyword3} three times, the word "
        "{keyword4} five times and the word {keyword5} seven times.",
        "Your response must hold the word {keyword1} exactly once, the word {keyword2} exactly twice, the word "
        "{keyword3} exactly three times, the word {keyword4} exactly five times and the word {keyword5} exactly "
        "seven times.",
    )

    def judge(self, document: Document, kwargs: FiveKwargs, prompt: str | None) -> Verdict:
        found = {word: list(whole(word).finditer(document.plain)) for word in kwargs.wanted()}
        counts = {word: len(matches) for word, matches in found.items()}
        where = spans(match for matches in found.values() for match in matches)
        for word, times in kwargs.wanted().items():
            if counts[word] != times:
                reason = f"{word} is used {amount(counts[word], 'time')} where {_TIMES[times]} is wanted"
                return Verdict("violated", reason, counts, where)
        return Verdict("satisfied", "every keyword is used as often as wanted", counts, where)

    def compat(self, response: str, kwargs: FiveKwargs) -> bool:
        words = (kwargs.keyword1, kwargs.keyword2, kwargs.keyword3, kwargs.keyword4, kwargs.keyword5)
        text = response.lower()
        return all(text.count(word.lower()) == times for word, times in zip(words, _TIMES, strict=True))

    def satisfy(self, response: str, kwargs: FiveKwargs, rng: Random) -> Mapping[str, Any] | None:
        document = Document.of(response)
        by_count: dict[int, list[str]] = {times: [] for times in _TIMES}
        for word in content_words(response):
            by_count.get(len(whole(word).findall(document.plain)), []).append(word)
        if not all(by_count.values()):
            return None
        return {f"keyword{n}": rng.choice(words) for n, words in enumerate(by_count.values(), 1)}

    def violate(self, response: str, kwargs: FiveKwargs, rng: Random) -> Mapping[str, Any] | None:
        absent = absent_words(response)
        return {**kwargs.model_dump(), f"keyword{rng.randint(1, 5)}": rng.choice(absent)} if absent else None

    def requires(self, kwargs: FiveKwargs) -> tuple[str, ...]:
        return tuple(kwargs.wanted())


class SentenceKeywordKwargs(Kwargs):
    word: Phrase = Field(description="the word that the sentence must hold")
    N: Whole = Field(ge=1, description="which sentence, counted from 1")


class SentenceKeyword(Family[SentenceKeywordKwargs]):
    id = "sentence:keyword"
    example = '{"word": "river", "N": 2}'
    kwargs = SentenceKeywordKwargs
    quotes = ("word",)
    phrasings = (
        "The response must include keyword {word} in the {N}-th sentence.",
        "Use the word {word} in sentence {N} of your response.",
        "Sentence number {N} must contain the word {word}.",
    )

    def judge(self, document: Document, kwargs: SentenceKeywordKwargs, prompt: str | None) -> Verdict:
        sentences = document.sentences
        if len(sentences) < kwargs.N:
            reason = f"the response has {amount(len(sentences), 'sentence')}, so none is number {kwargs.N}"
            return Verdict("violated", reason, len(sentences))
        start, end = sentences[kwargs.N - 1]
        if found := whole(kwargs.word).search(document.plain, start, end):
            return Verdict("satisfied", f"sentence {kwargs.N} holds {kwargs.word}", kwargs.N, spans([found]))
        return Verdict("violated", f"sentence {kwargs.N} does not hold {kwargs.word}", None, (Span(start, end),))

    def compat(self, response: str, kwargs: SentenceKeywordKwargs) -> bool:
        sentence = nltk_compat.nth_sentence(response, kwargs.N) or ""
        return re.search(rf"\b{re.escape(kwargs.word)}\b", sentence, re.IGNORECASE) is not None

    def satisfy(self, response: str, kwargs: SentenceKeywordKwargs, rng: Random) -> Mapping[str, Any] | None:
        document = Document.of(response)
        choices = [
            (number, word)
            for number, span in enumerate(document.sentences[:64], 1)
            for word in content_words(document[span])
            if whole(word).search(document.plain, *span)
        ]
        if not choices:
            return None
        number, word = rng.choice(choices)
        return {"N": number, "word": word}

    def violate(self, response: str, kwargs: SentenceKeywordKwargs, rng: Random) -> Mapping[str, Any] | None:
        document = Document.of(response)
        count = len(document.sentences)
        words = [*content_words(response), *absent_words(response)]
        for word in rng.sample(words, min(8, len(words))):  # a word of another sentence is the harder one
            number = rng.randint(1, max(1, count))
            if count < number or not whole(word).search(document.plain, *document.sentences[number - 1]):
                return {"N": number, "word": word}
        return {**kwargs.model_dump(), "N": count + 1}

    def requires(self, kwargs: SentenceKeywordKwargs) -> tuple[str, ...]:
        return (kwargs.word,)


class PositionKwargs(Kwargs):
    keyword: Phrase = Field(description="the word")
    n: Whole = Field(ge=1, description="which sentence, counted from 1")
    m: Whole = Field(ge=1, description="which word of that sentence, counted from 1")


class KeywordPosition(Family[PositionKwargs]):
    id = "words:keywords_specific_position"
    example = '{"keyword": "beneath", "n": 2, "m": 4}'
    kwargs = PositionKwargs
    quotes = ("keyword",)
    phrasings = (
        "Include keyword {keyword} in the {n}-th sentence, as the {m}-th word of that sentence.",
        "Word {m} of sentence {n} must be {keyword}.",
        "Use {keyword} as word number {m} of your sentence number {n}.",
    )

    def judge(self, document: Document, kwargs: PositionKwargs, prompt: str | None) -> Verdict:
        sentences = tuple(islice(worded_sentences(document), kwargs.n))
        if len(sentences) < kwargs.n:
            reason = f"the response has {amount(len(sentences), 'sentence')}, so none is number {kwargs.n}"
            return Verdict("violated", reason, len(sentences))
        span, words = sentences[kwargs.n - 1]
        if len(words) < kwargs.m:
            reason = f"sentence {kwargs.n} has {amount(len(words), 'word')}, so none is number {kwargs.m}"
            return Verdict("violated", reason, len(words), (span,))
        word = words[kwargs.m - 1]
        kept = _same(word.text, kwargs.keyword)
        reason = f"word {kwargs.m} of sentence {kwargs.n} is {word.text}"
        return Verdict("satisfied" if kept else "violated", reason, word.text, (word.span,))

    def compat(self, response: str, kwargs: PositionKwargs) -> bool:
        tokens = nltk_compat.tokens(nltk_compat.nth_sentence(response, kwargs.n) or "")
        words = [token for token in tokens if any(map(str.isalnum, token))]
        return len(words) >= kwargs.m and words[kwargs.m - 1].lower() == kwargs.keyword.strip().lower()

    def satisfy(self, response: str, kwargs: PositionKwargs, rng: Random) -> Mapping[str, Any] | None:
        sentences = tuple(worded_sentences(Document.of(response)))
        if not sentences:
            return None
        n = rng.randint(1, len(sentences))
        m = rng.randint(1, len(sentences[n - 1].words))
        word = sentences[n - 1].words[m - 1].text
        return {"keyword": word, "n": n, "m": m} if writable(word) else None

    def violate(self, response: str, kwargs: PositionKwargs, rng: Random) -> Mapping[str, Any] | None:
        found = self.satisfy(response, kwargs, rng)
        if found is None:
            return kwargs.model_dump()
        words = next(islice(worded_sentences(Document.of(response)), found["n"] - 1, None)).words
        places = [m for m, word in enumerate(words, 1) if not _same(word.text, found["keyword"])]
        return {**found, "m": rng.choice(places) if places else len(words) + 1}

    def requires(self, kwargs: PositionKwargs) -> tuple[str, ...]:
        return (kwargs.keyword,)

    def conflicts(self, this: Any, other: Any) -> bool:
        if this.id == other.id and all(this.kwargs[name] == other.kwargs[name] for name in "nm"):
            return not _same(this.kwargs["keyword"], other.kwargs["keyword"])
        return bool(super().conflicts(this, other))


class SecondKwargs(Kwargs):
    keyword: Phrase = Field(description="the word")


class SecondAndSecondToLast(Family[SecondKwargs]):
    id = "words:words_position"
    example = '{"keyword": "whisper"}'
    kwargs = SecondKwargs
    quotes = ("keyword",)
    phrasings = (
        "The second word in your response and the second to last word in your response should be the word {keyword}.",
        "Make {keyword} both the second and the second-to-last word of your response.",
        "Both the second word and the last word but one of your answer must be {keyword}.",
    )

    def judge(self, document: Document, kwargs: SecondKwargs, prompt: str | None) -> Verdict:
        words = tuple(islice(each_word(document), 2))
        if len(words) < 2:
            return Verdict("violated", f"the response has {amount(len(words), 'word')} only", len(words))
        both = (words[1], last_words(document.plain, 2)[-2])
        kept = all(_same(word.text, kwargs.keyword) for word in both)
        reason = f"the second word is {both[0].text}, the last but one {both[1].text}"
        return Verdict("satisfied" if kept else "violated", reason, [word.text for word in both], _spans(both))

    def compat(self, response: str, kwargs: SecondKwargs) -> bool:
        # Tokens count as words, and only one mark at the end does not: "…", "!" and "?" before it do.
        keyword = kwargs.keyword.strip().lower()
        found = map(str.lower, nltk_compat.tokens(response))
        tokens = list(islice(found, 2))
        if tokens[1:] != [keyword]:
            return False
        tokens += found
        last = tokens[-3:-2] if tokens[-1] in nltk_compat.PUNCTUATION else tokens[-2:-1]
        return last == [keyword]

    def satisfy(self, response: str, kwargs: SecondKwargs, rng: Random) -> Mapping[str, Any] | None:
        words = bare_words(Document.of(response))
        both = len(words) > 1 and _same(words[1].text, words[-2].text) and writable(words[1].text)
        return {"keyword": words[1].text} if both else None

    def violate(self, response: str, kwargs: SecondKwargs, rng: Random) -> Mapping[str, Any] | None:
        words = bare_words(Document.of(response))
        ends = [word.text for word in (words[1], words[-2]) if writable(word.text)] if len(words) > 1 else []
        if ends and not _same(words[1].text, words[-2].text):
            return {"keyword": rng.choice(ends)}
        absent = absent_words(response)
        return {"keyword": rng.choice(absent)} if absent else None

    def requires(self, kwargs: SecondKwargs) -> tuple[str, ...]:
        return (kwargs.keyword,)

    def conflicts(self, this: Any, other: Any) -> bool:
        if this.id == other.id:
            return not _same(this.kwargs["keyword"], other.kwargs["keyword"])
        return bool(super().conflicts(this, other))


def _same(word: str, keyword: str) -> bool:
    return folded(word) == folded(Document.of(keyword).plain.strip())


def _spans(words: Iterable[Word]) -> tuple[Span, ...]:
    return tuple(word.span for word in words)


register(KeywordsMultiple(), SentenceKeyword(), KeywordPosition(), SecondAndSecondToLast())
