"""The record of a run: metrics.jsonl, TensorBoard, progress bars, and W&B or trackio where they are asked for."""

import json
import math
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch.utils.tensorboard import SummaryWriter

from gapo_training.gapo.config import ConfigError


class Journal:
    """Rows are numbered within their kind. A resumed run repeats rows that it had written after its last checkpoint:
    the first repeated row cuts the file there, so the file reads as if the run had never been killed.

    Silent on processes other than the first.
    """

    def __init__(
        self, directory: Path, active: bool, resume: bool, tracker: str = "none", settings: Mapping[str, Any] = {}
    ) -> None:
        """`tracker` is "none", "wandb" or "trackio", which get `settings`. Raises `ConfigError` for an absent one."""
        self.active, self.file = active, directory / "metrics.jsonl"
        self._places: dict[tuple[str, int], int] = {}  # where each row begins, in bytes
        if not active:
            return
        self._tracker = _tracking(tracker, directory.name, resume, settings)
        directory.mkdir(parents=True, exist_ok=True)
        if not resume:
            self.file.write_bytes(b"")
        self._read()
        self._board = SummaryWriter(str(directory / "tensorboard"))
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._bars = Progress(*columns, console=Console(stderr=True))
        self._bars.start()

    def _read(self) -> None:
        place = 0
        with self.file.open("ab+") as stream:
            stream.seek(0)
            for line in stream:
                if not line.endswith(b"\n"):
                    break  # the kill came in the middle of a row
                row = json.loads(line)
                self._places[row["kind"], row["number"]] = place
                place += len(line)
            stream.truncate(place)

    def record(self, kind: str, number: int, figures: Mapping[str, Any]) -> None:
        """Appends a row; figures that are numbers also go to TensorBoard as `kind/name` at step `number`."""
        if not self.active:
            return
        place = self._places.get((kind, number))
        with self.file.open("ab+") as stream:
            if place is not None:
                stream.truncate(place)
                self._places = {key: start for key, start in self._places.items() if start < place}
            stream.seek(0, 2)
            self._places[kind, number] = stream.tell()
            stream.write((json.dumps({"kind": kind, "number": number, **figures}) + "\n").encode())
        scalars = {
            f"{kind}/{name}": value
            for name, value in figures.items()
            if isinstance(value, int | float) and math.isfinite(value)
        }
        for name, value in scalars.items():
            self._board.add_scalar(name, value, number)
        if self._tracker is not None:
            # Kinds count apart, and trackers want one rising step: the number goes along as a figure of its own.
            self._tracker.log(scalars | {f"{kind}/number": number})

    def rows(self, kind: str) -> list[dict[str, Any]]:
        """All rows of a kind, in order."""
        lines = self.file.read_text(encoding="utf-8").splitlines()
        return [row for row in map(json.loads, lines) if row["kind"] == kind]

    def progress(self, name: str, done: int, total: int, note: str = "") -> None:
        """Shows how far a phase is, with the time it still needs."""
        if not self.active:
            return
        known = {task.fields["name"]: task.id for task in self._bars.tasks}
        task = known.get(name)
        if task is None:
            task = self._bars.add_task(name, total=total, name=name)
        self._bars.update(task, completed=done, description=f"{name} {note}".strip())

    def __enter__(self) -> "Journal":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.active:
            self._board.close()
            if self._tracker is not None:
                self._tracker.finish()
            self._bars.stop()


def _tracking(name: str, run: str, resume: bool, settings: Mapping[str, Any]) -> Any:
    """The tracker's module, started; trackio's functions are W&B's."""
    if name == "none":
        return None
    try:
        module = import_module(name)
    except ImportError:
        raise ConfigError(f"tracker: {name} is not installed; pip install {name}, or leave tracker at none") from None
    module.init(project="gapo", name=run, config=dict(settings), resume="allow" if resume else "never")
    return module
