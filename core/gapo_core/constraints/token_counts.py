"""Tokenizers by name, for constraints on a number of tokens.

A constraint names its tokenizer and stays pure data; the host says once, at start, which `tokenizer.json` the name
means.
"""

from functools import lru_cache
from pathlib import Path

from tokenizers import Tokenizer

from gapo_core.constraints.document import encodable

_tokenizers: dict[str, tuple[str, Tokenizer]] = {}


def use_tokenizer(name: str, path: Path) -> None:
    """Makes a `tokenizer.json` known under a name. Raises `ValueError` where the name means another file already,
    and what the library raises for a file that is no tokenizer."""
    text = path.read_text(encoding="utf-8")
    if _tokenizers.setdefault(name, (text, Tokenizer.from_str(text)))[0] != text:
        raise ValueError(f"{name}: names another tokenizer already; choose another name")


def count_tokens(name: str, text: str) -> int | None:
    """The number of tokens without special ones; None where the name is not known."""
    return _count(name, text) if name in _tokenizers else None


@lru_cache(maxsize=1024)
def _count(name: str, text: str) -> int:
    return len(_tokenizers[name][1].encode(encodable(text), add_special_tokens=False).ids)
