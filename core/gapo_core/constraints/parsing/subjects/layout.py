"""Bullets, highlighted parts, marked sections."""

import re
from collections.abc import Iterator

from gapo_core.constraints.parsing.grammar import NUMBER, amount, number
from gapo_core.constraints.parsing.rules import ASKED, Found, Kwargs, rule

HIGHLIGHTS = "detectable_format:number_highlighted_sections"
_MARKED = "(?:markdown|asterisks?|stars?|\\*|italics?|bold|highlighted|italici[sz]e|boldface)"


_LIST = re.compile(r"\s+lists?\b", re.IGNORECASE)  # "one bulleted list" has many bullets


def bullets(found: Found) -> Iterator[tuple[str, Kwargs]]:
    count = amount(found.match)
    if count and count.exact and not (count.exact == 1 and _LIST.match(found.match.string, found.match.end())):
        yield "detectable_format:number_bullet_lists", {"num_bullets": count.exact}


def highlights(found: Found) -> Iterator[tuple[str, Kwargs]]:
    count = amount(found.match)
    # The constraint is a least number; "exactly three" asks for at least three too.
    if count and count.low:
        yield HIGHLIGHTS, {"num_highlights": count.low}


def one_highlight(found: Found) -> Iterator[tuple[str, Kwargs]]:
    yield HIGHLIGHTS, {"num_highlights": 1}


def sections(found: Found) -> Iterator[tuple[str, Kwargs]]:
    yield (
        "fact:section_mark",
        {"splitter": found["splitter"].strip("'\"“”‘’*#").removesuffix(" X").removesuffix(" 1").strip()},
    )


def named_sections(found: Found) -> Iterator[tuple[str, Kwargs]]:
    marks = found.items("items")
    first = marks[0].rsplit(" ", 1)
    if len(marks) > 1 and len(first) == 2 and first[1] in ("1", "I", "A", "X"):
        yield "fact:section_mark", {"splitter": first[0]}


def numbered_sections(found: Found) -> Iterator[tuple[str, Kwargs]]:
    yield from sections(found)
    count = len(re.findall(re.escape(found["splitter"]), found.match.group()))
    yield "fact:paragraphs", {"low": count, "high": count, "bare": True}


def row_of_sections(found: Found) -> Iterator[tuple[str, Kwargs]]:
    """ "Day 1, Day 2 and Day 3": as many as the last is numbered, unless the row goes on ("and so on")."""
    yield "fact:section_mark", {"splitter": found["splitter"]}
    if found["n"]:
        yield from _section_count(found)
    elif found["last"] or not found["open"]:
        end = int(re.findall(r"\d+", found.match.group("row"))[-1])
        yield "fact:paragraphs", {"low": end, "high": end, "bare": True}


def _section_count(found: Found) -> Iterator[tuple[str, Kwargs]]:
    if count := amount(found.match):
        yield "fact:paragraphs", {"low": count.low, "high": count.high, "bare": count.bare}


def quoted_row(found: Found) -> Iterator[tuple[str, Kwargs]]:
    """ "Labelled 'Part 1', 'Part 2' and 'Part 3'": the row tells how many, unless it is only begun."""
    yield from named_sections(found)
    numbers = [mark.rsplit(" ", 1)[-1] for mark in found.items()]
    if len(numbers) > 2 and numbers == [str(n) for n in range(1, len(numbers) + 1)] and not found["open"]:
        yield "fact:paragraphs", {"low": len(numbers), "high": len(numbers), "bare": True}


def named_section(found: Found) -> Iterator[tuple[str, Kwargs]]:
    mark = found["quoted"].rsplit(" ", 1)
    if len(mark) == 2 and mark[1] in ("1", "I", "A", "X"):
        yield "fact:section_mark", {"splitter": mark[0]}


