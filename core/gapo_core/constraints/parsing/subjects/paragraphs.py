"""Paragraphs: their number and separator are often asked for in different sentences, so rules find facts of both."""

from collections.abc import Iterator

from gapo_core.constraints.parsing.grammar import amount, number, ordinal
from gapo_core.constraints.parsing.rules import ASKED, STATED, Found, Kwargs, rule

_STARRED = (
    r"(?:(?<!\*)\*\s?\*\s?\*(?!\s?\*)|(?P<quoted>[\"“'‘`]\ue000{3}[\"”'’`])|three (?:asterisks?"
    r"|stars?)|3 (?:asterisks?|aste?risk(?: markers?| symbols?)?|stars?)|three asterisk (?:symbols?"
    r"|markers?))"
)
_SIX = r"(?:(?<!\*)\*{6,7}(?!\*)|(?:6|six) (?:asterisks?|stars?)(?: symbols?)?)"
_PART = (
    "(?:chapters?|steps?|scenes?|paragraphs?|sections?|parts?|stanzas?|verses?|pieces|chunks|blocks|segments|passages)"
)


def count(found: Found) -> Iterator[tuple[str, Kwargs]]:
    if (total := amount(found.match)) is not None:
        yield "fact:paragraphs", {"low": total.low, "high": total.high, "bare": total.bare}


def first_word_of_all(found: Found) -> Iterator[tuple[str, Kwargs]]:
    """ "The third of five paragraphs starts with …"."""
    total = number(found["number"])
    yield "fact:paragraphs", {"low": total, "high": total, "bare": True}
    yield "fact:first_word", {"nth": ordinal(found["ordinal"]), "word": found["item"]}


def first_word(found: Found) -> Iterator[tuple[str, Kwargs]]:
    yield "fact:first_word", {"nth": ordinal(found["ordinal"] or found["number"]), "word": found["item"]}


_START = "(?:starts?|begins?|opens?|commences?|starting|beginning|opening)"
TABLE = (
    rule(
        _SIX,
        "asterisk asterisks stars six 6 separate separated separating between divided split following middle",
        lambda found: [("fact:six_asterisks", {})],
        r"\b(?:about|meaning of|what (?:do|are)|why|explain) (?:(?:the|these|those) )?(?:six asterisks? ?)?$",
        moods=STATED,
    ),
    rule(
        "{ordinal} of (?:the |your )?{number} paragraphs (?:\\w+ ){0,2}?"
        + _START
        + " (?:off )?with(?: the)?(?: (?:exact|single))?(?: (?:word|phrase|term))?:? {item}",
        "paragraphs",
        first_word_of_all,
    ),
    rule(
        "(?:the )?(?:very )?{ordinal} paragraph(?: of (?:the|your) (?:\\w+ ){0,2}{text})? (?:\\w+ ){0,3}?"
        + _START
        + " (?:off )?with(?: the)?(?: (?:exact|single))?(?: (?:word|phrase|term))?:? {item}",
        "paragraph",
        first_word,
    ),
    rule(
        "paragraph (?:number )?#?{number} (?:\\w+ ){0,3}?"
        + _START
        + " (?:off )?with(?: the)?(?: (?:exact|single))?(?: (?:word|phrase|term))?:? {item}",
        "paragraph",
        first_word,
    ),
    rule(
        _START
        + (
            " (?:off )?the (?:very )?{ordinal} paragraph (?:off )?with(?: the)?(?: (?:exact|single))?(?: "
            "(?:word|phrase|term))?:? {item}"
        ),
        "paragraph",
        first_word,
    ),
    rule(
        _START + " paragraph (?:number )?#?{number} (?:off )?with(?: the)?(?: (?:word|phrase|term))?:? {item}",
        "paragraph",
        first_word,
    ),
    rule(
        "the {ordinal} (?:one|of (?:them|these|which|those))(?: (?:must|should|has to|needs to|will|to))? "
        + _START
        + " (?:off )?with(?: the)?(?: (?:exact|single))?(?: (?:word|phrase|term))?:? {item}",
        "one them these which those",
        first_word,
    ),
    rule(
        "{ordinal} (?:one|paragraph|of (?:them|these|those)) {must} (?:have|use|take|get) {item} (?:as|for) "
        "(?:its|the) (?:very )?(?:first|opening) word",
        "first opening",
        first_word,
    ),
    rule(
        "{item} as (?:the )?(?:very )?(?:first|opening) word of (?:the |your )?{ordinal} paragraph",
        "paragraph",
        first_word,
    ),
    rule(
        "{item} (?:must|should|has to|needs to|is to)? ?(?:be )?the first word of "
        "(?:(?:the )?{ordinal} paragraph|paragraph (?:number )?#?{number})",
        "paragraph",
        first_word,
    ),
    rule(
        (
            "the first word (?:of|in) (?:(?:the )?{ordinal} paragraph|paragraph (?:number )?#?{number}) "
            "(?:must|should|has to|needs to|is to|is|shall)? ?"
            "(?:be )?(?:the word )?{item}"
        ),
        "paragraph",
        first_word,
    ),
    rule(
        "{count}[ -](?:short |long |brief |distinct |separate |different |full |concise |whole ){0,2}" + _PART,
        (
            "chapters chapter step steps scene scenes paragraph paragraphs section sections part parts "
            "stanza stanzas verses pieces chunks blocks segments passages"
        ),
        count,
        (
            r"\b(?:each|every|per)(?! (?:version|response|answer|one)\b)[^.;]{0,20}$|\b(?:the first|the last"
            r"|the following)\s*$"
        ),
        ASKED,
    ),
    rule(
        _STARRED,
        (
            "use using with by dividers paragraph paragraphs separate separated separating separator between "
            "divider divided divide split sections section markdown parts stanzas asterisk asterisks "
            "linebreak break aterisk delimited delimiter line stars put insert"
        ),
        lambda found: [] if found["quoted"] not in ("", "***") else [("fact:starred", {})],
        moods=STATED,
    ),
    rule(
        (
            "separate (?:(?:the|your|my|its|between) )?(?:\\w+ ){1,4}?(?:and|from) (?:(?:the|your|my|its) )?"
            "(?:\\w+ ){1,4}?(?:by|with|using)(?=[^.!?\\n]{0,60}\\*\\*\\*)"
        ),
        "separate",
        lambda found: [("fact:paragraphs", {"low": 2, "high": 2, "bare": True})],
    ),
    rule(
        (
            "(?:(?:two|double|2|blank|empty|single blank) (?:\\w+ )?(?:new ?lines?|line ?breaks?|lines?)"
            "|\\\\n\\\\n|blank lines?)"
        ),
        "newlines newline lines line breaks linebreaks linebreak n blank empty new",
        lambda found: [("fact:blank_line", {})],
        moods=STATED,
    ),
)
