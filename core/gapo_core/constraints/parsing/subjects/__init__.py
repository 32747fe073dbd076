"""One table of rules a subject; the order of `RULES` is their priority."""

from gapo_core.constraints.parsing.subjects import (
    case,
    ends,
    keywords,
    language,
    layout,
    length,
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
    *case.TABLE,
    *paragraphs.TABLE,
    *keywords.TABLE,
    *length.TABLE,
    *language.TABLE,
)
