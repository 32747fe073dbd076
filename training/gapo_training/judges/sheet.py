"""Sheets that people fill in: blind, shuffled, one a person; and what filled ones say."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from gapo_training.judges.judge import read_items
from gapo_training.statistics import Interval, bootstrap, cohen_kappa, fleiss_kappa, mean_interval

INSTRUCTIONS = Path(__file__).parent / "sheet_instructions.md"
COLUMNS = ("item", "prompt", "response", "verdict", "comment")
_ANSWERS = {"yes": True, "y": True, "no": False, "n": False}


def write(responses: Sequence[Path], out: Path, annotators: int, seed: int) -> list[Path]:
    """Writes a sheet for each annotator, all of the same items, each in an order of its own, and beside them the
    instructions and `*.key.csv`, which says where each item comes from and is not for annotators.

    Returns the sheets. Raises `ValueError` for rows that lack something, and where a file exists: it may be filled in.
    """
    systems = [file.stem for file in responses]
    if twice := next((name for name in systems if systems.count(name) > 1), None):
        raise ValueError(f"--responses: {twice!r} names two files; the key tells systems by file name, so rename one")
    items = [(system, item) for system, file in zip(systems, responses, strict=True) for item in read_items(file)]
    Random(f"{seed}/items").shuffle(items)
    sheets = [out] if annotators == 1 else [out.with_suffix(f".{n}{out.suffix}") for n in range(1, annotators + 1)]
    key_file = out.with_suffix(f".key{out.suffix}")
    instructions = out.with_suffix(".instructions.md")
    for file in (*sheets, key_file, instructions):
        if file.exists():
            raise ValueError(f"--out: {file} exists and may be filled in; choose another name")
    out.parent.mkdir(parents=True, exist_ok=True)
    numbered = [(str(number), system, item) for number, (system, item) in enumerate(items, 1)]
    _write(key_file, ("item", "system", "id"), [(number, system, item.id) for number, system, item in numbered])
    for place, sheet in enumerate(sheets):
        order = Random(f"{seed}/sheet {place}").sample(numbered, len(numbered))
        _write(sheet, COLUMNS, [(n, _cell(item.prompt), _cell(item.response), "", "") for n, _, item in order])
    instructions.write_text(INSTRUCTIONS.read_text(encoding="utf-8"), encoding="utf-8")
    return sheets


def _cell(text: str) -> str:
    """A text that a spreadsheet will not take for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def _write(file: Path, columns: Sequence[str], lines: Sequence[Sequence[str]]) -> None:
    with file.open("w", encoding="utf-8-sig", newline="") as stream:  # spreadsheets know UTF-8 by its mark
        csv.writer(stream).writerows([columns, *lines])


def _read(file: Path, wanted: Sequence[str]) -> list[tuple[str, dict[str, str]]]:
    """("file: row N", cells) of each row; rows count as spreadsheets count them, the header being row 1."""
    with file.open(encoding="utf-8-sig", newline="") as stream:
        try:
            head = stream.readline()
            stream.seek(0)
        except UnicodeDecodeError as error:
            raise ValueError(f"{file}: is no UTF-8 ({error}); save it as CSV UTF-8") from None
        # Spreadsheets of some countries write semicolons.
        reader = csv.DictReader(stream, delimiter=";" if head.count(";") > head.count(",") else ",", strict=True)
        try:
            found = list(enumerate(reader, 2))
        except (csv.Error, UnicodeDecodeError) as error:
            raise ValueError(f"{file}: line {reader.line_num}: is no CSV UTF-8 ({error})") from None
    if missing := [name for name in wanted if name not in (reader.fieldnames or ())]:
        raise ValueError(f"{file}: row 1: column {missing[0]} is missing; keep the columns of the sheet")
    return [(f"{file}: row {number}", {name: (row[name] or "").strip() for name in wanted}) for number, row in found]