_PIECES = (
    "(?:sections?|parts?|phrases?|words?(?: or phrases)?|passages?|texts?|text sections?|text parts?"
    "|sentences?|keywords?|key words|spans?|terms?|snippets?|pieces|portions?|segments?|key phrases?"
    "|ideas?|key points?|points|lines?|bits|elements|names?|of your favorite \\w+|excerpts?|areas"
    "|places|items|expressions|key ideas|statements?|fragments?|chunks)"
)
_EMPHASISE = (
    "(?:highlight(?:s|ed|ing)?|italici[sz]e[ds]?|italici[sz]ing|bold(?:ed|ing)?|emphasi[sz]e[ds]?"
    "|emphasi[sz]ing|put|mark|set|format|stress|underscore|render)"
)
_H = (
    "highlight highlighted highlights highlighting italic italics italicize italicise italicized "
    "bold bolded emphasize emphasise emphasized emphasis markdown asterisk asterisks emphasising "
    "emphasizing stars"
)
_HIGHLIGHT = (
    rule("(?:italici[sz]e[ds]?|italici[sz]ing) {count} (?:of )?(?:\\w+ ){0,3}?" + _PIECES, _H, highlights),
    rule(
        _EMPHASISE
        + " (?:(?!not|response|into)\\w+ ){0,3}?{count} (?:\\w+ ){0,3}?"
        + _PIECES
        + "(?=[^.!?]{0,140}?"
        + _MARKED
        + ")",
        _H,
        highlights,
    ),
    rule(
        "(?:highlight|italici[sz]e|bold|emphasi[sz]e)(?:s|d|ing)? {count} (?:\\w+ ){0,3}?(?:\\w+s)\\b(?=[^.!?]{0,140}?"
        + _MARKED
        + ")",
        _H,
        highlights,
    ),
    rule(
        "(?:markdown|asterisks|italics|bold|\\*|\\*\\*)(?: \\w+){0,6}? to "
        + _EMPHASISE
        + "(?:/\\w+)? {count} (?:\\w+ ){0,3}?"
        + _PIECES,
        _H,
        highlights,
    ),
    rule(
        "{count} (?:\\w+ ){0,2}?(?:italic(?:i[sz]ed)?|highlighted|bold(?:ed)?|emphasi[sz]ed)(?: \\w+){0,2}? " + _PIECES,
        _H,
        highlights,
    ),
    rule(
        "{count} (?:\\w+ ){0,2}?"
        + _PIECES
        + (
            " (?:\\w+ ){0,6}?(?:be |are |is )?(?:highlighted|italici[sz]ed|in italics?|in bold|bolded"
            "|emphasi[sz]ed|wrapped in (?:single )?asterisks|marked with asterisks)(?! (?:in|with) (?:green"
            "|yellow|red|blue))"
        ),
        _H,
        highlights,
    ),
    rule(
        (
            "(?:add|apply|use|put|want|need) (?:\\*italics\\*|italics|bold|\\*emphasis\\*|emphasis|asterisks"
            "|markdown highlighting)(?: (?:or|and) (?:italics|bold))?(?: \\(\\w+\\))? (?:to|on|around|for) "
            "{count} (?:\\w+ ){0,2}?"
        )
        + _PIECES,
        _H,
        highlights,
    ),
    rule(
        "(?:highlight|italici[sz]|bold|emphasi)\\w*[^.!?\\n]{0,60}?(?:, | ?\\(|: "
        "| [–-] ){count} (?:of (?:them|these)|in total)",
        _H,
        highlights,
    ),
    # Whatever is marked so: "put at least three warnings in bold", "mark four takeaways *like this*".
    rule(
        "(?:put|set|mark|print|make|show|write|give|highlight|flag) (?:me )?{count} (?:[\\w-]+ ){0,2}?[\\w-]+s "
        "(?:(?:(?:be |stand )?in )?(?:bold(?:face)?|italics?)\\b|(?:with|in|between) (?:\\w+ )?asterisks|(?:\\w+ )?"
        "(?:\\*\\*?|_)(?:like )?(?:this|so)(?:\\*\\*?|_))(?! (?:and )?(?:red|green|blue|capital|each))",
        _H + " like this mark",
        highlights,
    ),
    rule("{count} (?:highlights|emphasi[sz]ed|italics)", _H, highlights),
    rule("(?<!in\\s)(?<!/)\\bbold(?:ed|ing)? {count} (?:of )?(?:\\w+ ){0,3}?" + _PIECES, _H, highlights),
    rule("asterisk symbol[^.]{0,12} to highlight some (?:words|phrases|words or phrases) {times}", _H, highlights),
    rule(
        _EMPHASISE
        + (
            " (?:some|a few|any)(?: of the)?(?: important| key)? (?:words?(?: or phrases)?|phrases?|sections?"
            "|parts?)(?=[^.!?]{0,60}?"
        )
        + _MARKED
        + ")",
        _H,
        one_highlight,
    ),
    rule(
        "highlight (?:the |its |a )?\\w+ by (?:wrapping|surrounding|enclosing) it (?:with|in) (?:\\*|asterisks|stars)",
        _H,
        one_highlight,
    ),
    rule(
        "(?:an?|one) (?:\\w+ )?(?:highlighted|italic(?:i[sz]ed)?) (?:text )?(?:section|part|phrase|passage)",
        _H,
        one_highlight,
    ),
)

