"""Title case, emojis, and markers of tone for which a rule is honest."""

from collections.abc import Mapping
from itertools import chain, islice, tee, zip_longest
from random import Random
from typing import Any

import regex
from pydantic import Field

from gapo_core.constraints import nltk_compat, reference
from gapo_core.constraints.document import Document
from gapo_core.constraints.registry import Family, Kwargs, NoKwargs, Phrase, Plain, register
from gapo_core.constraints.relations import amount
from gapo_core.constraints.types import EVIDENCE_LIMIT, Verdict, spans
from gapo_core.constraints.word_lists import (
    AFTER_ANYONE,
    AFTER_EITHER,
    AFTER_IS,
    BEFORE_I,
    BEFORE_MINE,
    FIRST_PERSON,
    MINOR_WORDS,
    NOUNS_IN_ING,
    SAID_OF_I,
)
from gapo_core.constraints.words import Word, each_word, worded_sentences, words_of, written_words

_EMOJI = regex.compile(
    r"\p{RI}{2}|[0-9#*]\uFE0F?\u20E3|[\p{Extended_Pictographic}--[©®™]]|\p{Emoji_Presentation}", regex.V1
)
# What the reference's library takes for an emoji, character by character: no flag, no keycap, but the copyright sign.
_REFERENCE_EMOJI = regex.compile(r"[\p{Emoji}--[0-9#*]--\p{RI}]", regex.V1)
_CONTRACTED = regex.compile(
    r"n't$|'(?:m|re|ve|ll|d)$|^y'all|"
    r"^(?:it|that|he|she|who|what|there|here|let|where|how|when|why|(?:every|some|any|no)thing)'s$"
)
_CLIPPED = frozenset(("tis", "twas", "twere", "twill"))  # contractions with an apostrophe before them
_ANYONE = regex.compile(r"^(?:every|some|any|no)(?:one|body)'s$")
_NEXT_WORD = regex.compile(r"[^\S\n]+(\p{L}++)(?!-\p{L})")
_WORD_BEFORE = regex.compile(r"(?:^|[^\w'-])([\w'-]+)[^\S\n]+$")
_BEFORE = 80  # characters in which the word before is looked for


class TitleCase(Plain):
    id = "format:title_case"
    phrasings = (
        "Write the entire response in title case (capitalize the first letter of every major word).",
        "Use title case throughout: every major word starts with a capital letter.",
        "Capitalize The First Letter Of Every Major Word In Your Whole Response.",
    )

    def judge(self, document: Document, kwargs: NoKwargs, prompt: str | None) -> Verdict:
        plain, words = document.plain, written_words(document)
        small = {word for word in words if word[0].islower() and word.lower() not in MINOR_WORDS}
        first = next(each_word(document), None)
        minor = first is not None and first.text in MINOR_WORDS and plain[first.start].islower()  # yet it comes first
        if count := sum(words[word] for word in small) + minor:
            wrong = (w for w in each_word(document) if plain[w.start : w.end] in small or (minor and w == first))
            found = tuple(islice(wrong, min(count, EVIDENCE_LIMIT)))
            where = tuple(word.span for word in found)
            return Verdict("violated", f"{found[0].text} is not capitalized", count, where)
        if not any(word[0].isupper() for word in words):
            return Verdict("violated", "no word is capitalized", 0)
        return Verdict("satisfied", "every major word is capitalized", 0)

    def compat(self, response: str, kwargs: NoKwargs) -> bool:
        # Every token must be capitalized, "of" and the "n't" of "Don't" too.
        sentences = (text for text in reference.sentence_texts(response) if any(map(str.islower, text)))
        for token in chain.from_iterable(map(nltk_compat.sentence_tokens, sentences)):
            head, rest = token[0], token[1:]
            if head.isalpha() and head.islower() and (not rest or rest.isupper() or rest.islower()):
                return False
        return True


class EmojiAtSentenceEnd(Plain):
    id = "format:emoji"
    phrasings = (
        "Please use an emoji at the end of every sentence.",
        "End each sentence with an emoji.",
        "Every sentence of your response must be closed by an emoji.",
    )

    def judge(self, document: Document, kwargs: NoKwargs, prompt: str | None) -> Verdict:
        # The segmenter may give an emoji behind a full stop to the next sentence: between two sentences, it is at
        # the end of the first.
        if not _EMOJI.search(document.text):
            first = tuple(sentence.span for sentence in islice(worded_sentences(document), EVIDENCE_LIMIT))
            return Verdict("violated", "the response holds no emoji", None, first)
        found, bare = [], []
        sentences, following = tee(worded_sentences(document))
        next(following, None)
        for sentence, after in zip_longest(sentences, following):
            end = after.words[0].start if after else len(document.text)
            if emoji := _EMOJI.search(document.text, sentence.words[-1].end, end):
                found.append(emoji)
            else:
                bare.append(sentence.span)
        if not found and not bare:
            return Verdict("violated", "the response holds no sentence", 0)
        if bare:
            return Verdict(
                "violated", f"{amount(len(bare), 'sentence')} without emoji", len(bare), tuple(bare[:EVIDENCE_LIMIT])
            )
        return Verdict("satisfied", "every sentence ends with an emoji", 0, spans(found))

    def compat(self, response: str, kwargs: NoKwargs) -> bool:
        stripped = (nltk_compat.unpunctuated(text).strip() for text in reference.sentence_texts(response))
        sentences, following = tee(stripped)
        next(following, None)
        for sentence, after in zip_longest(sentences, following, fillvalue=""):
            if not sentence:
                return False
            # One of the last two characters, or else the first one of the next sentence.
            if not any(map(_REFERENCE_EMOJI.match, (*sentence[-2:], *after[:1]))):
                return False
        return True