def read(file: Path) -> dict[str, bool]:
    """Verdicts by item. Raises `ValueError` that names file, row and column of the cell that is empty or wrong."""
    verdicts: dict[str, bool] = {}
    for where, cells in _read(file, ("item", "verdict")):
        item, verdict = cells["item"], cells["verdict"].lower()
        if not item:
            raise ValueError(f"{where}, column item: is empty")
        if item in verdicts:
            raise ValueError(f"{where}, column item: {item} stands twice")
        if verdict not in _ANSWERS:
            told = f"{cells['verdict']!r} is neither yes nor no" if verdict else "is empty; write yes or no"
            raise ValueError(f"{where} (item {item}), column verdict: {told}")
        verdicts[item] = _ANSWERS[verdict]
    if not verdicts:
        raise ValueError(f"{file}: holds no rows")
    return verdicts


@dataclass(frozen=True)
class Agreement:
    """`yes` is each annotator's share; `cohen` holds every two annotators' κ and `fleiss` that of three and more, None
    where κ is undefined; `systems` are the shares of yes by system, with intervals over items."""

    items: int
    yes: dict[str, float]
    observed: float
    cohen: dict[str, Interval | None]
    fleiss: Interval | None
    systems: dict[str, Interval]

    def as_json(self) -> dict[str, Any]:
        def plain(interval: Interval | None) -> dict[str, float] | None:
            return None if interval is None else interval._asdict()

        return {
            "items": self.items,
            "yes": self.yes,
            "observed_agreement": self.observed,
            "cohen_kappa": {pair: plain(value) for pair, value in self.cohen.items()},
            "fleiss_kappa": plain(self.fleiss),
            "systems": {name: plain(value) for name, value in self.systems.items()},
        }


def agreement(files: Sequence[Path], key: Path | None = None, seed: int = 0) -> Agreement:
    """How far filled sheets agree; with the key, also what they say of each system. Raises `ValueError`."""
    if len(files) < 2 or len(set(files)) < len(files):
        raise ValueError("agreement needs the sheets of two or more annotators, each named once")
    sheets = {str(file): read(file) for file in files}
    first = next(iter(sheets.values()))
    for name, sheet in sheets.items():
        if different := sorted(first.keys() ^ sheet.keys()):
            raise ValueError(f"{name}: column item: {different[0]} stands in one sheet only; all must hold the same")
    items = sorted(first)
    labels = np.array([[sheet[item] for sheet in sheets.values()] for item in items])  # [items, annotators]
    pairs = list(combinations(range(len(sheets)), 2))
    names = list(sheets)
    return Agreement(
        items=len(items),
        yes={name: float(labels[:, n].mean()) for n, name in enumerate(names)},
        observed=float(np.mean([(labels[:, a] == labels[:, b]).mean() for a, b in pairs])),
        cohen={f"{names[a]} × {names[b]}": _cohen(labels[:, a], labels[:, b], seed) for a, b in pairs},
        fleiss=_fleiss(labels, seed) if len(sheets) > 2 else None,
        systems=_systems(key, items, labels, seed) if key else {},
    )


def _cohen(a: Any, b: Any, seed: int) -> Interval | None:
    if np.isnan(cohen_kappa(a, b)):
        return None
    return bootstrap(len(a), lambda places: cohen_kappa(a[places], b[places]), seed)


def _fleiss(labels: Any, seed: int) -> Interval | None:
    if np.isnan(fleiss_kappa(labels)):
        return None
    return bootstrap(len(labels), lambda places: fleiss_kappa(labels[places]), seed)


def _systems(key: Path, items: Sequence[str], labels: Any, seed: int) -> dict[str, Interval]:
    system_of = {cells["item"]: cells["system"] for _, cells in _read(key, ("item", "system"))}
    if unknown := [item for item in items if item not in system_of]:
        raise ValueError(f"--key: {key} does not know item {unknown[0]}; is it the key of these sheets?")
    found = {}
    for system in sorted({system_of[item] for item in items}):
        shares = labels[[system_of[item] == system for item in items]].mean(1)
        found[system] = mean_interval(shares, seed)
    return found
