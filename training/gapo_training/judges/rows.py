"""JSON lines: reading them with errors that name the line, and growing a file that a killed command goes on with."""

import fcntl
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any


def read(file: Path, fields: tuple[str, ...]) -> Iterator[tuple[str, dict[str, Any]]]:
    """("file:line", object) of each line. Raises `ValueError` for a line that is no object or lacks a field."""
    with file.open("rb") as stream:
        yield from _objects(stream, file, fields)


def _objects(lines: Iterable[bytes], file: Path, fields: tuple[str, ...]) -> Iterator[tuple[str, dict[str, Any]]]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        where = f"{file}:{number}"
        try:
            row = json.loads(line.decode())
        except (ValueError, RecursionError) as error:
            raise ValueError(f"{where}: is no JSON object ({error})") from None
        if not isinstance(row, dict):
            raise ValueError(f"{where}: is no JSON object")
        if missing := [field for field in fields if field not in row]:
            raise ValueError(f"{where}: {', '.join(missing)} missing")
        yield where, row


def text(row: Mapping[str, Any], field: str, where: str) -> str:
    """A field that must hold text. Raises `ValueError`."""
    value = row.get(field)
    if not isinstance(value, str):
        raise ValueError(f"{where}: {field}: is missing or no text")
    return value


def digest(*parts: str) -> str:
    """Sixteen hexadecimal digits that name where rows come from."""
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]


class Growing:
    """A file of JSON lines that is flushed row by row; `rows` are those that an earlier, killed command left.

    A last line that the kill tore is cut off. Every row carries `source`: rows of another one are refused, so that
    answers of two generators, or verdicts of two judges, never stand in one file.
    """

    def __init__(self, file: Path, source: str, option: str) -> None:
        self.source = source
        file.parent.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            # A lone surrogate becomes the escape that JSON has for it.
            self._stream = stack.enter_context(file.open("a", encoding="utf-8", errors="backslashreplace"))
            try:
                fcntl.flock(self._stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise ValueError(f"{option}: another command writes {file}; choose another file") from None
            found = file.read_bytes()
            keep = found.rfind(b"\n") + 1
            self.rows = [row for _, row in _objects(found[:keep].split(b"\n"), file, ())]
            # A line without an end is only cut off behind rows that show whose file it is.
            if any(row.get("source") != source for row in self.rows) or (found and not self.rows):
                raise ValueError(f"{option}: {file} holds rows that were made otherwise; choose another file")
            self._stream.truncate(keep)
            stack.pop_all()

    def append(self, row: Mapping[str, Any]) -> None:
        self._stream.write(json.dumps({**row, "source": self.source}, ensure_ascii=False) + "\n")
        self._stream.flush()

    def __enter__(self) -> "Growing":
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()
