"""What every corpus is read into."""

from collections.abc import Mapping
from dataclasses import dataclass

from gapo_core.constraints.attributes import Attribute


class CorpusError(ValueError):
    """A corpus file that is not in its format; the message names the file."""


@dataclass(frozen=True)
class Record:
    """A text, the attributes it verifiably states, and values per slot that it verifiably does not state."""

    topic: str
    text: str
    stated: tuple[Attribute, ...]
    unstated: Mapping[str, tuple[str, ...]]
