"""What sentences and paragraphs must look like: their lengths, types, first and last words."""

from collections import Counter
from collections.abc import Mapping
from itertools import groupby, islice, pairwise
from random import Random
from typing import Any

from pydantic import Field

from gapo_core.constraints import nltk_compat, reference
from gapo_core.constraints.document import Document
from gapo_core.constraints.families.inventory import Whole
from gapo_core.constraints.registry import Family, Kwargs, NoKwargs, Plain, register
from gapo_core.constraints.relations import amount
from gapo_core.constraints.types import EVIDENCE_LIMIT, Span, Verdict
from gapo_core.constraints.words import Sentence, bare_words, edge_words, folded, initial, last_words, worded_sentences

_NO_SENTENCES = Verdict("violated", "the response holds no sentence", 0)
_CLOSERS = "\"'”’»*_`)]} \t\r\n"
_TYPES = {".": "declarative", "。": "declarative", "…": "declarative"}
_TYPES |= {"?": "interrogative", "？": "interrogative", "!": "exclamatory", "！": "exclamatory"}


class Increment(Kwargs):
    small_n: Whole = Field(ge=1, description="how many words each sentence has more than the one before it")


class IncrementingWords(Family[Increment]):
    id = "sentence:increment"
    example = '{"small_n": 3}'
    kwargs = Increment
    phrasings = (
        "Each sentence in your response must contain exactly {small_n} more words than the previous one.",
        "Let every sentence be exactly {more} longer than the sentence before it.",
        "The number of words must grow by exactly {small_n} from one sentence to the next.",
    )

    def judge(self, document: Document, kwargs: Increment, prompt: str | None) -> Verdict:
        counts: list[int] = []
        for sentence in worded_sentences(document):
            counts.append(len(sentence.words))
            if len(counts) > 1 and counts[-1] != counts[-2] + kwargs.small_n:
                reason = f"sentence {len(counts)} has {amount(counts[-1], 'word')}, the one before it {counts[-2]}"
                return Verdict("violated", reason, counts[:EVIDENCE_LIMIT], (sentence.span,))
        if not counts:
            return _NO_SENTENCES
        return Verdict("satisfied", f"every sentence has {kwargs.small_n} more", counts[:EVIDENCE_LIMIT])

    def compat(self, response: str, kwargs: Increment) -> bool:
        counts = (len(nltk_compat.unpunctuated(text).split()) for text in reference.sentence_texts(response))
        return all(two == one + kwargs.small_n for one, two in pairwise(counts))

    def satisfy(self, response: str, kwargs: Increment, rng: Random) -> Mapping[str, Any] | None:
        counts = [len(sentence.words) for sentence in worded_sentences(Document.of(response))]
        steps = {two - one for one, two in pairwise(counts)} or ({kwargs.small_n} if counts else set())
        return {"small_n": steps.pop()} if len(steps) == 1 and min(steps) > 0 else None

    def violate(self, response: str, kwargs: Increment, rng: Random) -> Mapping[str, Any] | None:
        found = [
            n for n in range(1, 9) if self.judge(Document.of(response), Increment(small_n=n), None).status == "violated"
        ]
        return {"small_n": rng.choice(found)} if found else None

    def wording(self, kwargs: Increment) -> Mapping[str, object]:
        return {**super().wording(kwargs), "more": amount(kwargs.small_n, "word")}


class IncrementingAlliteration(Plain):
    id = "sentence:alliteration_increment"
    phrasings = (
        "Each sentence must have a longer sequence of consecutive alliterative words than the previous one.",
        "From sentence to sentence, the longest run of neighbouring words with the same first letter must grow.",
        "Let every sentence contain a longer alliteration than the sentence before it.",
    )

    def judge(self, document: Document, kwargs: NoKwargs, prompt: str | None) -> Verdict:
        lengths: list[int] = []
        for sentence in worded_sentences(document):
            lengths.append(_alliteration(sentence))
            if len(lengths) > 1 and lengths[-1] <= lengths[-2]:
                two, one = amount(lengths[-1], "word"), lengths[-2]
                reason = f"the longest alliteration of sentence {len(lengths)} has {two}, the one before it {one}"
                return Verdict("violated", reason, lengths[:EVIDENCE_LIMIT], (sentence.span,))
        if not lengths:
            return _NO_SENTENCES
        return Verdict("satisfied", "every sentence has a longer alliteration", lengths[:EVIDENCE_LIMIT])

    def compat(self, response: str, kwargs: NoKwargs) -> bool:
        # All alliterative words of a sentence count, in whatever sequences.
        counts = map(_alliterative, reference.sentence_texts(response))
        return all(two > one for one, two in pairwise(counts))