class NoContractions(Plain):
    id = "tone:no_contractions"
    phrasings = (
        "Do not use contractions such as don't or it's.",
        "Write formally, without contractions.",
        "Avoid contracted forms like can't and we're in your response.",
    )

    def judge(self, document: Document, kwargs: NoKwargs, prompt: str | None) -> Verdict:
        sure: list[Word] = []
        either: list[Word] = []
        for word in words_of(document, lambda w: w.endswith("'s") or w in _CLIPPED or _contracted(w)):
            if (contraction := _is_contraction(document.plain, word)) is not False:
                (sure if contraction else either).append(word)
        return _absent(sure, either, "contraction", "what ends in 's may be a contraction or a possessive")


class NoFirstPerson(Plain):
    id = "tone:no_first_person"
    phrasings = (
        "Do not write in the first person.",
        "Avoid first-person pronouns such as I, we and my.",
        "Keep your response impersonal: no I, no we, no our.",
    )

    def judge(self, document: Document, kwargs: NoKwargs, prompt: str | None) -> Verdict:
        sure: list[Word] = []
        either: list[Word] = []
        for word in words_of(document, lambda w: w.partition("'")[0] in FIRST_PERSON):
            if document[word.span] != "US":
                (sure if _is_pronoun(document.plain, word) else either).append(word)
        return _absent(sure, either, "first-person pronoun", "I may be a numeral, or mine no pronoun")


def _absent(sure: list[Word], either: list[Word], noun: str, doubt: str) -> Verdict:
    """Violated by what is sure; where all that is found can be read either way, no rule decides."""
    where = tuple(word.span for word in (sure or either)[:EVIDENCE_LIMIT])
    if sure:
        return Verdict("violated", f"{amount(len(sure), noun)} found", len(sure), where)
    if either:
        return Verdict("unknown", doubt, None, where)
    return Verdict("satisfied", f"no {noun} is used", 0)


def _contracted(word: str) -> bool:
    return "'" in word and _CONTRACTED.search(word) is not None


def _is_contraction(text: str, word: Word) -> bool | None:
    """None where it may be one."""
    if word.text in _CLIPPED:
        return text[max(0, word.start - 1)] == "'"
    if _contracted(word.text):
        return True
    if not word.text[-3:-2].isalpha():  # the 1990's
        return False
    match = _NEXT_WORD.match(text, word.end)
    following = match.group(1).lower() if match else ""
    progressive = following.endswith("ing") and following not in NOUNS_IN_ING
    if _ANYONE.match(word.text):
        return True if following in AFTER_IS | AFTER_EITHER | AFTER_ANYONE or progressive else None
    if following in AFTER_IS:
        return True
    return None if following in AFTER_EITHER or progressive else False


def _is_pronoun(text: str, word: Word) -> bool:
    """Whether "I" is for certain no numeral, and "mine" no noun or verb; other words are pronouns."""
    if word.text.partition("'")[0] not in ("i", "mine") or word.text.startswith("i'"):
        return True
    match = _WORD_BEFORE.search(text[max(0, word.start - _BEFORE) : word.start])
    before = match.group(1) if match else ""
    if word.text != "i":
        return before.lower() in BEFORE_MINE
    after = _NEXT_WORD.match(text, word.end)
    if not before[:1].isupper() or (after and after.group(1) in SAID_OF_I):
        return True
    return before.lower().partition("'")[0] in BEFORE_I or before.endswith("ly")


class ToneKwargs(Kwargs):
    style: Phrase = Field(max_length=200, description="the tone in words, such as friendly or formal")


class Style(Family[ToneKwargs]):
    """A tone in free words. No rule decides it: the verdict is left to the reward model."""

    id = "tone:style"
    example = '{"style": "friendly"}'
    kwargs = ToneKwargs
    phrasings = (
        "Write in a {style} tone.",
        "Your response should sound {style}.",
        "Keep the style of your answer {style}.",
    )

    def judge(self, document: Document, kwargs: ToneKwargs, prompt: str | None) -> Verdict:
        return Verdict("unknown", "no rule decides a tone; ask the reward model")

    def satisfy(self, response: str, kwargs: ToneKwargs, rng: Random) -> Mapping[str, Any] | None:
        return None

    def violate(self, response: str, kwargs: ToneKwargs, rng: Random) -> Mapping[str, Any] | None:
        return None


register(TitleCase(), EmojiAtSentenceEnd(), NoContractions(), NoFirstPerson(), Style())
