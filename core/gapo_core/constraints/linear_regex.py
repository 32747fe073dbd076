"""Regular expressions whose search takes time linear in the text, whatever the pattern (RE2)."""

from functools import lru_cache
from typing import Any

import re2

_OPTIONS = re2.Options()
_OPTIONS.log_errors = False


@lru_cache(maxsize=1024)
def compiled(pattern: str, ignore_case: bool = False) -> Any:
    """The compiled pattern. Raises `ValueError` for one that RE2 does not take: with look-around, with a
    back-reference, or too large."""
    try:
        return re2.compile(f"(?i){pattern}" if ignore_case else pattern, _OPTIONS)
    except (re2.error, UnicodeEncodeError) as error:
        said = error.args[0] if error.args else ""
        text = said.decode(errors="replace") if isinstance(said, bytes) else str(error)
        raise ValueError(f"{text[:200]}; RE2 takes no look-around and no back-reference") from None