def _alliterative(sentence: str) -> int:
    firsts = [word[0] for token in sentence.lower().split() if (word := token.lstrip(nltk_compat.PUNCTUATION))]
    runs = (len(list(run)) for _, run in groupby(firsts))
    return sum(run for run in runs if run > 1)


def _alliteration(sentence: Sentence) -> int:
    """The length of the longest run of words with one first letter; 0 where no two neighbours share one."""
    runs = (len(list(run)) for letter, run in groupby(initial(word.text) for word in sentence.words) if letter)
    return max((run for run in runs if run > 1), default=0)


class LastWordFirst(Plain):
    id = "words:last_first"
    phrasings = (
        "In your response, the last word of each sentence must become the first word of the next sentence.",
        "Begin every sentence with the word that ended the sentence before it.",
        "Each sentence has to start with the last word of the previous one.",
    )

    def judge(self, document: Document, kwargs: NoKwargs, prompt: str | None) -> Verdict:
        number, last = 0, None
        for number, sentence in enumerate(worded_sentences(document), 1):
            first = sentence.words[0]
            if last and folded(last.text) != folded(first.text):
                reason = f"sentence {number} starts with {first.text} where {last.text} is wanted"
                return Verdict("violated", reason, number, (last.span, first.span))
            last = sentence.words[-1]
        if not last:
            return _NO_SENTENCES
        return Verdict("satisfied", "every sentence starts with the last word of the one before it", number)

    def compat(self, response: str, kwargs: NoKwargs) -> bool:
        edges = nltk_compat.PUNCTUATION + " "
        for one, two in pairwise(reference.sentence_texts(response)):
            last, first = one.rstrip(edges).split()[-1:], two.lstrip(edges).split()[:1]
            if not last or not first or last[0].lower() != first[0].lower():
                return False
        return True


class ParagraphLastFirst(Plain):
    id = "words:paragraph_last_first"
    phrasings = (
        "Each paragraph of your response must end with the same word it started with, separate paragraphs with a "
        "newline.",
        "Let every paragraph, set off by a new line, end with its own first word.",
        "The first word of each paragraph must also be its last; put every paragraph on a new line.",
    )

    def judge(self, document: Document, kwargs: NoKwargs, prompt: str | None) -> Verdict:
        lines = document.plain.split("\n")
        for line in dict.fromkeys(lines):  # each different one once
            edges = edge_words(line)
            if edges and folded(edges[0].text) != folded(edges[1].text):
                start = sum(len(before) + 1 for before in lines[: lines.index(line)])
                where = tuple(Span(start + word.start, start + word.end) for word in edges)
                reason = f"a paragraph starts with {edges[0].text} and ends with {edges[1].text}"
                return Verdict("violated", reason, None, where)
        last = last_words(document.plain, 1)
        if not last:
            return Verdict("violated", "the response holds no word", 0)
        count = document.text.count("\n", 0, last[-1].start) + 1
        return Verdict("satisfied", "every paragraph ends with its first word", count)

    def compat(self, response: str, kwargs: NoKwargs) -> bool:
        for line in response.lower().split("\n"):
            words = line.strip().strip(nltk_compat.PUNCTUATION + " ").split()
            if words and words[0] != words[-1]:
                return False
        return True


def _sentence_types(document: Document) -> tuple[Counter[str], tuple[Span, ...]]:
    """How many sentences are of each type, by the mark at their end, and the first questions; headings and list items
    without a mark are of no type."""
    counts: Counter[str] = Counter()
    questions: list[Span] = []
    for span in document.sentences:
        body = document[span].rstrip(_CLOSERS)
        kind = _TYPES.get(body[-1:])
        if kind:
            counts[kind] += 1
            if kind == "interrogative" and len(questions) < EVIDENCE_LIMIT:
                questions.append(span)
    return counts, tuple(questions)


def _reference_types(response: str) -> list[int]:
    marks = Counter(sentence[-1:] for sentence in reference.sentence_texts(response))
    return [marks[mark] for mark in ".?!"]


