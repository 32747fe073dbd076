"""Repeating the request, two responses, fixed answers."""

import re
from collections.abc import Iterator

from gapo_core.constraints.parsing.rules import Found, Kwargs, governed, rule

_ASKED = (
    "(?:request|prompt|question|sentence|text|message|instructions?|query|task|paragraph|line|words?"
    "|statement|all text|everything)"
)


_HABIT = re.compile(r"\b(?:likes|loves|tends|hates|learned|tried|tries|used|began|forgot) to ", re.IGNORECASE)


def repeat(found: Found) -> Iterator[tuple[str, Kwargs]]:
    if _HABIT.search(found.match.group()):
        return
    if quoted := found["quoted"]:
        yield "combination:repeat_prompt", {"prompt_to_repeat": quoted}
    else:
        yield "fact:repeat", {}


ANSWERS = re.compile(r"My answer is (yes|no|maybe)\b\.?", re.IGNORECASE)
_REPEAT = (
    "(?:repeat|copy(?: out)?|restate|reproduce|echo|quote|recite|duplicate|write out|type out|reprint|say"
    "|retype|repeating|copying|restating)"
)
_VERBATIM = (
    "(?:word[- ](?:for|by)[- ]word|verbatim|without (?:any )?(?:change|changes|changing|altering"
    "|modification)|exactly|unchanged|as (?:it )?(?:is|stands|written)|before (?:answering|you|giving"
    "|replying|anything|outputting|responding)|then (?:give|answer|provide|reply|write)|first|in full"
    "|letter for letter|just repeat)"
)

_AGAIN = (
    "(?:(?:again|once more), (?:word|letter)[- ]for[- ](?:word|letter)|once (?:more|again)|again|exactly|unchanged"
    "|literally|verbatim|word[- ]for[- ]word|letter[- ]for[- ]letter"
    "|to the letter|as it (?:is|stands)|without (?:any )?changes?)\\b(?! (?:in (?:your|other|my) own|more"
    " (?:politely|clearly"
    "|simply|slowly)|but|like))"
)
# Text that belongs elsewhere: "copy the line above into the form".
_OF_A_FORM = "\\b(?:how (?:do|can|to)|why)\\b[^.;!?]{0,40}$"

TABLE = (
    rule(
        "before you (?:answer|reply|respond)(?: it| to it)?,? (?:just |please |first )*"
        + _REPEAT
        + " (?:the|this|my) (?:\\w+ )?"
        + _ASKED
        + "(?: (?:above|below))?",
        "repeat copy restate",
        repeat,
    ),
    # "Type out the sentence above once more", "say my question again exactly before …".
    rule(
        "(?:repeat|copy(?: out)?|restate|reproduce|echo|quote|recite|write(?: out)?|type(?: out)?|print|say|give(?:"
        " back)?"
        "|read(?: back)?|put) (?:me )?(?:back )?"
        "(?:(?:the|this|my) (?:\\w+ )?"
        + _ASKED
        + "(?: (?:above|below))?|(?:the )?above),? (?:back |out )?(?:to me )?"
        + _AGAIN,
        "repeat copy restate reproduce echo quote recite write type print say give read put",
        repeat,
        governed("not|never|no need to", 30) + "|" + _OF_A_FORM,
    ),
    rule(
        "(?:open|start|begin)s? (?:\\w+ )?(?:with|by (?:copying|repeating|quoting|restating)) (?:the|this|my)"
        " (?:\\w+ )?" + _ASKED + " (?:above|below)?,? ?(?:copied|repeated|quoted|reproduced|restated)? ?" + _AGAIN,
        "open opens start starts begin begins",
        repeat,
        governed("not|never", 30),
    ),
    # "Below is my request. Recite it literally and then carry it out."
    rule(
        "(?:recite|repeat|copy|reproduce|restate|echo) it (?:first,? )?"
        + _AGAIN
        + "(?=[^.!?\\n]{0,60}\\b(?:then|before|answer|carry"
        "|carrying)\\b)",
        "recite repeat copy reproduce restate echo",
        repeat,
        governed("not|never", 30),
    ),
    rule(
        "(?:first(?:ly)?|begin by|start by|let['’]s|before|initially|start|begin)?,? ?(?:\\w+ ){0,6}?"
        + _REPEAT
        + " (?:(?:the|this) (?:sentence|question|line|request|prompt):? )?{quoted}(?=[^.!?]{0,80}?"
        + _VERBATIM
        + ")",
        "repeat copy restate reproduce echo recite repeating copying restating",
        repeat,
    ),
    rule(
        (
            "(?:before (?:anything else|answering|you (?:answer|reply|respond)(?: it)?|giving (?:your|an) "
            "answer)|first(?:ly)?|(?:start|begin)(?: your (?:\\w+))? (?:by|with))?,? ?(?:\\w+ ){0,6}?"
        )
        + _REPEAT
        + (
            "(?: back)?(?: to me)? (?:(?:the|this|my|that|your|whole|entire|full|original|exact|first"
            "|following|user(?:['’]s)?|input|above|all|of|whole|initial) ){0,4}"
        )
        + _ASKED
        + "(?: (?:itself|above|below|here|in full))?(?=[^!?\\n]{0,200}?"
        + _VERBATIM
        + ")(?:[^.!?\\n(]{0,160})",
        "repeat copy restate reproduce echo recite duplicate repeating copying restating",
        repeat,
        governed("not|never", 20, ".;,"),
    ),
)
