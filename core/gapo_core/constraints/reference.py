"""What the reference checkers of IFEval count, defects included; for the `compat` modes."""

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice, pairwise

import punkt
import regex
from punkt.rules.language import LanguageVars

PATTERN_SECONDS = 0.25
_LONG, _PART = 16_384, 4_096  # characters
# "?" and "!" always end a sentence; a full stop does behind a word longer than any abbreviation of the model.
_CERTAIN_END = re.compile(r"(?:[?!]|[a-z]{7}\.)\s+(?=[A-Z])|[?!]\s+(?=[^\W_]|[?!])")
_LONG_START = re.compile(rf".{{1,{_LONG}}}(?=\s)", re.DOTALL)
_METACHARACTERS = re.compile(r"[][.^$*+?{}|()\\]")

# NLTK 3.9's conventions, under which the published verdicts were made: typographic quotes are no punctuation.
_RULES = LanguageVars(
    non_word_chars=")\";}]*:@'({[",
    boundary_realignment_pattern=r'["\')\]}]+?(?:\s+|(?=--)|$)',
)


class _Punkt(punkt.PunktSentenceTokenizer):
    def _absorb_punctuation_only(self, text, spans):  # type: ignore[no-untyped-def]
        # NLTK counts the last mark of "Wow!!" as a sentence of its own; the library mends that.
        return (span for span in spans if span[0] < span[1])

    def _context_has_sentbreak(self, context: str) -> bool:
        # The last word and the next one decide: a text made of repetitions asks the same again and again.
        return _ends(context) if len(context) <= 64 else super()._context_has_sentbreak(context)


@lru_cache(maxsize=16384)
def _ends(context: str) -> bool:
    return super(_Punkt, _punkt())._context_has_sentbreak(context)


@lru_cache(maxsize=1)
def _punkt() -> _Punkt:
    return _Punkt(punkt.load_model("english"), rules=_RULES)


def _parts(text: str) -> Iterator[str]:
    """A long text in parts that end where Punkt is certain to end a sentence; it is quadratic in the whole."""
    start = 0
    while len(text) - start > _LONG:
        found = _CERTAIN_END.search(text, start + _PART)
        if found is None:
            break
        yield text[start : found.end()]
        start = found.end()
    yield text[start:]


def sentence_texts(text: str) -> Iterator[str]:
    """The sentences of NLTK's `sent_tokenize`, cut as they are asked for."""
    part = None
    for following in _parts(text):
        if part is not None:
            # A mark only ends a sentence when a word comes after it.
            yield from (one for one, _ in pairwise(_of_part(part + "Word")))
        part = following
    yield from _of_part(part or "")


def _of_part(part: str) -> Iterator[str]:
    """Punkt looks at the words beside a mark only: of the start of a long part all but the last two sentences are
    sentences of the whole."""
    while len(part) > _LONG and (start := _LONG_START.match(part)):
        spans = _spans(start.group())[:-1]
        if len(spans) < 2:
            break
        yield from (part[first:last] for first, last in spans[:-1])
        part = part[spans[-1][0] :]
    yield from (part[first:last] for first, last in _spans(part))


@lru_cache(maxsize=64)
def _spans(text: str) -> tuple[tuple[int, int], ...]:
    return tuple(_punkt().span_tokenize(text))


def sentences(text: str, enough: int) -> int:
    """NLTK Punkt's number of sentences, or `enough` where there are more."""
    return sum(1 for _ in islice(sentence_texts(text), enough))


# The Penn Treebank's word boundaries, as far as they part one run of capitals from another: punctuation that
# stands alone, clitics ("I'M" is "I" and "'M") and the contractions that are written as one word.
_PUNCTUATION = re.compile(r"""[;@\#$%&?!*\]\[(){}<>"“”„‘’«»]|''|``|--|[:,](?=\D|$)|\.\.+""")
_CLITIC = re.compile(r"(?<=[^' ])('[SMD]|'LL|'RE|'VE|N'T)(?=\.?(?:\s|$))", re.IGNORECASE)
_CONTRACTION = re.compile(
    r"\b(?:CAN(?=NOT\b)|D(?='YE\b)|GIM(?=ME\b)|GON(?=NA\b)|GOT(?=TA\b)|LEM(?=ME\b)|MORE(?='N\b)|WAN(?=NA\b))"
    r"|(?<=\s)'T(?=(?:IS|WAS)\b)",
    re.IGNORECASE,
)


def capital_words(text: str) -> int:
    """The number of upper-case tokens of NLTK's `word_tokenize`."""
    parted = _PUNCTUATION.sub(" ", text)
    parted = _CONTRACTION.sub(r"\g<0> ", _CLITIC.sub(r" \1 ", parted))
    return sum(map(str.isupper, parted.split()))


def occurrences(keyword: str, text: str, frame: str = "{}", flags: re.RegexFlag = re.IGNORECASE) -> int:
    """Matches of a keyword that the reference takes, unescaped, for a regular expression.

    A pattern on which the reference would crash, or that does not end in `PATTERN_SECONDS`, matches nothing.
    """
    pattern = frame.replace("{}", keyword)
    if not _METACHARACTERS.search(keyword):
        return len(re.findall(pattern, text, flags))
    try:
        return sum(1 for _ in regex.finditer(pattern, text, flags.value, timeout=PATTERN_SECONDS))
    except (regex.error, TimeoutError):
        return 0
