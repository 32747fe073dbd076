"""What is written of a JSONL file of pairs: in order, never overwritten unasked, continued after a crash."""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from gapo.commands.jsonl import FileError, Line, Source
from gapo.errors import GapoError

Outcome = tuple[Line, Any]
"""A line, and a `GapoError` or the dataclass that the server made of its pair."""
SAME = ("policy_digest",)
"""What all rows of a file share."""


class ResultsFile:
    """A file of results and a file of errors beside it; `-` is stdout, whose errors go to stderr.

    Errors are flushed before results: whatever line the results end with, all errors before it are on the disk.
    What is to be overwritten goes when the first line is written, not before: a run that never comes so far costs
    nobody the results of the last one.
    """

    def __init__(self, output: str, errors: Path | None, resume: bool, force: bool, source: Source) -> None:
        """Raises `FileError` where something would be overwritten unasked, or cannot be continued, or is `source`."""
        self._path = Path(output) if output != "-" else None
        self._errors = errors or (Path(f"{output}.errors") if self._path else None)
        self.errors_name = str(self._errors or "stderr")
        self._check_distinct(source)
        if errors and not errors.parent.is_dir():
            raise FileError(f"{errors}: its folder does not exist")  # told before the first error, not at it
        self._last: dict[str, Any] = {}
        self.resumed_after = self._continued() if resume else 0
        self._overwritten = [] if resume else self._old(force)

    def __enter__(self) -> "ResultsFile":
        with ExitStack() as stack:
            self._results_stream: BinaryIO = (
                stack.enter_context(self._path.open("ab")) if self._path else sys.stdout.buffer
            )
            self._errors_stream: BinaryIO | None = None
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._empty_old()  # all went well and there was nothing to write
        self._stack.close()

    def write(self, outcomes: Sequence[Outcome]) -> int:
        """Appends the outcomes of lines, in order; how many errors they were."""
        results = [(line, asdict(told)) for line, told in outcomes if not isinstance(told, GapoError)]
        if self._last and results:
            self._check_alike(results[0][1])
        if outcomes:
            self._empty_old()
        failed = [(line, told) for line, told in outcomes if isinstance(told, GapoError)]
        if failed:
            if self._errors_stream is None:
                self._errors_stream = (
                    self._stack.enter_context(self._errors.open("ab")) if self._errors else sys.stderr.buffer
                )
            rows = ({"line": line.number, "field": told.field, "error": told.detail} for line, told in failed)
            self._errors_stream.writelines(json.dumps(row).encode() + b"\n" for row in rows)
            self._errors_stream.flush()
        rows = ({"line": line.number} | result for line, result in results)
        self._results_stream.writelines(json.dumps(row).encode() + b"\n" for row in rows)
        self._results_stream.flush()
        return len(failed)

    def _check_distinct(self, source: Source) -> None:
        for option, path in (("--output", self._path), ("--errors", self._errors)):
            if path and source.reads(path):
                raise FileError(f"{path}: is the input; give {option} another file")
        if self._path and self._errors and _same_file(self._path, self._errors):
            raise FileError(f"{self._errors}: is the output; give --errors another file")

    def _old(self, force: bool) -> list[Path]:
        """The files that hold something already."""
        old = [path for path in (self._path, self._errors) if path and path.exists() and path.stat().st_size]
        if old and not force:
            raise FileError(f"{old[0]}: exists; --resume continues it, --force overwrites it")
        return old

    def _empty_old(self) -> None:
        while self._overwritten:
            os.truncate(self._overwritten.pop(), 0)

    def _continued(self) -> int:
        if self._path is None:
            raise FileError("--resume: stdout holds nothing to continue; give --output a file")
        self._last = _keep_whole_lines(self._path, None)
        last: int = self._last.get("line", 0)
        if self._errors:
            _keep_whole_lines(self._errors, last)
        return last

    def _check_alike(self, result: Mapping[str, Any]) -> None:
        """What is continued is of one command and one policy, or nobody could tell later which row is of which."""
        if {"line", *result} != set(self._last) or any(result.get(name) != self._last.get(name) for name in SAME):
            raise FileError(f"{self._path}: holds rows of another command or policy; --force overwrites it")
        self._last = {}


def _same_file(one: Path, other: Path) -> bool:
    """Also of files that are not there yet. A device, such as /dev/null, may take both."""
    if one.exists() and other.exists():
        return one.is_file() and one.samefile(other)
    return one.resolve() == other.resolve()


def _keep_whole_lines(path: Path, up_to: int | None) -> dict[str, Any]:
    """Cuts off a line that a crash left half-written, and those past line `up_to`; the last row that is left."""
    if not path.exists():
        return {}
    last: dict[str, Any] = {}
    whole = 0
    with path.open("r+b") as stream:
        for number, raw in enumerate(stream, 1):
            if not raw.endswith(b"\n"):
                break
            try:
                row = json.loads(raw)
                line = int(row["line"])
            except (ValueError, KeyError, TypeError):
                raise FileError(f"{path}:{number}: was not written by this program; --force overwrites it") from None
            if up_to is not None and line > up_to:
                break
            last, whole = row, whole + len(raw)
        stream.truncate(whole)
    return last
