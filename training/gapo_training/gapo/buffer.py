"""The adversarial buffer: generator outputs with their rule verdicts, and the rows of a reward-model phase."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from random import Random
from typing import Any

from gapo_training.gapo.config import ConfigError, RewardPhaseConfig
from gapo_training.preferential import Preference


@dataclass(frozen=True)
class GeneratedRow:
    """`kept` is whether rules say that every constraint is satisfied; None where a rule cannot tell."""

    prompt: str
    response: str
    kept: bool | None
    stage: int


@dataclass(frozen=True)
class LabelledRow:
    """A training row of the reward model; `source` is accepted, rejected or generated."""

    prompt: str
    response: str
    label: float
    source: str


def label(row: GeneratedRow, config: RewardPhaseConfig) -> float | None:
    """The label of a generator output; None leaves it out.

    `paper` calls every output negative, even a perfect one. `verified` lets the rules decide.
    """
    if config.labels == "paper":
        return 0.0
    if row.kept is None or (row.kept and config.satisfied == "omit"):
        return None
    return 1.0 if row.kept else 0.0


def class_weights(rows: Sequence[LabelledRow]) -> dict[float, float]:
    """The weight of each label's rows under which both labels weigh the same and the mean weight is 1."""
    counts = Counter(row.label for row in rows)
    return {value: len(rows) / (len(counts) * count) for value, count in counts.items()}


class AdversarialBuffer:
    """The newest `capacity` generator outputs that hold text."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.rows: list[GeneratedRow] = []

    def add(self, rows: Sequence[GeneratedRow]) -> None:
        self.rows = [*self.rows, *rows][-self.capacity :]

    def state(self) -> list[dict[str, Any]]:
        """Plain values for a checkpoint."""
        return [asdict(row) for row in self.rows]

    def restore(self, state: Sequence[dict[str, Any]]) -> None:
        self.rows = [GeneratedRow(**row) for row in state]


def generated_rows(config: RewardPhaseConfig, at_hand: int) -> int:
    """How many rows of a phase the generator wrote, of so many that can be labelled."""
    wanted = min(round(config.generated * config.samples), at_hand)
    return max(0, wanted - (config.samples - wanted) % 2)  # both sides of a pair come together


def preferences_needed(config: RewardPhaseConfig, generated: int, at_hand: int) -> int:
    """How many preferences fill a phase beside the `generated` rows. Raises `ConfigError` when fewer are at hand."""
    needed = (config.samples - generated) // 2
    if needed > at_hand:
        raise ConfigError(
            f"reward_phase.samples: {config.samples} rows take {needed} preferences beside the {generated} generated "
            f"rows, and the data give {at_hand}; use fewer samples, or more records"
        )
    return needed


def phase_rows(
    buffer: AdversarialBuffer, pairs: Sequence[Preference], config: RewardPhaseConfig, key: str
) -> tuple[list[LabelledRow], dict[str, float]]:
    """The `samples` rows of one phase, and how many of each kind they are.

    The share `generated` comes from the buffer as far as that reaches; preferences, both sides of each, fill the
    rest. All draws come from `key`. Raises `ConfigError` when there are too few pairs.
    """
    rng = Random(key)
    usable = [(row, value) for row in buffer.rows if (value := label(row, config)) is not None]
    wanted = generated_rows(config, len(usable))
    fakes = [LabelledRow(r.prompt, r.response, value, "generated") for r, value in rng.sample(usable, wanted)]
    count = preferences_needed(config, len(fakes), len(pairs))
    rows = list(fakes)
    for pair in rng.sample(pairs, count):
        accepted, rejected = pair.rows
        rows.append(LabelledRow(*accepted, 1.0, "accepted"))
        rows.append(LabelledRow(*rejected, 0.0, "rejected"))
    counts = {
        "rows": float(len(rows)),
        "generated_rows": float(len(fakes)),
        "generated_positive": float(sum(row.label for row in fakes)),
        "generated_share": len(fakes) / max(1, len(rows)),
    }
    return rows, counts
