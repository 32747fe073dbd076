"""How the response begins and ends."""

from collections.abc import Iterator

from gapo_core.constraints.parsing.rules import Found, Kwargs, governed, rule

_SAYING = (
    r"(?: (?:with|on|by|using|saying|in|the|these|this|those|your|exact|exactly|same|following|words?"
    r"|phrase|sentence|line|question|statement|text|of|entire|whole|"
    r"a|last|final|closing|message|specific|expression|as|like|it|all|everything|out|things|off|up"
    r"|writing|adding|note|stating|precisely|remark|very|verbatim|quote|literally|only|precise|just|literal))*"
)
_FINISH = (
    "(?:end(?! (?:of|date|sentences|lines|words|your (?:sentences|lines)|user|goal)\\b)|ends|ending|finish"
    "|finishes|finishing|conclude|concludes|close|closes|closing|terminate"
    "|terminates|be (?:ended|finished|concluded|closed)|sign it"
    "|(?:wrap|wraps|wrapping) (?:(?:it|this|that|things|everything) )?up"
    "|(?:round|rounds|rounding|sign|signs|signing) (?:(?:it|this|that|things|everything) )?off)"
)


def end(found: Found) -> Iterator[tuple[str, Kwargs]]:
    phrase = found["quoted"] or found["line"].strip()
    if any(letter.isalnum() for letter in phrase):
        yield "startend:end_checker", {"end_phrase": phrase}


def start(found: Found) -> Iterator[tuple[str, Kwargs]]:
    yield "startend:starts", {"phrase": found["quoted"]}


