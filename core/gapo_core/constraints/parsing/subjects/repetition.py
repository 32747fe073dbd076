"""Repeating the request, two responses, fixed answers."""

import re
from collections.abc import Iterator

from gapo_core.constraints.parsing.rules import Found, Kwargs, governed, rule

_ASKED = (
    "(?:request|prompt|question|sentence|text|message|instructions?|query|task|paragraph|line|words?"
    "|statement|all text|everything)"
)


def repeat(found: Found) -> Iterator[tuple[str, Kwargs]]:
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
    rule(
        "(?:first(?:ly)?|begin by|start by|let['’]s|before|initially|start|begin)?,? ?(?:\\w+ ){0,6}?"
        + _REPEAT
        + " {quoted}(?=[^.!?]{0,80}?"
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
