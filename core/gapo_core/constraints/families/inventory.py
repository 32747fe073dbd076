"""Words, numbers, names and marks that a response must count."""

import re
from collections.abc import Mapping
from random import Random
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from gapo_core.constraints import nltk_compat
from gapo_core.constraints.document import Document
from gapo_core.constraints.families.counting import Counted
from gapo_core.constraints.registry import Family, Kwargs, NoKwargs, Plain, register
from gapo_core.constraints.relations import amount, listed
from gapo_core.constraints.types import EVIDENCE_LIMIT, Span, Verdict
from gapo_core.constraints.word_lists import CONJUNCTIONS, NAMES, PRONOUNS, SPELLED_NUMBERS
from gapo_core.constraints.words import Word, vocabulary, words_of

_NAME = re.compile(rf"(?<!\w)(?:{'|'.join(NAMES)})(?!\w)")
_LETTERS = re.compile(r"[a-z]+")
_DIGITS = re.compile(r"\d+")
# "3.14", "1,000" and "-5" are one number each; "H2O" and "GPT4" hold none.
_NUMBER = re.compile(r"(?<![^\W_])(?:\d+(?:[.,]\d+)*)")
_LISTED = re.compile(r"^[ \t>*_]*(?:step[ \t]+)?\d{1,3}[.):]", re.MULTILINE | re.IGNORECASE)
_INTERROBANG = re.compile(r"[?？][!！]|[!！][?？]|[‽⁈⁉]")
_STANDARD = {
    **{"full stop": ".。．", "comma": ",，、،", "exclamation mark": "!！", "question mark": "?？"},
    **{"semicolon": ";；", "colon": ":："},
}


def _integral(value: object) -> object:
    # The published rows write every number as a float.
    return int(value) if isinstance(value, float) and value.is_integer() else value


Whole = Annotated[int, BeforeValidator(_integral)]


class AtLeastKwargs(Kwargs):
    N: Whole = Field(ge=1, description="the lowest number")


class UniqueWordCount(Counted[AtLeastKwargs]):
    id = "count:unique_word_count"
    example = '{"N": 30}'
    kwargs = AtLeastKwargs
    limit, noun = "N", ("different word", "different words")
    phrasings = (
        "Use at least {N} unique words in the response.",
        "Your response must contain {limited}.",
        "Write with a vocabulary of {limited}.",
    )

    def count(self, document: Document, kwargs: AtLeastKwargs) -> tuple[int, tuple[Span, ...]]:
        return len(vocabulary(document)), ()

    def compat(self, response: str, kwargs: AtLeastKwargs) -> bool:
        # A token of punctuation alone counts as the word "".
        stripped = {token.strip(nltk_compat.PUNCTUATION) for token in response.lower().split()}
        return len(stripped) >= kwargs.N


class NamesKwargs(Kwargs):
    N: Whole = Field(ge=1, le=len(NAMES), description="the lowest number of different names out of the fifty")


class PersonNames(Counted[NamesKwargs]):
    id = "count:person_names"
    example = '{"N": 3}'
    kwargs = NamesKwargs
    limit, noun, names = "N", ("name of the list", "names of the list"), ", ".join(NAMES)
    phrasings = (
        f"Mention at least {{N}} different person names in the response, from this list of person names: {names} .",
        f"Use at least {{N}} different names out of these: {names}.",
        f"Your response must name at least {{N}} different people; take their names from this list: {names}.",
    )

    def count(self, document: Document, kwargs: NamesKwargs) -> tuple[int, tuple[Span, ...]]:
        first: dict[str, Span] = {}
        for match in _NAME.finditer(document.text):
            first.setdefault(match.group(), Span(*match.span()))
        return len(first), tuple(first.values())

    def limited(self, response: str, kwargs: NamesKwargs, wanted: bool, rng: Random) -> Mapping[str, Any] | None:
        found = super().limited(response, kwargs, wanted, rng)
        return found if found is None or found["N"] <= len(NAMES) else None


class Pronouns(Counted[AtLeastKwargs]):
    id = "count:pronouns"
    example = '{"N": 7}'
    kwargs = AtLeastKwargs
    limit, noun, additive = "N", ("pronoun", "pronouns"), True
    phrasings = (
        "The response should include at least {N} pronouns.",
        "Use {limited} in your response.",
        "Your answer must contain {limited}.",
    )

    def count(self, document: Document, kwargs: AtLeastKwargs) -> tuple[int, tuple[Span, ...]]:
        # "I'm" holds "I", and "she/her" two.
        found = [word.span for word in words_of(document, lambda w: bool(_pronouns(w))) for _ in _pronouns(word.text)]
        return len(found), tuple(found)

    def compat(self, response: str, kwargs: AtLeastKwargs) -> bool:
        # A pronoun among the tokens is a run of letters, or the "me" of "gimme": where there are too few, none is cut.
        runs = (run for run in _LETTERS.findall(response.lower()) if run in PRONOUNS or run in ("gimme", "lemme"))
        if sum(1 for _ in runs) < kwargs.N:
            return False
        found = sum(token in PRONOUNS for token in nltk_compat.tokens(response.lower().replace("/", " ")))
        return found >= kwargs.N


