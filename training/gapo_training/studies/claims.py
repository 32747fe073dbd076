"""Deciding the paper's claims from intervals."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from gapo_training.statistics import Interval, mean_interval
from gapo_training.studies.cells import Outcome
from gapo_training.studies.plan import Claim

Verdict = Literal["reproduces", "does not reproduce", "not decided", "not run"]
Outcomes = Mapping[str, Mapping[int, Outcome]]  # by cell and seed
LEAST_SEEDS = 2  # one value has no interval


@dataclass(frozen=True)
class Decision:
    claim: Claim
    verdict: Verdict
    because: str

    def sentence(self) -> str:
        paper = f" (paper: {self.claim.paper})" if self.claim.paper else ""
        return f"**{self.verdict}** – {self.claim.says}{paper}: {self.because}."

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def number(figures: Mapping[str, Any], metric: str) -> float | None:
    """The metric where it is a number: figures also hold lists, parts by slot, and null where nothing was measured."""
    value = figures.get(metric)
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None


def by_seed(outcomes: Mapping[int, Outcome], metric: str) -> dict[int, float]:
    """The metric of every finished seed where it is a number."""
    finals = {seed: outcome.figures["final"] for seed, outcome in outcomes.items() if outcome.figures}
    found = {seed: number(final, metric) for seed, final in finals.items()}
    return {seed: value for seed, value in found.items() if value is not None}


def values(outcomes: Mapping[int, Outcome], metric: str) -> list[float]:
    """The metric's values in the order of the seeds."""
    return list(by_seed(outcomes, metric).values())


def shown(interval: Interval) -> str:
    return f"{interval.value:.3f} [{interval.low:.3f}, {interval.high:.3f}]"


def decide(claim: Claim, outcomes: Outcomes) -> Decision:
    """Reproduced where intervals separate the claimed way, refuted where they separate the other way."""
    samples = {name: _sample(claim, outcomes[name]) for name in claim.cells}
    for name, sample in samples.items():
        if not sample and not any(outcome.figures for outcome in outcomes[name].values()):
            return Decision(claim, "not run", f"{name} has no finished run with {claim.metric}")
        if not sample:
            when = " before the first and after the last stage" if claim.kind == "rises" else ""
            return Decision(claim, "not decided", f"{claim.metric} is no number in {name}{when}")
        if len(sample) < LEAST_SEEDS:
            because = f"{name} has one finished seed with {claim.metric}, and one has no interval"
            return Decision(claim, "not decided", because)
    first, *rest = ((name, mean_interval(sample)) for name, sample in samples.items())
    name, interval = first
    if claim.kind == "greater":
        other, against = rest[0]
        because = f"{claim.metric} {name} {shown(interval)}, {other} {shown(against)}{_paired(claim, outcomes)}"
        return Decision(claim, _verdict(interval.low > against.high, interval.high < against.low), because)
    if claim.kind == "at_least":
        because = f"{claim.metric} {name} {shown(interval)}, wanted {claim.least:g}"
        return Decision(claim, _verdict(interval.low >= claim.least, interval.high < claim.least), because)
    because = f"{claim.metric} of {name} changes by {shown(interval)} over the stages"
    return Decision(claim, _verdict(interval.low > 0, interval.high < 0), because)


def _paired(claim: Claim, outcomes: Outcomes) -> str:
    """The difference within seeds, whose starts cells share: what seeds differ in cancels. It decides nothing."""
    ours, theirs = (by_seed(outcomes[name], claim.metric) for name in claim.cells)
    differences = [ours[seed] - theirs[seed] for seed in ours if seed in theirs]
    return f"; within seeds {shown(mean_interval(differences))}" if len(differences) >= LEAST_SEEDS else ""


def _verdict(holds: bool, fails: bool) -> Verdict:
    return "reproduces" if holds else "does not reproduce" if fails else "not decided"


def _sample(claim: Claim, outcomes: Mapping[int, Outcome]) -> Sequence[float]:
    if claim.kind != "rises":
        return values(outcomes, claim.metric)
    changes = []
    for outcome in outcomes.values():
        rows = outcome.figures["stages"] if outcome.figures and "stages" in outcome.figures else []
        ends = [number(row, claim.metric) for row in (rows[0], rows[-1])] if len(rows) > 1 else []
        match [value for value in ends if value is not None]:
            case [before, after]:
                changes.append(after - before)
    return changes
