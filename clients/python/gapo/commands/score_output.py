"""The output of `gapo score` on a file: in order, never overwritten unasked, continued after a crash."""

import json
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from gapo.commands.jsonl import FileError, Line
from gapo.errors import GapoError
from gapo.wire import Score

Outcome = tuple[Line, Score | GapoError]


class ScoreOutput:
    """A file of scores and a file of errors beside it; `-` is stdout, whose errors go to stderr.

    Errors are flushed before scores: whatever line the scores end with, all errors before it are on the disk.
    """

    def __init__(self, output: str, errors: Path | None, resume: bool, force: bool) -> None:
        """Raises `FileError` where something would be overwritten unasked, or cannot be continued."""
        self._path = Path(output) if output != "-" else None
        self._errors = errors or (Path(f"{output}.errors") if self._path else None)
        self.errors_name = str(self._errors or "stderr")
        self.resumed_after = self._continued() if resume else 0
        if not resume:
            self._empty(force)

    def __enter__(self) -> "ScoreOutput":
        with ExitStack() as stack:
            self._scores_stream: BinaryIO = (
                stack.enter_context(self._path.open("ab")) if self._path else sys.stdout.buffer
            )
            self._errors_stream: BinaryIO | None = None
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def write(self, outcomes: Sequence[Outcome]) -> tuple[int, int]:
        """Appends the outcomes of lines, in order; how many scores and how many errors they were."""
        failed = [(line, told) for line, told in outcomes if isinstance(told, GapoError)]
        if failed:
            if self._errors_stream is None:
                self._errors_stream = (
                    self._stack.enter_context(self._errors.open("ab")) if self._errors else sys.stderr.buffer
                )
            rows = ({"line": line.number, "field": told.field, "error": told.detail} for line, told in failed)
            self._errors_stream.writelines(json.dumps(row).encode() + b"\n" for row in rows)
            self._errors_stream.flush()
        scored = [{"line": line.number} | asdict(told) for line, told in outcomes if isinstance(told, Score)]
        self._scores_stream.writelines(json.dumps(row).encode() + b"\n" for row in scored)
        self._scores_stream.flush()
        return len(scored), len(failed)

    def _empty(self, force: bool) -> None:
        for path in (self._path, self._errors):
            if path and path.exists() and path.stat().st_size:
                if not force:
                    raise FileError(f"{path}: exists; --resume continues it, --force overwrites it")
                path.write_bytes(b"")

    def _continued(self) -> int:
        if self._path is None:
            raise FileError("--resume: stdout holds nothing to continue; give --output a file")
        last = _keep_whole_lines(self._path, None)
        if self._errors:
            _keep_whole_lines(self._errors, last)
        return last


def _keep_whole_lines(path: Path, up_to: int | None) -> int:
    """Cuts off a line that a crash left half-written, and those past line `up_to`; the last line that is left."""
    if not path.exists():
        return 0
    last = whole = 0
    with path.open("r+b") as stream:
        for number, raw in enumerate(stream, 1):
            if not raw.endswith(b"\n"):
                break
            try:
                line = int(json.loads(raw)["line"])
            except (ValueError, KeyError, TypeError):
                raise FileError(f"{path}:{number}: was not written by gapo score; --force overwrites it") from None
            if up_to is not None and line > up_to:
                break
            last, whole = line, whole + len(raw)
        stream.truncate(whole)
    return last
