"""Placeholders, titles, postscripts, quotation marks, JSON."""

import re
from collections.abc import Iterator

from gapo_core.constraints.parsing.grammar import amount
from gapo_core.constraints.parsing.rules import Found, Kwargs, governed, rule


def placeholders(found: Found) -> Iterator[tuple[str, Kwargs]]:
    count = amount(found.match)
    if count and count.low:
        yield "detectable_content:number_placeholders", {"num_placeholders": count.low}


def one_placeholder(found: Found) -> Iterator[tuple[str, Kwargs]]:
    yield "detectable_content:number_placeholders", {"num_placeholders": 1}


def postscript(found: Found) -> Iterator[tuple[str, Kwargs]]:
    marker = found["marker"] or "P.S."
    if not re.fullmatch(r"[PpSs. ]+:?|post ?-?script(?:um)?", marker.strip("\"“”'‘’`*"), re.IGNORECASE):
        return
    double = sum(letter in "Pp" for letter in marker) > 1
    yield "detectable_content:postscript", {"postscript_marker": "P.P.S" if double else "P.S."}


_MARKER = r"(?P<marker>(?:\"|“|'|‘|`|\*\*)?(?:P\. ?P\. ?S\.?|PPS|P\. ?S\.?|\bPS\b|\ue000{2,7})(?:\"|”|'|’|`|\*\*)?)"
_PLACE = (
    rule(
        (
            "{count} (?:[\\w-]+ ){0,3}?\\[?(?:place ?-?holders?|fill-in-the-blank slots|(?:square[- ])?bracketed "
            "(?:fields|blanks|slots|placeholders))"
        ),
        "placeholder placeholders holders holder blank blanks bracketed",
        placeholders,
    ),
    rule(
        (
            "(?:blanks|slots|gaps|fields|brackets|variables)[^.!?\\n]{0,80}square "
            "brackets[^.!?\\n]{0,80}?{count} (?:of (?:them|these)|in total|such)"
        ),
        "square",
        placeholders,
    ),
    rule(
        (
            "{count} (?:\\w+ ){0,2}?(?:fields|blanks|slots|gaps|variables|spots|items|terms|tags) (?:(?:\\w+ "
            "){0,5}?(?:square )?brackets|(?:like|such as|e\\.g\\.),? \\[)"
        ),
        "square brackets fields blanks slots gaps variables spots",
        placeholders,
    ),
    rule(
        "(?:blanks|slots|gaps|fields|variables)[^.!?\\n]{0,60}, {count} of (?:them|these),? "
        "(?:\\w+ ){0,3}square brackets",
        "square",
        placeholders,
    ),
    rule("placeholders?(?:[^.!?\\n]{0,80}?) {times}", "placeholder placeholders", placeholders),
    rule(
        "placeholders?(?: \\w+){0,3} ?\\(?(?:{count}) (?:of them|in total|total)?",
        "placeholders placeholder",
        placeholders,
    ),
    rule(
        "(?:include|use|with|have|has|contain|contains|add|insert|leave) (?:a|one"
        "|some) (?:\\w+ )?placeholder\\b(?! names?)",
        "placeholder",
        one_placeholder,
        r"\b(?:replac|mark|mask|substitut|swap)\w*\b[^.;]{0,60}$",
    ),
)

