"""Demands that need a dictionary: a verb at the start, syllables that alternate.

Where the dictionary cannot tell, the strict verdict is `unknown`."""

import re
from functools import lru_cache
from itertools import pairwise, starmap

import lemminflect
import syllapy

from gapo_core.constraints import nltk_compat
from gapo_core.constraints.document import Document
from gapo_core.constraints.registry import NoKwargs, Plain, register
from gapo_core.constraints.relations import amount
from gapo_core.constraints.types import Span, Verdict
from gapo_core.constraints.word_lists import AUXILIARIES, OBJECTS, PRONOUNS, STOP_WORDS
from gapo_core.constraints.words import bare_words, counted_of, neighbours, vocabulary, word_texts

_FUNCTION_WORDS = STOP_WORDS | PRONOUNS
_OPEN_CLASSES = ("NOUN", "ADJ", "ADV", "PROPN")


@lru_cache(maxsize=4096)
def _classes(word: str) -> frozenset[str]:
    """The word classes that the dictionary gives a word; empty where it does not know it."""
    return frozenset(lemminflect.getAllLemmas(word))


class StartsWithVerb(Plain):
    id = "words:start_verb"
    phrasings = (
        "The response must start with a verb.",
        "Begin your answer with a verb.",
        "Let the first word of your response be a verb.",
    )

    def judge(self, document: Document, kwargs: NoKwargs, prompt: str | None) -> Verdict:
        words = bare_words(document)
        if not words:
            return Verdict("violated", "the response holds no word")
        word, where = words[0].text, (words[0].span,)
        following = words[1].text if len(words) > 1 else ""
        classes = _classes(word)
        if word in AUXILIARIES or (classes & {"VERB", "AUX"} and not classes & set(_OPEN_CLASSES)):
            return Verdict("satisfied", f"{word} is a verb", word, where)
        if classes & {"VERB", "AUX"}:
            if following in OBJECTS and document.text[words[0].end : words[1].start].isspace():
                return Verdict("satisfied", f"{word} is a verb before {following}", word, where)
            return Verdict("unknown", f"{word} may be a verb or another kind of word", word, where)
        if classes or word in _FUNCTION_WORDS or not word.isalpha():
            return Verdict("violated", f"{word} is not a verb", word, where)
        return Verdict("unknown", f"the dictionary does not know {word[:40]}", word[:40], where)

    def compat(self, response: str, kwargs: NoKwargs) -> bool:
        # The reference asks NLTK's tagger, a statistical model: close to the dictionary's answer, not equal to it.
        return self.judge(Document.of(response), kwargs, None).status == "satisfied"


# Spellings of one syllable: one vowel letter or one of the pairs that are always one sound, and a silent "e".
_ONE_SYLLABLE = re.compile(r"[^aeiouy]*(?:[aeiou]|ee|oo|ai|ay|ou|ow|aw|ew)[^aeiouy]*|[^aeiouy]+[aeiou][^aeiouwxy]e")


@lru_cache(maxsize=16384)
def _odd_syllables(word: str) -> bool | None:
    """Whether the number of syllables is odd; None where neither the dictionary nor the spelling tells."""
    if word in syllapy.WORD_DICT:
        return bool(syllapy.WORD_DICT[word] % 2)
    parts = word.split("-")
    if len(parts) > 1:
        odd = [_odd_syllables(part) for part in parts]
        return None if None in odd else bool(sum(map(bool, odd)) % 2)
    return True if word.isascii() and word.isalpha() and _ONE_SYLLABLE.fullmatch(word) else None


class AlternatingSyllables(Plain):
    id = "words:odd_even_syllables"
    phrasings = (
        "Alternate between words with odd and even numbers of syllables.",
        "Words with an odd and words with an even number of syllables must take turns in your response.",
        "After a word with an odd number of syllables write one with an even number, and the other way round.",
    )

    def judge(self, document: Document, kwargs: NoKwargs, prompt: str | None) -> Verdict:
        parities = {word: _odd_syllables(word) for word in vocabulary(document)}
        if not parities:
            return Verdict("violated", "the response holds no word", 0)

        def alike(one: bool | None, two: bool | None) -> bool:
            return one is not None and one is two

        if any(starmap(alike, pairwise(map(parities.__getitem__, word_texts(document))))):
            [(before, word)] = neighbours(document, lambda one, two: alike(parities[one.text], parities[two.text]), 1)
            kind = "odd" if parities[word.text] else "even"
            reason = f"{before.text} and {word.text} both have an {kind} number of syllables"
            return Verdict("violated", reason, None, (Span(before.start, word.end),))
        count, unclear = counted_of(document, lambda word: parities[word] is None)
        if count:
            where = tuple(word.span for word in unclear)
            return Verdict("unknown", f"the syllables of {unclear[0].text[:40]} cannot be counted", count, where)
        words = len(word_texts(document))
        return Verdict("satisfied", f"{amount(words, 'word')} alternate", words)

    def compat(self, response: str, kwargs: NoKwargs) -> bool:
        words = nltk_compat.unpunctuated(response).lower().split()
        odd = [syllapy.count(word) % 2 for word in words]
        return all(one != two for one, two in pairwise(odd))


register(StartsWithVerb(), AlternatingSyllables())
