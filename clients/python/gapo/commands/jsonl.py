"""Lines of a JSONL file of pairs, one after another, never the whole file."""

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO


class FileError(Exception):
    """A file that cannot be read or written as asked; the message names the file, the line and the remedy."""


@dataclass(frozen=True)
class Line:
    """One line that is not blank. Either `problem` says why it holds no pair, or prompt and response are its pair."""

    number: int
    size: int
    prompt: str = ""
    response: str = ""
    problem: str = ""


class Source:
    """A file of pairs, or stdin for `-`; `size` in bytes, 0 where it is not known."""

    def __init__(self, name: str) -> None:
        self.name = "stdin" if name == "-" else name
        self._path = None if name == "-" else Path(name)
        self.size = self._path.stat().st_size if self._path else 0

    def __enter__(self) -> "Source":
        self._stream: BinaryIO = self._path.open("rb") if self._path else sys.stdin.buffer
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._path:
            self._stream.close()

    def reads(self, path: Path) -> bool:
        """Whether `path` is the file that is being read, by whatever name."""
        return path.is_file() and os.path.samestat(path.stat(), os.fstat(self._stream.fileno()))

    def lines(self, after: int = 0) -> Iterator[Line]:
        """Lines past number `after`, counted from 1; a line's `size` counts the bytes read since the last one."""
        size = 0
        for number, raw in enumerate(self._stream, 1):
            size += len(raw)
            if number <= after or not raw.strip():
                continue
            yield _parse(number, size, raw)
            size = 0


def _parse(number: int, size: int, raw: bytes) -> Line:
    try:
        row = json.loads(raw.decode("utf-8-sig" if number == 1 else "utf-8"))
    except UnicodeDecodeError as error:
        return Line(number, size, problem=f"is not UTF-8 at byte {error.start}; encode it as UTF-8")
    except (ValueError, RecursionError) as error:
        return Line(number, size, problem=f"is not JSON ({str(error)[:100]}); write one object a line")
    if not isinstance(row, dict):
        return Line(number, size, problem="is not an object; write prompt and response")
    for field in ("prompt", "response"):
        if not isinstance(row.get(field), str):
            return Line(number, size, problem=f"{field}: is missing or not a string; write prompt and response")
    return Line(number, size, row["prompt"], row["response"])