_B = "bullet bullets bulleted bulletpoints bulletpoint"
# "4 pros and 3 cons as bullet points" are seven.
_AFTER_ANOTHER = (
    rf"\b{NUMBER}\s+(?!(?:bullet|sentence|word|paragraph|character|placeholder|section)s?\b)"
    r"[\w-]+(?:\s+[\w-]+)?\s+and\s+$"
)
_BULLETS = (
    rule(
        (
            "{count}(?:-| (?:(?!(?:example|sample|of)\\b)\\w+ ){0,3}?)(?:bullet(?:ed)?(?:[- ]?points?|"
            " items?)?|bullets|bulletpoints?)\\b(?! ?-?(?:points?|items?)\\b)(?: "
            "only)?{after}(?! (?:each|per|lists|for (?:each|every|the (?!{text})|any|elements)|under))"
        ),
        _B,
        bullets,
        r"\b(?:each|every|per)\b(?! separated)[^.;*]{0,30}$" + f"|{_AFTER_ANOTHER}",
        ASKED,
    ),
    rule(
        "{count} (?:\\w+ ){0,2}?(?:items|points|lines|entries) (?:\\w+ ){0,4}?(?:bullet(?:ed)?|bullets)",
        _B,
        bullets,
        r"\b(?:each|every|per)\b(?! separated)[^.;*]{0,30}$",
    ),
    rule(
        (
            "(?:list|name|give|provide|suggest|write|share|offer|present|state)(?: me| us)?(?: only)? "
            "{count} (?:(?!and\\b|or\\b|the\\b|each\\b)[\\w'’-]+ ){1,9}?(?:as|using|in|with|via|in the form "
            "of)(?: an?)?(?: markdown)? (?:bullet(?:ed)?(?: points?| list)?|bullets)"
        ),
        _B,
        bullets,
    ),
    rule(
        (
            "(?:list|name|give|provide|suggest|share|offer|present|generate)(?: me| us)? exactly(?= {number} "
            "(?!paragraph|sentence|word|bullet))"
        ),
        "exactly",
        lambda found: [("fact:listed", {"count": number(found["number"])})],
    ),
    rule(
        "{start}(?:exactly|precisely|just|only) (?={number} of them[.!]?$)",
        "them",
        lambda found: [("fact:listed", {"count": number(found["number"])})],
    ),
    rule(
        "bullet(?:ed)?(?:[- ]?points?|s| list| form(?:at)?)[^.!?\\n]{0,30}?(?:, | ?\\(|: | [–-] ){count}"
        "(?: (?:of (?:them|these)|in total|altogether|overall|items|entries|points))?(?=[,.;!?)]|$)",
        _B,
        bullets,
        r"\b(?:each|every|per)\b[^.;*]{0,30}$",
    ),
    rule("{start}bullet(?: point)?s,? please", _B, lambda found: [("fact:bulleted", {})]),
    rule(
        (
            "(?:put|write|present|list|arrange|format|show|place|give)(?: \\w+){0,5}? (?:into|in|as|using"
            "|with) (?:an? )?(?:markdown )?(?:bullet(?:ed)?(?: points?| lists?)|bullets)"
        ),
        _B,
        lambda found: [("fact:bulleted", {})],
    ),
    rule("number of bullet(?:s| points)(?: (?:must|should|has to|is to))?(?: be| is|:)? {count}", _B, bullets),
    rule(
        (
            "(?:bullet(?:ed)?(?: points?)?|bullets?)(?: list)? (?:list )?(?:of|with|containing|that has) "
            "{count}(?: (?:items|points|entries|bullets|bullet points))"
        ),
        _B,
        bullets,
    ),
)

