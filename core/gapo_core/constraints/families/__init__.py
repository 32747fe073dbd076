"""The built-in families, one module a subject."""

from gapo_core.constraints.families import (
    case,
    combination,
    content,
    format,
    keywords,
    language,
    length,
    punctuation,
    startend,
)

__all__ = ["case", "combination", "content", "format", "keywords", "language", "length", "punctuation", "startend"]
