"""Letters: how often one must stand in the response, and which must not."""

from collections.abc import Iterable, Iterator

from gapo_core.constraints.parsing.grammar import amount
from gapo_core.constraints.parsing.rules import ASKED, Found, Kwargs, rule

USED = (
    "(?:appear|appears|appearing|occur|occurs|occurring|show up|shows up|showing up|turn up|turns up"
    "|be used|be mentioned|be included"
    "|be present|be repeated|be featured|be found|feature|features|come up|comes up|crop up|crops up"
    "|is used|is mentioned|are used"
    "|used|mentioned|be in (?:it|there|(?:the|your|this) {text})|repeated|be there|be written|be said)"
)


def letters(found: Found) -> Iterator[tuple[str, Kwargs]]:
    count = amount(found.match)
    for relation, number in count.relations() if count else ():
        yield _letter(found["letter"], relation, number)


def no_letter(found: Found) -> Iterable[tuple[str, Kwargs]]:
    return [_letter(found["letter"], "less than", 1)]


def hashtags(found: Found) -> Iterator[tuple[str, Kwargs]]:
    count = amount(found.match)
    for relation, number in count.relations() if count else ():
        yield _letter("#", relation, number)


def _letter(letter: str, relation: str, number: int) -> tuple[str, Kwargs]:
    return "keywords:letter_frequency", {
        "let_relation": relation,
        "letter": letter.strip("'\"“”‘’"),
        "let_frequency": number,
    }


WHERE = "(?: (?:in|within|throughout|anywhere in|inside|of|across) (?:\\w+ ){0,3}{text})?"
_LETTER = "(?:letters?|character|symbol) (?P<letter>[\"“'‘’`]?(?:[a-z#!]|\ue000)[\"”'’`]?)(?!\\w)"
TABLE = (
    rule(
        _LETTER
        + WHERE
        + "(?: (?:\\w+ ){0,3}|, )?"
        + "(?:{must} )?(?:only )?(?:not )?"
        + USED
        + "(?: (?:in|within|throughout) (?:\\w+ ){0,3}{text})? {times}",
        "letter letters character symbol",
        letters,
    ),
    rule(_LETTER + WHERE + ":? {times}", "letter letters character", letters),
    rule("{count} (?:instances?|occurrences?|uses|appearances?|copies|examples) of the " + _LETTER, "letter", letters),
    rule(
        (
            "{not} (?:(?:use|using|include|including|contain|containing|have|having|employ|write|allow|permit"
            "|be|ever|you|to|any|words? (?:that )?(?:with|contain|containing|that contain)|with|of|the|a"
            "|single|instances?|occurrences?|text|words) ){0,6}"
        )
        + _LETTER,
        "letter",
        no_letter,
        r"\b(?:who|people|they|characters?)\b[^.;!?]{0,40}$|\b(?:an?|one|any|each|every) (?:\w+ )?(?:word|name)\s*$",
        ASKED,
    ),
    rule(
        _LETTER
        + (
            "(?: (?:\\w+ ){0,3})?(?:must|should|may|can|is|shall|are|does)(?: ?not|n['’]t) (?:\\w+ ){0,2}"
            "(?:occur|appear|be|used|allowed|permitted|feature|show up)(?: (?:used|present|included|found"
            "|there))?(?: at all)?"
        ),
        "letter",
        no_letter,
    ),
    rule(
        _LETTER + " (?:is|are) (?:forbidden|banned|off[- ]limits|prohibited|not allowed|disallowed|taboo)",
        "letter",
        no_letter,
    ),
    rule(
        "{not} (?:contain|use|include|have|see) (?:a single|any|even one|one) (?P<letter>[\"“'‘]\ue000[\"”'’])s?",
        "contain use include have see",
        no_letter,
    ),
    rule("{times} the " + _LETTER, "letter", letters),
    # "Three x's or more in it".
    rule(
        "{count} (?P<letter>[a-z])['’]s{after}(?= (?:in (?:it|there|(?:the|your) {text})|\\(the letter))",
        "s",
        letters,
    ),
    rule("{count} hashtags?", "hashtag hashtags", hashtags),
    rule("{count} (?:of )?(?:the )?" + _LETTER, "letter letters", letters),
    rule(
        "no (?:letter )?(?P<letter>[\"“'‘]?(?:[a-z]|\ue000)[\"”'’])s?(?= (?:anywhere|at all|allowed)|[.!]?$)",
        "no",
        no_letter,
    ),
)
