"""What the reference checkers of IFEval count, defects included; for the `compat` modes."""

import re
from functools import lru_cache

import punkt
import regex
from punkt.rules.language import LanguageVars

PATTERN_SECONDS = 0.25
_PREFIX = 16_384  # characters
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


@lru_cache(maxsize=1)
def _punkt() -> _Punkt:
    return _Punkt(punkt.load_model("english"), rules=_RULES)


def sentences(text: str, enough: int) -> int:
    """NLTK Punkt's number of sentences; of a long text a lower bound, once that reaches `enough`."""
    # A boundary needs a few words of context: all but the last sentence of a prefix are sentences of the whole.
    if len(text) > _PREFIX and (count := len(_punkt().tokenize(text[:_PREFIX])) - 1) >= enough:
        return count
    return len(_punkt().tokenize(text))


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


@lru_cache(maxsize=64)
def sentence_texts(text: str) -> tuple[str, ...]:
    """The sentences of NLTK's `sent_tokenize`."""
    return tuple(_punkt().tokenize(text))