TITLE, QUOTATION, JSON = "detectable_format:title", "startend:quotation", "detectable_format:json_format"
_WHOLE = (
    "(?:(?:your|the|my|this) )?(?:(?:entire|whole|complete|full|very|final|one-sentence) ){0,2}"
    "(?:{text}|thing|it|everything|output|all|all of it|story)"
)
_OTHER = (
    rule(
        (
            "double[ -]angul?[ae]r? (?:quotation |quote )?(?:brackets?|marks|quotes|parenthes[ei]s)|double "
            "angle[ -]brackets?|<<[^<>\\n]{0,60}>>|double angular|double chevrons"
        ),
        "double angular title titled angle heading headline called name",
        TITLE,
        r"\b(?:teach|learn|explain|why|how)\b[^.;]{0,40}$",
    ),
    rule(
        (
            "(?:note|section|line|paragraph|message|remark|addendum) (?:that )?(?:starting|starts|beginning"
            "|begins|marked|opening|prefixed|labell?ed)(?: off)? (?:with|by|as) "
        )
        + _MARKER,
        "p ps pps note section message",
        postscript,
    ),
    rule(
        (
            "(?:a |an |explicit(?:ly)? )?(?:post ?-?script(?:um)?|\\bP\\. ?P\\. ?S\\b|\\bP\\. ?S\\b|\\bPS\\b"
            "|\\bPPS\\b)\\.?(?: \\w+){0,8}? (?:(?:starting|starts?|beginning|begins?|opening|opens?|marked"
            "|indicated|introduced|denoted|labell?ed|using|prefixed|headed) (?:with|by|as|off with)(?: the)?"
            "(?: (?:words?|letters?|marker|label|text|initials))?:? |\\(|called )"
        )
        + _MARKER,
        "postscript ps pps p post",
        postscript,
    ),
    rule(
        (
            "(?:add|include|put|append|have|(?:do not|don['’]t) forget"
            "|write|with|need|needs|want|end|close|finish|attach|contain"
            "|contains|tack on|and(?! (?:add|include|put|append|have|write|attach|insert|then)\\b)|insert"
            "|then|must|explicitly|also|give|leave|conclude|place|feature|a)"
            "(?: \\w+){0,4}? (?:post ?-?script(?:um)?|"
        )
        + _MARKER
        + ")",
        "postscript ps pps p post",
        postscript,
        governed("no|not|without|avoid|never", 30)
        + r"|\b(?:explain|differences?|what|meaning|define|definition|point of|purpose|history of|why"
        r"|how)\b[^.;]{0,40}$",
    ),
    rule(
        (
            "(?:wrap|wrapped|enclose|enclosed|put|place|placed|surround|surrounded|set|encase|encased|envelop"
            "|enveloped|bracket|sandwich|contained|inside|within|frame|framed|cover|deliver|present|in"
            "|between)(?: "
        )
        + _WHOLE
        + (
            ")?(?: of it)?(?: (?:be|up|all|entirely|fully|completely))?(?: (?:with|in|by|inside|within"
            "|between|a pair of|both|around))*(?: double)?[- ](?:quot(?:ation|e|ing)[- ]?marks?|quotes"
            "|quotations|inverted commas|double quotes|speech marks)(?: around (?:it|everything))?"
        ),
        "quotation quotes quote quotations inverted speech",
        QUOTATION,
        (
            governed("not|never|no|any", 40)
            + r"|\b(?:titles?|name|the words?|each|every|fields?|dialog(?:ue)?s?|speech|thoughts|actions"
            r"|events?|verses?|strings?|mistakes|important|explain|sentences(?!, (?:and|but)\b)"
            r"|conversations?|lines|quotes|direct speech|keywords?|phrases?)\b[^.;:]{0,40}$"
        ),
    ),
    rule(
        "(?:wrap|enclose|put|place|surround|set|encase|frame|deliver|present)(?:ped|d|ed)? "
        "(?:(?:your|the|my|this) )?(?:entire|whole|complete|full) (?:[\\w-]+ )?[\\w-]+(?: (?:up|all))?"
        "(?: (?:with|in|by|inside|within|between|a pair of))+(?: double)?[- ]"
        "(?:quot(?:ation|e|ing)[- ]?marks?|quotes|quotations|inverted commas|double quotes|speech marks)",
        "quotation quotes quote quotations inverted speech",
        QUOTATION,
        governed("not|never|no|any|each|every", 40),
    ),
    rule(
        (
            "(?:quot(?:ation|e)[- ]?marks|quotes|inverted commas|speech marks) (?:should |must )?(?:(?:go"
            "|placed|put|be|wrapped|surrounding|enclosing|to) ){0,2}(?:around|surround|enclose|at (?:both "
            "ends|the (?:start|beginning) and (?:the )?end)(?: of)?)(?: "
        )
        + _WHOLE
        + ")?",
        "quotation quotes quote inverted speech",
        QUOTATION,
        governed("no|not|without|avoid|never", 20),
    ),
    rule(
        (
            "(?:start|begin|open) and (?:end|finish|close) (?:\\w+ ){0,4}?with (?:a )?(?:double )?"
            "(?:quotation marks?|quotes?)"
        ),
        "quotation quotes quote",
        QUOTATION,
    ),
    rule(
        (
            "\\b(?:in|as|into|using|with|valid|only|return|output|a|an|pure|raw|well-formed|proper|your|single"
            "|be|wrapped in|nothing but|plain|through)(?: (?:an?|the|valid|single|pure|only|well-formed"
            "|strict|raw|one|proper|parseable|correct))* (?-i:JSON|Json|json)(?![- ]?(?:schema|file|parser"
            "|and(?! (?:avoid|don|do|include|keep|use|no|never|mention)\\b)|differ|library|web|api|or"
            "|is|was|lines))(?: (?:format|formatted|object|block|code block"
            "|structure|blob|document|code|array|form|string|only|syntax))*"
        ),
        "json",
        JSON,
        governed("json schema|not|without|avoid|never|difference|than", 40) + r"|\b(?:about"
        r"|explain(?: to me)?)(?: the| what| how| an?)*\s*$",
    ),
    rule(
        "{start}(?:output |response |reply |answer )?format(?: is| must be)?:? (?:an? |valid |strict |pure )?JSON",
        "json",
        JSON,
    ),
    rule("JSON is the only (?:thing|format|output)|(?:output|response|reply|answer): (?:valid )?JSON", "json", JSON),
    rule(
        "(?:^|\\s)json[- ](?:format|formatted|only|output|please)",
        "json",
        JSON,
        governed("not|without|avoid|never|about", 40),
    ),
)

TABLE = (*_PLACE, *_OTHER)
