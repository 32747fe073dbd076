"""Attribute constraints: product facts that a text must state (`attribute:value`, `attribute:flag`)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True)
class Attribute:
    """A slot and the value that the response must state; a flag's value is "yes" or "no"."""

    slot: str
    value: str

    def __post_init__(self) -> None:
        for name in ("slot", "value"):
            if not getattr(self, name).strip():
                raise ValueError(f"{name}: is empty; name the attribute and its value")

    @property
    def id(self) -> str:
        return "attribute:flag" if self.value in ("yes", "no") else "attribute:value"


@lru_cache(maxsize=65536)
def _pattern(value: str) -> re.Pattern[str]:
    words = r"\s+".join(map(re.escape, value.split()))
    # A number must not match inside a longer one: "8" is not stated by "8.1", nor "3 kg" by "2.3 kg".
    return re.compile(rf"(?<![\w.]){words}(?!\w|\.\d|\+)", re.IGNORECASE)


def places(text: str, value: str) -> Iterator[tuple[int, int]]:
    """Where the value stands literally in the text, as whole words: start and end."""
    return (match.span() for match in _pattern(value).finditer(text))


def states(text: str, value: str) -> bool:
    """Whether the value stands literally in the text, as whole words."""
    return _pattern(value).search(text) is not None
