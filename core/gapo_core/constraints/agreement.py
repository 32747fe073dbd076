"""How often the `compat` verdicts equal those that the reference published, on IFEval responses of many models."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from gapo_core.constraints.types import Constraint, Mode

Protocol = Literal["strict", "loose"]
MODES: dict[Protocol, Mode] = {"strict": "compat", "loose": "compat_loose"}

# Their constraint asks for a letter that is none; the first release of the reference drew a random one instead.
EXCLUDED_KEYS = frozenset({1122, 1129})

# Why a verdict can differ, by id; anything else is "unexplained" and ought to be looked into.
_CAUSES = {
    "language:response_language": "unseeded language detection",
    "change_case:english_capital": "unseeded language detection",
    "change_case:english_lowercase": "unseeded language detection",
}


@dataclass
class Share:
    """`agreed` of `total` verdicts."""

    agreed: int = 0
    total: int = 0

    def add(self, agrees: bool) -> None:
        self.agreed += agrees
        self.total += 1

    @property
    def value(self) -> float:
        """0 … 1; 1 where there was nothing to agree on."""
        return self.agreed / self.total if self.total else 1.0

    def as_json(self) -> dict[str, float]:
        return {"agreed": self.agreed, "total": self.total, "share": round(self.value, 6)}


@dataclass(frozen=True)
class Disagreement:
    """One verdict that differs: the constraint at `position` of the prompt with this key."""

    model: str
    key: int
    position: int
    id: str
    protocol: Protocol
    published: bool
    cause: str


@dataclass
class Agreement:
    """Shares under one protocol. `ids` are verdicts of single constraints, `prompts` of whole responses: a
    prompt agrees where "all constraints followed" does."""

    constraints: Share = field(default_factory=Share)
    prompts: Share = field(default_factory=Share)
    ids: dict[str, Share] = field(default_factory=lambda: defaultdict(Share))


@dataclass
class Report:
    """What `measure` found over `responses` responses."""

    responses: int
    protocols: dict[Protocol, Agreement]
    disagreements: list[Disagreement]

    def as_json(self) -> dict[str, Any]:
        """One object for `--json`."""
        return {
            "responses": self.responses,
            "excluded_keys": sorted(EXCLUDED_KEYS),
            **{
                name: {
                    "constraints": part.constraints.as_json(),
                    "prompts": part.prompts.as_json(),
                    "ids": {id: share.as_json() for id, share in sorted(part.ids.items())},
                }
                for name, part in self.protocols.items()
            },
            "causes": dict(Counter(f"{one.protocol}: {one.cause}" for one in self.disagreements)),
            "disagreements": [asdict(one) for one in self.disagreements],
        }


def rows(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """(model, row) of every response file. Raises `FileNotFoundError` where there is none, `ValueError` for a
    row that is not an object with `key`, `instruction_id_list`, `kwargs`, `response`, `strict` and `loose`."""
    files = sorted(folder.glob("*.jsonl"))
    if not files:
        raise FileNotFoundError(f"{folder}: no response files (*.jsonl)")
    for file in files:
        with file.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                row = json.loads(line)
                if missing := {"key", "instruction_id_list", "kwargs", "response", *MODES} - set(row):
                    raise ValueError(f"{file}:{number}: {', '.join(sorted(missing))} missing")
                yield file.stem, row


def measure(rows: Iterable[tuple[str, dict[str, Any]]]) -> Report:
    """Compares position by position, since an id can stand twice in a prompt. Raises `ConstraintError`."""
    report = Report(0, {"strict": Agreement(), "loose": Agreement()}, [])
    for model, row in rows:
        if row["key"] in EXCLUDED_KEYS:
            continue
        report.responses += 1
        constraints = Constraint.from_ifeval(row["instruction_id_list"], row["kwargs"])
        for name, part in report.protocols.items():
            ours = [c.check(row["response"], mode=MODES[name]).status == "satisfied" for c in constraints]
            part.prompts.add(all(ours) == all(row[name]))
            for position, (constraint, mine, published) in enumerate(zip(constraints, ours, row[name], strict=True)):
                part.constraints.add(mine == published)
                part.ids[constraint.id].add(mine == published)
                if mine != published:
                    cause = _CAUSES.get(constraint.id, "unexplained")
                    report.disagreements.append(
                        Disagreement(model, row["key"], position, constraint.id, name, published, cause)
                    )
    return report