def _pronouns(word: str) -> list[str]:
    return [part for part in (re.split(r"/|'\w+", word) if not word.isalnum() else (word,)) if part in PRONOUNS]


class ConjunctionsKwargs(Kwargs):
    small_n: Whole = Field(ge=1, le=len(CONJUNCTIONS), description="the lowest number of different conjunctions")


class Conjunctions(Counted[ConjunctionsKwargs]):
    id = "count:conjunctions"
    example = '{"small_n": 3}'
    kwargs = ConjunctionsKwargs
    limit, noun = "small_n", ("coordinating conjunction", "coordinating conjunctions")
    phrasings = (
        "Use at least {small_n} different coordinating conjunctions in the response.",
        "Your response must use at least {small_n} different words out of for, and, nor, but, or, yet and so.",
        "Include {limited}, all different, in your answer.",
    )

    def count(self, document: Document, kwargs: ConjunctionsKwargs) -> tuple[int, tuple[Span, ...]]:
        first: dict[str, Word] = {}
        for word in words_of(document, lambda w: any(part in CONJUNCTIONS for part in w.split("/"))):  # "and/or" is two
            for part in word.text.split("/"):
                if part in CONJUNCTIONS:
                    first.setdefault(part, word)
        return len(first), tuple(word.span for word in first.values())

    def compat(self, response: str, kwargs: ConjunctionsKwargs) -> bool:
        # "and", "And" and "and," are three different ones.
        tokens = {token for token in response.split() if token.strip(nltk_compat.PUNCTUATION).lower() in CONJUNCTIONS}
        return len(tokens) >= kwargs.small_n

    def limited(self, response: str, kwargs: ConjunctionsKwargs, wanted: bool, rng: Random) -> Mapping[str, Any] | None:
        found = super().limited(response, kwargs, wanted, rng)
        return found if found is None or found["small_n"] <= len(CONJUNCTIONS) else None


class ExactlyKwargs(Kwargs):
    N: Whole = Field(ge=0, description="the exact number")


class Numbers(Family[ExactlyKwargs]):
    """Figures count; whether list markers ("1.") and spelled numbers ("two") do, people do not agree."""

    id = "count:numbers"
    example = '{"N": 2}'
    kwargs = ExactlyKwargs
    phrasings = (
        "Include exactly {N} numbers in the response.",
        "Your response must contain exactly {N} numbers.",
        "Use {N} numbers in your answer, no more and no fewer.",
    )

    def judge(self, document: Document, kwargs: ExactlyKwargs, prompt: str | None) -> Verdict:
        certain, disputed = _numbers(document)
        where = tuple(certain[:EVIDENCE_LIMIT])
        if len(certain) > kwargs.N or len(certain) + len(disputed) < kwargs.N:
            reason = f"{amount(len(certain), 'number')} found where exactly {kwargs.N} are wanted"
            return Verdict("violated", reason, len(certain), where)
        if disputed:
            reason = (
                f"list markers and spelled numbers decide it: {len(certain)} without, {len(disputed)} more with them"
            )
            return Verdict("unknown", reason, len(certain), tuple((*certain, *disputed)[:EVIDENCE_LIMIT]))
        return Verdict("satisfied", f"{amount(len(certain), 'number')} found, as wanted", len(certain), where)

    def compat(self, response: str, kwargs: ExactlyKwargs) -> bool:
        return len(_DIGITS.findall(nltk_compat.unpunctuated(response))) == kwargs.N

    def satisfy(self, response: str, kwargs: ExactlyKwargs, rng: Random) -> Mapping[str, Any] | None:
        certain, disputed = _numbers(Document.of(response))
        return None if disputed else {"N": len(certain)}

    def violate(self, response: str, kwargs: ExactlyKwargs, rng: Random) -> Mapping[str, Any] | None:
        certain, disputed = _numbers(Document.of(response))
        low, high = len(certain), len(certain) + len(disputed)
        return {"N": rng.choice([*range(max(0, low - 3), low), *range(high + 1, high + 4)])}

    def conflicts(self, this: Any, other: Any) -> bool:
        return bool(this.id == other.id and this.kwargs["N"] != other.kwargs["N"])


