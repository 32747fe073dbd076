"""How the reference checkers of IFBench, which use NLTK, cut a text into tokens; for the `compat` modes."""

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from string import punctuation

from gapo_core.constraints.reference import sentence_texts

PUNCTUATION = punctuation  # the 32 ASCII marks: all that the reference takes for punctuation
_ALONE = r"\"`«»“”‘’„–—;@#$%&?!*()\[\]{}<>"
_PIECE = re.compile(
    rf"\.{{2,}}|--|''|``|[{_ALONE}]|[:,](?!\d)"  # marks that stand alone
    rf"|(?:(?!\.\.|--|'')[^\s:,{_ALONE}]|[:,](?=\d))+"  # everything between them
)
_CLITIC = re.compile(r"(?<=[^'])('s|'m|'d|'ll|'re|'ve|n't|')$", re.IGNORECASE)
_ONE_WORD = re.compile(r"(can)(not)|(d)('ye)|(gim)(me)|(gon)(na)|(got)(ta)|(lem)(me)|(more)('n)|(wan)(na)", re.I)
_OPENED = re.compile(r"'(?!re|ve|ll|m|t|s|d|n)\w")
_CLOSING = "])}>\"'»”’ \t\r\n"
_DELETED = str.maketrans("", "", PUNCTUATION)
_WORD = re.compile(r"\w+")


def unpunctuated(text: str) -> str:
    """The text without `PUNCTUATION`."""
    return text.translate(_DELETED)


def word_runs(text: str) -> list[str]:
    r"""Runs of `\w`, the words that the reference counts: "don't" is two."""
    return _WORD.findall(text)


def nth_sentence(text: str, number: int) -> str | None:
    """The sentence of that number, counted from 1; None where there are fewer."""
    return next(islice(sentence_texts(text), number - 1, None), None)


def tokens(text: str) -> Iterator[str]:
    """Penn Treebank tokens, sentence by sentence; a double quote is `` where it opens and '' where it closes."""
    return (token for sentence in sentence_texts(text) for token in sentence_tokens(sentence))


def sentence_tokens(sentence: str) -> list[str]:
    """Penn Treebank tokens of one sentence, whose last full stop is a token."""
    found: list[str] = []
    body = sentence.rstrip(_CLOSING)
    stop = len(body) - 1 if body.endswith(".") and not body.endswith("..") else -1
    for match in _PIECE.finditer(sentence):
        piece = match.group()
        final = match.start() <= stop < match.end() and piece != "."
        if final:
            piece, behind = piece[: stop - match.start()], piece[stop - match.start() + 1 :]
        if piece in ('"', "''"):
            piece = "``" if not match.start() or sentence[match.start() - 1] in " ([{<" else "''"
        found.extend(_parts(piece))
        if final:
            found.extend(["."] + ([behind] if behind else []))
    return found


@lru_cache(maxsize=65536)
def _parts(piece: str) -> tuple[str, ...]:
    """A piece without blanks, cut before its clitics."""
    if piece.isalnum() and not _ONE_WORD.fullmatch(piece):
        return (piece,)
    before: tuple[str, ...] = ()
    behind: tuple[str, ...] = ()
    while len(piece) > 1 and (clitic := _CLITIC.search(piece)):
        piece, behind = piece[: clitic.start()], (clitic.group(), *behind)
    if whole := _ONE_WORD.fullmatch(piece):
        return (*(part for part in whole.groups() if part), *behind)
    if _OPENED.match(piece):
        before, piece = ("'",), piece[1:]
    return (*before, piece, *behind)
