"""The share of stop words and of trigrams taken from a reference text."""

from collections.abc import Mapping
from random import Random
from typing import Any

from pydantic import Field

from gapo_core.constraints import nltk_compat
from gapo_core.constraints.document import Document, remembered
from gapo_core.constraints.families.inventory import Whole
from gapo_core.constraints.registry import Family, Kwargs, Phrase, register
from gapo_core.constraints.types import EVIDENCE_LIMIT, Verdict
from gapo_core.constraints.word_lists import STOP_WORDS
from gapo_core.constraints.words import bare_words

_REACH = 2  # percentage points that an overlap may miss


class StopWordsKwargs(Kwargs):
    percentage: Whole = Field(ge=0, le=100, description="the highest share of stop words, in percent of the words")


class StopWords(Family[StopWordsKwargs]):
    id = "ratio:stop_words"
    example = '{"percentage": 30}'
    kwargs = StopWordsKwargs
    phrasings = (
        "Ensure that stop words constitute no more than {percentage}% of the total words in your response.",
        "At most {percentage}% of your words may be stop words such as the, of and is.",
        "Keep the share of stop words in your answer at or below {percentage}%.",
    )

    def judge(self, document: Document, kwargs: StopWordsKwargs, prompt: str | None) -> Verdict:
        words = bare_words(document)
        if not words:
            return Verdict("violated", "the response holds no word", 0)
        found = [word for word in words if word.text in STOP_WORDS or _contracted(word.text)]
        share = round(100 * len(found) / len(words), 1)
        kept = 100 * len(found) <= kwargs.percentage * len(words)
        where = tuple(word.span for word in found[:EVIDENCE_LIMIT])
        reason = f"{share}% of the words are stop words where at most {kwargs.percentage}% may be"
        return Verdict("satisfied" if kept else "violated", reason, share, where)

    def compat(self, response: str, kwargs: StopWordsKwargs) -> bool:
        words = nltk_compat.word_runs(response)
        return bool(words) and sum(w.lower() in STOP_WORDS for w in words) / len(words) * 100 <= kwargs.percentage

    def satisfy(self, response: str, kwargs: StopWordsKwargs, rng: Random) -> Mapping[str, Any] | None:
        share = self._share(response, kwargs)
        low = -int(-share // 1)  # rounded up
        return {"percentage": rng.randint(low, min(100, low + 10))} if share >= 0 else None

    def violate(self, response: str, kwargs: StopWordsKwargs, rng: Random) -> Mapping[str, Any] | None:
        high = -int(-self._share(response, kwargs) // 1) - 1
        return {"percentage": rng.randint(max(0, high - 10), high)} if high >= 0 else None

    def _share(self, response: str, kwargs: StopWordsKwargs) -> float:
        """The percentage, or -1 where there is no word."""
        words = bare_words(Document.of(response))
        found = sum(word.text in STOP_WORDS or _contracted(word.text) for word in words)
        return 100 * found / len(words) if words else -1.0


def _contracted(word: str) -> bool:
    """Whether a word is the contraction of a stop word: "don't", "it's", "they're"."""
    stem, apostrophe, _ = word.partition("'")
    return bool(apostrophe) and stem in STOP_WORDS


class OverlapKwargs(Kwargs):
    reference_text: Phrase = Field(description="the text that trigrams are shared with")
    percentage: Whole = Field(ge=0, le=100, description="the share of shared trigrams, in percent, give or take 2")


class Overlap(Family[OverlapKwargs]):
    id = "ratio:overlap"
    example = '{"reference_text": "The river runs under the bridge.", "percentage": 40}'
    kwargs = OverlapKwargs
    phrasings = (
        "Maintain a trigram overlap of {percentage}% (±2%) with the provided reference text.",
        "Between {low}% and {high}% of the trigrams of your response must come from the reference text.",
        "Share {percentage}% (give or take 2%) of your three-word sequences with the reference text.",
    )

    def judge(self, document: Document, kwargs: OverlapKwargs, prompt: str | None) -> Verdict:
        share = _overlap(document, kwargs.reference_text)
        if share is None:
            return Verdict("violated", "the response has fewer than three words", None)
        kept = abs(share - kwargs.percentage) <= _REACH
        reason = f"{share:.1f}% of the trigrams are shared where {kwargs.percentage}% are wanted"
        return Verdict("satisfied" if kept else "violated", reason, round(share, 1))

    def compat(self, response: str, kwargs: OverlapKwargs) -> bool:
        own = set(_trigrams(response))  # of characters
        shared = own & set(_trigrams(kwargs.reference_text))
        return bool(own) and kwargs.percentage - _REACH <= len(shared) / len(own) * 100 <= kwargs.percentage + _REACH

    def satisfy(self, response: str, kwargs: OverlapKwargs, rng: Random) -> Mapping[str, Any] | None:
        share = _overlap(Document.of(response), kwargs.reference_text)
        return None if share is None else {**kwargs.model_dump(), "percentage": round(share)}

    def violate(self, response: str, kwargs: OverlapKwargs, rng: Random) -> Mapping[str, Any] | None:
        share = _overlap(Document.of(response), kwargs.reference_text)
        other = [percent for percent in range(101) if share is None or abs(percent - share) > _REACH]
        return {**kwargs.model_dump(), "percentage": rng.choice(other)}

    def wording(self, kwargs: OverlapKwargs) -> Mapping[str, object]:
        low, high = max(0, kwargs.percentage - _REACH), min(100, kwargs.percentage + _REACH)
        return {**super().wording(kwargs), "low": low, "high": high}

    def conflicts(self, this: Any, other: Any) -> bool:
        same = this.id == other.id and this.kwargs["reference_text"] == other.kwargs["reference_text"]
        return bool(same and abs(this.kwargs["percentage"] - other.kwargs["percentage"]) > 2 * _REACH)


def _trigrams(words: Any) -> Any:
    return zip(words, words[1:], words[2:], strict=False)


@remembered
def _trigrams_of(document: Document) -> frozenset[tuple[str, str, str]]:
    return frozenset(_trigrams([word.text for word in bare_words(document)]))


def _overlap(document: Document, reference_text: str) -> float | None:
    """The share of the distinct trigrams that the reference text has too, in percent; None without a trigram."""
    own = _trigrams_of(document)
    return 100 * len(own & _trigrams_of(Document.of(reference_text))) / len(own) if own else None


register(StopWords(), Overlap())
