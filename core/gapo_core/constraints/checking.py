"""A response against every constraint of its prompt, or against constraints that are given."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from gapo_core.constraints.parsing import parse
from gapo_core.constraints.types import Constraint, Mode, Span, Status, Verdict


@dataclass(frozen=True)
class Checked:
    """A constraint with its verdict, and the span of the prompt it was read from."""

    constraint: Constraint
    verdict: Verdict
    span: Span | None = None

    def as_json(self) -> dict[str, Any]:
        """Plain values; spans are `{"start", "end"}` in characters."""
        verdict = asdict(self.verdict)
        verdict["evidence"] = [{"start": span.start, "end": span.end} for span in self.verdict.evidence]
        source = None if self.span is None else {"start": self.span.start, "end": self.span.end}
        return {"id": self.constraint.id, "kwargs": dict(self.constraint.kwargs), "span": source, **verdict}


@dataclass(frozen=True)
class Report:
    """`remainder` is what of the prompt is no constraint, None where constraints were given."""

    constraints: tuple[Checked, ...]
    remainder: str | None = None

    @property
    def status(self) -> Status:
        """Violated where anything is; else unknown where something is, or where nothing was checked."""
        statuses = {one.verdict.status for one in self.constraints}
        return "violated" if "violated" in statuses else "satisfied" if statuses == {"satisfied"} else "unknown"


def check(
    response: str,
    *,
    prompt: str | None = None,
    constraints: Sequence[Constraint] | None = None,
    mode: Mode = "strict",
) -> Report:
    """The verdicts on `constraints`; on those that are read from the prompt where None are given."""
    if constraints is not None:
        return Report(tuple(Checked(one, one.check(response, prompt=prompt, mode=mode)) for one in constraints))
    parsed = parse(prompt or "")
    return Report(
        tuple(
            Checked(one.constraint, one.constraint.check(response, prompt=prompt, mode=mode), one.span)
            for one in parsed.constraints
        ),
        parsed.remainder,
    )