# "Every answer" is the response of a bot, "each answer" one of several.
_OF_EACH = r"(?:each|every(?! (?:single )?(?:answer|response|reply|message)\b)|per)"
_PART = (
    governed("not|never", 50, ".;,")
    + rf"|\b{_OF_EACH}\b[^.;,]{{0,50}}$"
    # "All lines rhyme and end with …"; "make it all lowercase and end with …" has two demands on the whole.
    + r"|\ball\b(?![^.;,]{0,50}\band\s*$)[^.;,]{0,50}$"
    + r"|\ball (?:(?:the|of|your|these) ){0,3}(?!caps\b|capitals\b)\w+s (?!and\b)[^.;,]{0,50}$"
    + r"|\b(?:words?|names?|sentences?|lines?|messages|suffix|chorus|questions?|titles?)\b "
    r"(?:(?!and\b|but\b)\w+ ){0,3}$"
    r"|\b(?:paragraphs|sentences|lines"
    r"|bullets?|title)\s*$"
)
_PART_AT_THE_START = (
    governed("not|never", 40) + rf"|\b(?:{_OF_EACH}|paragraph|sections?|word|questions?|chorus|names?|titles?"
    r"|headings?|verses?|first (?:response|reply|answer))\b[^.;]{0,40}$"
    # "Sentences start with …", not "three sentences, and start with …".
    r"|\b(?:paragraphs|sentences|lines|words)\b(?! (?:max|min|tops|at (?:most|least)|or (?:less|fewer|more))\b)"
    r"(?!,? (?:and|but|then)(?: please)? $)[^.;]{0,40}$"
)
_PHRASE = "(?:the )?(?:exact )?(?:(?:words?|phrase|sentence|line):? )?{quoted}"
# One of several will do: 'start with "Yes" or "No"'.
_OR = r"\s*(?:,?\s*(?:or|and/or)\b|/(?!/)|,\s*[\"“'‘])"
_CUES = (
    "end ends ending ended finished concluded closed finish finishes finishing conclude concludes close closes closing "
    "terminate sign signs signing wrap wraps wrapping round rounds rounding last final very"
)
TABLE = (
    rule(
        "(?:(?:begin|start|open)(?: (?:it|this|that|things|everything))?"
        "|(?:kick|start) (?:(?:it|this|that|things|everything) )?off) "
        "(?:(?:your|the) )?(?:(?:entire |whole )?{text} )?with:? " + _PHRASE,
        "begin start open kick",
        start,
        _PART_AT_THE_START,
        before=_OR,
    ),
    # Whatever part was spoken of before it: "each with an asterisk in front, and start your reply with …".
    rule(
        "(?:begin|start|open) (?:your|the) (?:entire |whole )?(?:response|answer|reply|output|text|e-?mail|letter"
        "|message)"
        " (?:off )?with:? " + _PHRASE,
        "begin start open",
        start,
        governed("not|never", 40),
        before=_OR,
    ),
    rule(
        r"\b(?!paragraph|note){text},? (?:(?:that|which) )?(?:starts|begins|opens|starting|beginning|opening)(?: off)? "
        "with:? " + _PHRASE,
        "starts begins opens starting beginning opening",
        start,
        _PART_AT_THE_START + r"|\b(?:check|when|whenever|why|how|if|whether|include|add|insert|append)\b[^.;]{0,50}$",
        before=_OR,
    ),
    rule(
        "{start}(?:start|begin|opening|(?:first|opening) (?:sentence|line|words?)): {quoted}",
        "start begin opening first",
        start,
        before=_OR,
    ),
    rule(
        "(?:first words?|(?:first|opening) (?:line|sentence))(?: (?:of|in) (?:your|the) (?:entire |whole )?{text})? "
        "(?:(?:should|must|shall|has to|have to|needs? to|is to|are to) (?:be|read|say):? )" + _PHRASE,
        "first opening",
        start,
        _PART_AT_THE_START,
        before=_OR,
    ),
    rule(
        _FINISH + r"(?: (?!(?:each|every|all)\b)[\w'’]+){0,12}?:(?=\s*$)",
        _CUES,
        lambda found: [("fact:end_follows", {})],
        _PART,
    ),
    rule(
        _FINISH
        + r"(?: (?!(?:each|every|with|all)\b)[\w'’]+){0,8}?(?: with| by| on| off| up)"
        + _SAYING
        + r"[:,]? ?{quoted}",
        _CUES,
        end,
        _PART,
        before=_OR,
    ),
    rule(_FINISH + r"(?: (?!(?:each|every|all)\b)[\w'’]+){0,5}" + r"[:,]? ?{quoted}", _CUES, end, _PART, before=_OR),
    rule(
        (
            r"(?:last|final|closing|very last) (?:sentence|line|words?|phrase|thing|statement|text|part|bit"
            r"|thing you (?:say|write))(?: (?:in|of|you (?:write|say))(?: \w+){0,4}?)?"
            r"(?:,? (?:to the letter|verbatim|word for word))?"
            r"(?: (?:should|must|has to|have to|needs? to|is to|shall|is|are|reads?|will))?"
            r"(?: (?:be|read|say|is|are|reads?))?"
            r"(?: (?:exactly|the|phrase|sentence|words?|literally|this|like|precisely|following))*:? ?{quoted}"
        ),
        _CUES,
        end,
        _PART,
        before=_OR,
    ),
    rule(
        (
            r"(?:very )?end of (?:\w+ ){0,3}{text} (?:should|must|has to|needs to|is to) (?:be|read|say)(?: "
            r"(?:exactly|the|phrase|like|sentence|words?))*:? ?{quoted}"
        ),
        "end",
        end,
        before=_OR,
    ),
    rule(
        (
            r"{quoted} (?:must|should|has to|needs to) (?:be )?(?:the|your) (?:very )?(?:last|final|closing) "
            r"(?:words?|sentence|line|phrase|thing|statement)"
        ),
        "last final closing",
        end,
        before=_OR,
    ),
    rule(
        "(?:make|let|have|leave) {quoted} (?:be )?(?:the|your) (?:very )?(?:last|final|closing) "
        "(?:words?|sentence|line|phrase|thing|statement|bit)(?! (?:of|in) (?:each|every))",
        "last final closing",
        end,
        before=_OR,
    ),
    rule(
        r"(?:put|place|write|add|say|use|append) {quoted} at the (?:very )?end(?! of (?:each|every))",
        "end",
        end,
        before=_OR,
    ),
    # The phrase may stand unquoted after a colon, or after "the exact phrase".
    rule(
        _FINISH + r"(?: (?!(?:each|every|all)\b)[\w'’]+){0,12}?:\s{1,3}(?P<line>(?!\ue000)[^\n\ue000\"“”]{2,200})",
        _CUES,
        end,
        _PART,
        before=_OR,
    ),
    rule(
        (
            r"(?:last|final|closing|very last) (?:sentence|line|words?|phrase|thing|statement)(?: (?:in|of)"
            r"(?: \w+){0,4}?)? (?:should|must|has to|needs to|is to|shall|is)(?: (?:be|read|say))?(?: "
            r"(?:exactly|the|phrase|like))*:\s{1,3}(?P<line>[^\n\ue000\"“”]{2,200})"
        ),
        _CUES,
        end,
        _PART,
        before=_OR,
    ),
    rule(
        (
            r"(?:very )?end of (?:\w+ ){0,3}{text} (?:should|must|has to|needs to) (?:be|read|say)(?: "
            r"(?:exactly|like))*:\s{1,3}(?P<line>[^\n\ue000\"“”]{2,200})"
        ),
        "end",
        end,
        before=_OR,
    ),
    rule(
        _FINISH
        + (
            r"(?: (?!(?:each|every|all)\b)[\w'’]+){0,5}? with(?: the| this) exact (?:phrase|sentence|words"
            r"|line|question)(?: of)? (?P<line>(?-i:[A-Z])[^\n\ue000\"“”:]{2,200})"
        ),
        _CUES,
        end,
        _PART,
        before=_OR,
    ),
)