_SPLITTER = (
    "(?P<splitter>(?:\"|“|'|‘|`|\\*\\*)?(?:(?-i:[A-Z])[\\w]{2,20}|\ue000{3,24})(?:\"|”|'|’|`|\\*\\*)?"
    "(?: (?:X|1|#|number|no\\.?|\\(?number\\)?|I)\\b)?)"
)
_ROW = (
    r"(?P<row>(?P<splitter>(?-i:[A-Z])[\w]{2,20}) 1(?:,? (?:and |& )?(?P=splitter) \d{1,2}){1,20}"
    r"(?P<open>,? (?:and so (?:on|forth)|etc\.?|…|\.\.\.))?(?:,? ?(?:up |down )?(?:to|until|through|till)"
    r" (?P=splitter) "
    r"(?P<last>\d{1,2}))?)(?:,? {count} (?:entries|of (?:them|these)|in (?:all|total)|altogether)(?: or more)?)?"
)
_ANNOUNCED = (
    r"(?:(?:structure|headings?|headers?|sections|parts|layout|outline|format)(?: it| them| the \w+)?"
    r"(?: (?:as|into|with|in|under|are|is|should be|must be|to be))?:? "
    r"|(?:broken(?: up| down)?|divide[ds]?|split(?: up)?|structure[ds]?|organi[sz]e[ds]?|arranged?|laid out)"
    r"(?: (?:it|this|the \w+|up))?(?: (?:as|into|in|under|with|by))?:? "
    r"|(?:call|name|label|mark|title|number|called|named|labell?ed|marked|titled|headed)"
    r"(?: (?:the |your |each )?\w+){0,2}?(?: (?:as|with|by))?:? )"
)
# Of a work that there is: "the film has parts called …".
_WORKS = (
    r"\b(?:book|novel|film|movie|series|album|game|trilogy|saga|season)s? (?:is|was|has|had|called|named)\b[^.;]{0,40}$"
)
_SECTIONS = (
    # Named in a row: "broken up as PART 1, PART 2 and PART 3", "Week 1, Week 2 and so on up to Week 6".
    rule(
        _ANNOUNCED + _ROW,
        "structure heading headings header headers sections parts layout outline format broken divided divide split "
        "structured organised organized arranged arrange organise organize call name label mark title number called "
        "labelled labeled marked titled headed under",
        row_of_sections,
        _WORKS,
    ),
    rule(
        _ROW + ",? (?:as|for|being|with (?:those|these)) (?:the |your |its )?(?:\\w+ )?"
        "(?:headings?|headers|titles|labels|section titles|markers?|names)",
        "headings heading headers titles labels markers marker",
        row_of_sections,
        _WORKS,
    ),
    rule(
        (
            "(?:mark|begin|start|label|head|title|introduce|precede|preface|name|open|denote|identify"
            "|indicate|flag|announce)(?: the)?(?: (?:start|beginning|top|opening|heading))?(?: of)?(?: each| "
            "every)(?: (?:of the|one of the|new|separate|individual))? (?:section|part|chapter|paragraph|day"
            "|scene|stanza|verse|one|phase|round|act|step|sentence|response)s? (?:\\w+ )?(?:with|by|as|using)"
            "(?: (?:the|a|word|words|text|heading|header|label|mark|keyword|marker|following|writing|putting"
            "|title|exact|saying|placing)){0,4}:? ?"
        )
        + _SPLITTER,
        "section sections part parts chapter each every",
        sections,
    ),
    rule(
        (
            "(?:mark|begin|start|label|indicate|open|introduce)(?:ing)?(?: the)?(?: (?:start|beginning|top"
            "|opening))?(?: of)? (?:each|every|sections|parts|chapters)(?: one)? (?:with|by|as)(?: (?:the|a"
            "|word|words|text|heading|putting|writing)){0,3}:? ?"
        )
        + _SPLITTER,
        "section sections part parts chapter chapters each every",
        sections,
    ),
    rule(
        (
            "{quoted} (?:to )?(?:marking|mark|at|labell?ing|label) (?:the )?(?:beginning|start|top) of each "
            "(?:section|part|chapter)"
        ),
        "section part chapter",
        named_section,
    ),
    rule(
        (
            "(?P<splitter>(?-i:SECTION|Section|PART|Part|CHAPTER|Chapter|DAY|Day|STEP|Step)) (?-i:X\\b"
            "|1(?= and| (?:up )?to| through| ?[,–-]| ?\\.\\.\\.))"
        ),
        "section part chapter sections parts chapters day days step steps",
        sections,
    ),
    rule(
        (
            "each (?:section|part|chapter|one|day|stanza|verse|phase|round|act|scene)?(?: \\w+){0,3}? ?"
            "(?:start(?:s|ing)?|begin(?:s|ning)?|headed|header|labell?ed|marked|titled|introduced|preceded"
            "|named|open(?:s|ing)?|prefixed|with)(?: (?:with|by|as|at|its beginning|the|a|word|words|heading"
            "|text|label|keyword|header)){0,5}:? ?"
        )
        + _SPLITTER,
        "each",
        sections,
    ),
    rule(
        (
            "{count} (?:sections|parts|chapters|days|scenes|rounds|acts|stanzas|verses),?:? (?:\\w+ "
            ")?{quotes}(?: (?:and so on|etc))?"
        ),
        "sections parts chapters",
        lambda found: [*_section_count(found), *named_sections(found)],
    ),
    rule(
        (
            "(?P<splitter>[a-z]\\w{2,20}) 1,? (?:and )?(?P=splitter) 2(?:,? (?:and )?(?P=splitter) 3)?(?:,? "
            "(?:and )?(?P=splitter) 4)?(?:,? (?:and )?(?P=splitter) (?P<last>5))?"
        ),
        "mark label begin start head heading marked labelled labeled headed each",
        numbered_sections,
    ),
    rule(
        "(?:marked|labell?ed|headed|titled|called|named|headings?|headers?)(?: with| as| by)?:? {quotes}"
        "(?P<open>,? (?:and so (?:on|forth)|etc))?",
        "marked labelled labeled headed titled called named heading headings headers",
        quoted_row,
    ),
)
TABLE = (*_HIGHLIGHT, *_SECTIONS, *_BULLETS)