def _numbers(document: Document) -> tuple[list[Span], list[Span]]:
    """Figures, and what only some people count: list markers and spelled numbers."""
    markers = {match.end() - 1 for match in _LISTED.finditer(document.text)}
    figures = [Span(*match.span()) for match in _NUMBER.finditer(document.text)]
    certain = [span for span in figures if span.end not in markers]
    disputed = [span for span in figures if span.end in markers]
    spelled = (word.span for word in words_of(document, lambda w: not SPELLED_NUMBERS.isdisjoint(w.split("-"))))
    return certain, [*disputed, *spelled]


class Punctuation(Plain):
    id = "count:punctuation"
    phrasings = (
        "Use every standard punctuation mark at least once, including semicolons, colons, and the interrobang (?!).",
        "Your response must use each of . , ; : ! ? and the interrobang (?!) at least once.",
        "Include every standard punctuation mark, from full stop and comma to colon, semicolon and interrobang (?!).",
    )

    def judge(self, document: Document, kwargs: NoKwargs, prompt: str | None) -> Verdict:
        interrobang = _INTERROBANG.search(document.text)
        rest = (
            _INTERROBANG.sub("  ", document.text) if interrobang else document.text
        )  # its two marks are not an exclamation and a question
        missing = [name for name, marks in _STANDARD.items() if not any(mark in rest for mark in marks)]
        if interrobang is None:
            missing.append("interrobang")
        if missing:
            return Verdict("violated", f"missing: {listed(missing)}", missing)
        where = [min(at for mark in marks if (at := document.text.find(mark)) >= 0) for marks in _STANDARD.values()]
        return Verdict("satisfied", "every mark is used", [], tuple(Span(at, at + 1) for at in sorted(where)))

    def compat(self, response: str, kwargs: NoKwargs) -> bool:
        # Only the first interrobang is taken out, "?!" before "!?".
        found = next((mark for mark in ("?!", "!?") if mark in response), "")
        return bool(found or "‽" in response) and set(".,!?;:") <= set(
            response.replace(found, "", 1) if found else response
        )


class WordRangeKwargs(Kwargs):
    min_words: Whole = Field(ge=0, description="the lowest number of words")
    max_words: Whole = Field(ge=0, description="the highest number of words")

    @model_validator(mode="after")
    def _ordered(self) -> "WordRangeKwargs":
        if self.min_words > self.max_words:
            raise ValueError(f"min_words {self.min_words} is above max_words {self.max_words}")
        return self


class WordCountRange(Family[WordRangeKwargs]):
    id = "count:word_count_range"
    example = '{"min_words": 57, "max_words": 61}'
    kwargs = WordRangeKwargs
    phrasings = (
        "The response must contain between {min_words} and {max_words} words.",
        "Write {min_words} to {max_words} words.",
        "Keep your answer between {min_words} and {max_words} words long.",
    )

    def judge(self, document: Document, kwargs: WordRangeKwargs, prompt: str | None) -> Verdict:
        words = document.words
        kept = kwargs.min_words <= len(words) <= kwargs.max_words
        surplus = (Span(words[kwargs.max_words].start, words[-1].end),) if len(words) > kwargs.max_words else ()
        reason = f"{amount(len(words), 'word')} found where {kwargs.min_words} to {kwargs.max_words} are wanted"
        return Verdict("satisfied" if kept else "violated", reason, len(words), surplus)

    def compat(self, response: str, kwargs: WordRangeKwargs) -> bool:
        return kwargs.min_words <= len(nltk_compat.word_runs(response)) <= kwargs.max_words

    def satisfy(self, response: str, kwargs: WordRangeKwargs, rng: Random) -> Mapping[str, Any] | None:
        count = len(Document.of(response).words)
        low = max(0, count - rng.randint(0, 5))
        return {"min_words": low, "max_words": max(count, low + kwargs.max_words - kwargs.min_words)}

    def violate(self, response: str, kwargs: WordRangeKwargs, rng: Random) -> Mapping[str, Any] | None:
        count, width = len(Document.of(response).words), kwargs.max_words - kwargs.min_words
        margin = rng.randint(1, 5) + count // 20
        above = {"min_words": count + margin, "max_words": count + margin + width}
        high = count - margin
        below = {"min_words": max(0, high - width), "max_words": high}
        return rng.choice([above, below]) if high > 0 else above

    def conflicts(self, this: Any, other: Any) -> bool:
        if this.id != other.id:
            return False
        low = max(this.kwargs["min_words"], other.kwargs["min_words"])
        return bool(low > min(this.kwargs["max_words"], other.kwargs["max_words"]))


register(UniqueWordCount(), PersonNames(), Pronouns(), Conjunctions(), Numbers(), Punctuation(), WordCountRange())
