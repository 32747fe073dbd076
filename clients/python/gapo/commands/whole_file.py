"""A JSONL file of pairs, whole: streamed, in order, several requests at once."""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from gapo.chunks import BYTES, PAIRS, Pair
from gapo.commands.jsonl import FileError, Line, Source
from gapo.commands.results_file import Outcome, ResultsFile
from gapo.errors import GapoError

IN_FLIGHT = 4
"""Batches asked at once; the client sends one request of each at a time, so this bounds what waits at the server."""


class OnError(str, Enum):
    STOP = "stop"
    SKIP = "skip"


@dataclass(frozen=True)
class Work:
    """What is done with pairs: `doing` is said of it, results are counted as `kinds`, of which `kind` says one's."""

    doing: str
    ask: Callable[[list[Pair]], Awaitable[Sequence[Any]]]
    kinds: tuple[str, ...]
    kind: Callable[[Any], str] | None = None  # None: there is one


@dataclass
class Summary:
    """`counts` are the results by what was found."""

    counts: Counter[str]
    failed: int = 0
    resumed_after_line: int = 0
    errors: str = ""

    def __str__(self) -> str:
        failed = f", {self.failed} lines failed (see {self.errors})" if self.failed else ""
        return ", ".join(f"{count} {found}" for found, count in self.counts.items()) + failed

    def as_json(self) -> dict[str, Any]:
        return {**self.counts, **{k: v for k, v in vars(self).items() if k != "counts"}}


async def work_through(work: Work, source: Source, output: ResultsFile, on_error: OnError) -> Summary:
    """Writes one object for each line that got a result, with its number.

    Raises `FileError` naming file and line under `stop`, a `GapoError` for what concerns all lines.
    """
    summary = Summary(Counter(dict.fromkeys(work.kinds, 0)), 0, output.resumed_after, output.errors_name)
    with _progress() as bar:
        task = bar.add_task(work.doing, total=source.size or None, pairs=0)
        lines = source.lines(after=output.resumed_after)
        async for outcomes in _in_order(work, lines):
            wrong = next((i for i, (_, told) in enumerate(outcomes) if isinstance(told, GapoError)), None)
            stop = wrong is not None and on_error is OnError.STOP
            written = outcomes[:wrong] if stop else outcomes
            summary.failed += output.write(written)
            results = (told for _, told in written if not isinstance(told, GapoError))
            summary.counts.update(work.kind(told) if work.kind else work.kinds[0] for told in results)
            bar.update(task, advance=sum(line.size for line, _ in outcomes), pairs=summary.counts.total())
            if stop and wrong is not None:
                line, error = outcomes[wrong]
                raise FileError(f"{source.name}:{line.number}: {error}; correct it, or --on-error skip")
    return summary


def _progress() -> Progress:
    columns = (BarColumn(), TaskProgressColumn(), TextColumn("{task.fields[pairs]} pairs"), TimeRemainingColumn())
    return Progress(TextColumn("{task.description}"), *columns, console=Console(stderr=True))


async def _in_order(work: Work, lines: Iterator[Line]) -> AsyncIterator[list[Outcome]]:
    """Batches of outcomes in the order of the lines, up to IN_FLIGHT of them asked at once."""
    batches = _batches(lines)
    running: deque[asyncio.Task[list[Outcome]]] = deque()
    try:
        while True:
            while len(running) < IN_FLIGHT and (batch := await asyncio.to_thread(next, batches, None)):
                running.append(asyncio.create_task(_asked(work, batch)))
            if not running:
                return
            yield await running.popleft()
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


def _batches(lines: Iterator[Line]) -> Iterator[list[Line]]:
    """Lines for one request each: JSON is never shorter than the texts in it."""
    batch: list[Line] = []
    size = 0
    for line in lines:
        if batch and size + line.size > BYTES:
            yield batch
            batch, size = [], 0
        batch.append(line)
        size += line.size
        if len(batch) == PAIRS:  # at once: the next line of a pipe may be long in coming
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


async def _asked(work: Work, lines: list[Line]) -> list[Outcome]:
    """The outcome of every line; the error of one pair is set apart and the others are asked again."""
    outcomes: dict[int, Outcome] = {line.number: (line, GapoError(line.problem)) for line in lines if line.problem}
    rest = [line for line in lines if not line.problem]
    while rest:
        try:
            results = await work.ask([(line.prompt, line.response) for line in rest])
        except GapoError as error:
            if error.pair is None:
                raise
            wrong = rest.pop(error.pair)
            field = error.field.rpartition(".")[2]
            field = field if field in ("prompt", "response") else ""  # a pair's number means nothing in the file
            outcomes[wrong.number] = (wrong, type(error)(error.detail, field, error.request_id))
        else:
            outcomes.update({line.number: (line, result) for line, result in zip(rest, results, strict=True)})
            break
    return [outcomes[line.number] for line in lines]
