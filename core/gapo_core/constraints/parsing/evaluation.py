"""How well prompts are read: ids and keyword arguments against those of annotated prompts."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gapo_core.constraints.parsing.parser import parse

Annotated = tuple[str, dict[str, Any]]


@dataclass(frozen=True)
class Row:
    """A prompt with its annotated ids and keyword arguments."""

    key: str
    prompt: str
    constraints: tuple[Annotated, ...]


@dataclass
class Figures:
    """Counts over prompts: constraints annotated, read, read with a right id, of those with right arguments."""

    prompts: int = 0
    annotated: int = 0
    read: int = 0
    right: int = 0
    exact: int = 0
    missed: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)

    @property
    def precision(self) -> float:
        return self.right / self.read if self.read else 1.0

    @property
    def recall(self) -> float:
        return self.right / self.annotated if self.annotated else 1.0

    @property
    def kwargs_exact(self) -> float:
        return self.exact / self.right if self.right else 1.0

    def as_json(self) -> dict[str, Any]:
        return {
            "prompts": self.prompts,
            "annotated": self.annotated,
            "precision": round(self.precision, 4),
            "recall": round(self.recall, 4),
            "kwargs_exact": round(self.kwargs_exact, 4),
            "missed": dict(self.missed),
            "wrong": dict(self.wrong),
        }


def rows(file: Path) -> Iterator[Row]:
    """Rows of IFEval's and IFBench's form (`instruction_id_list`, `kwargs`). Raises `ValueError` naming the line."""
    with file.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                row = json.loads(line)
                pairs = zip(row["instruction_id_list"], row["kwargs"], strict=True)
                yield Row(str(row["key"]), row["prompt"], tuple((id, dict(kwargs or {})) for id, kwargs in pairs))
            except (KeyError, TypeError, ValueError) as error:
                raise ValueError(f"{file.name}, line {number}: {error!r}; is it a file of IFEval's form?") from None


def half(key: str) -> int:
    """0 or 1: the development half, or the other. A hash, so that neither depends on order."""
    return hashlib.sha256(key.encode()).digest()[0] % 2


def measure(annotated: Iterable[Row]) -> Figures:
    """Pairs what was read with what was annotated: those with equal arguments first, then those of one id."""
    figures = Figures()
    for row in annotated:
        read = [(p.constraint.id, p.constraint.kwargs) for p in parse(row.prompt).constraints]
        figures.prompts += 1
        figures.annotated += len(row.constraints)
        figures.read += len(read)
        _compare([(id, _plain(kwargs)) for id, kwargs in read], row.constraints, figures)
    return figures


def _compare(read: Sequence[Annotated], annotated: Sequence[Annotated], figures: Figures) -> None:
    left = [(id, _plain(kwargs)) for id, kwargs in annotated]
    rest = []
    for one in read:
        if one in left:
            left.remove(one)
            figures.right += 1
            figures.exact += 1
        else:
            rest.append(one)
    for id, _ in rest:
        match = next((one for one in left if one[0] == id), None)
        if match:
            left.remove(match)
            figures.right += 1
        else:
            figures.wrong[id] += 1
    figures.missed.update(id for id, _ in left)


def _plain(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments as the checkers see them: case and order of words do not count, 5.0 is 5, None is absent."""
    return {name: _value(value) for name, value in kwargs.items() if value is not None}


def _value(value: Any) -> Any:
    if isinstance(value, str):
        return " ".join(value.lower().split())
    if isinstance(value, list | tuple):
        return sorted(map(_value, value))
    return int(value) if isinstance(value, float) and value.is_integer() else value