class SentenceTypeRatio(Plain):
    id = "ratio:sentence_type"
    phrasings = (
        "Maintain a 2:1 ratio of declarative to interrogative sentences in your response.",
        "Write exactly two declarative sentences for every question.",
        "Your response must hold twice as many statements as questions.",
    )

    def judge(self, document: Document, kwargs: NoKwargs, prompt: str | None) -> Verdict:
        types, where = _sentence_types(document)
        statements, questions = types["declarative"], types["interrogative"]
        reason = f"{amount(statements, 'declarative sentence')} and {amount(questions, 'question')}"
        kept = questions > 0 and statements == 2 * questions
        return Verdict("satisfied" if kept else "violated", reason, [statements, questions], where)

    def compat(self, response: str, kwargs: NoKwargs) -> bool:
        statements, questions, _ = _reference_types(response)  # none of either is two to one as well
        return statements == 2 * questions


class SentenceBalance(Plain):
    id = "ratio:sentence_balance"
    phrasings = (
        "Ensure that the ratio of sentence types (declarative, interrogative, exclamatory) in your response is "
        "balanced.",
        "Use equally many statements, questions and exclamations.",
        "Your response must hold as many questions as exclamations and as many exclamations as statements.",
    )

    def judge(self, document: Document, kwargs: NoKwargs, prompt: str | None) -> Verdict:
        found, _ = _sentence_types(document)
        counts = {kind: found[kind] for kind in ("declarative", "interrogative", "exclamatory")}
        reason = ", ".join(f"{count} {kind}" for kind, count in counts.items())
        kept = len(set(counts.values())) == 1 and counts["declarative"] > 0
        return Verdict("satisfied" if kept else "violated", reason, counts)

    def compat(self, response: str, kwargs: NoKwargs) -> bool:
        return len(set(_reference_types(response))) == 1


class EqualSentences(Plain):
    id = "ratio:sentence_words"
    phrasings = (
        "Respond with three sentences, all containing the same number of characters but using all different words.",
        "Write exactly three sentences of equally many characters in which no word occurs twice.",
        "Answer in three sentences of the same length in characters, each with words that the others do not use.",
    )

    def judge(self, document: Document, kwargs: NoKwargs, prompt: str | None) -> Verdict:
        sentences = document.sentences
        lengths = [span.end - span.start for span in sentences]
        if len(sentences) != 3:
            reason = f"{amount(len(sentences), 'sentence')} found where three are wanted"
            return Verdict("violated", reason, lengths[:EVIDENCE_LIMIT])
        if len(set(lengths)) > 1:
            return Verdict("violated", "the sentences differ in their number of characters", lengths, tuple(sentences))
        seen = set()
        for word in bare_words(document):
            if word.text in seen:
                return Verdict("violated", f"{word.text} is used more than once", lengths, (word.span,))
            seen.add(word.text)
        return Verdict(
            "satisfied", f"three sentences of {lengths[0]} characters, no word twice", lengths, tuple(sentences)
        )

    def compat(self, response: str, kwargs: NoKwargs) -> bool:
        first = islice(reference.sentence_texts(response), 4)
        lengths = [len(text.strip()) for text in first]  # the words are not looked at
        return len(lengths) == 3 and len(set(lengths)) == 1


class SentenceAlphabet(Plain):
    id = "custom:sentence_alphabet"
    phrasings = (
        "Tell me a 26-sentence story where each sentence's first word starts with the letters of the alphabet in "
        "order.",
        "Write a story of 26 sentences; the first starts with A, the second with B, and so on to Z.",
        "Your story must have 26 sentences whose first letters run from A to Z.",
    )

    def judge(self, document: Document, kwargs: NoKwargs, prompt: str | None) -> Verdict:
        sentences = tuple(islice(worded_sentences(document), 27))
        if len(sentences) != 26:
            found = amount(len(sentences), "sentence") if len(sentences) < 27 else "more sentences than that"
            return Verdict("violated", f"{found} found where 26 are wanted", len(sentences))
        for number, sentence in enumerate(sentences):
            wanted = chr(ord("a") + number)
            if initial(sentence.words[0].text) != wanted:
                reason = f"sentence {number + 1} starts with {sentence.words[0].text} where {wanted} is wanted"
                return Verdict("violated", reason, number, (sentence.words[0].span,))
        return Verdict("satisfied", "26 sentences start with A to Z", 26)

    def compat(self, response: str, kwargs: NoKwargs) -> bool:
        firsts = [text.strip()[:1].lower() for text in islice(reference.sentence_texts(response), 27)]
        return firsts == [chr(ord("a") + number) for number in range(26)]


register(
    IncrementingWords(),
    IncrementingAlliteration(),
    LastWordFirst(),
    ParagraphLastFirst(),
    SentenceTypeRatio(),
    SentenceBalance(),
    EqualSentences(),
    SentenceAlphabet(),
)
