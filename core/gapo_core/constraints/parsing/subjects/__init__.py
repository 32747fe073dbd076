"""One table of rules a subject; the order of `RULES` is their priority."""

from gapo_core.constraints.parsing.subjects import (
    case,
    ends,
    forbidden,
    keywords,
    language,
    layout,
    length,
    letters,
    marks,
    paragraphs,
    repetition,
    shapes,
    wordplay,
)

RULES = (
    *shapes.TABLE,
    *wordplay.TABLE,
    *repetition.TABLE,
    *ends.TABLE,
    *layout.TABLE,
    *marks.TABLE,
    *case.TABLE,
    *paragraphs.TABLE,
    *letters.TABLE,
    *keywords.FREQUENCY,
    *forbidden.TABLE,
    *keywords.EXISTENCE,
    *length.TABLE,
    *language.TABLE,
)
