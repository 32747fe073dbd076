"""What a trainer reports on its way, and its checkpoints: whole or not counted."""

import math
import shutil
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from gapo_training.baselines.config import BaselineConfig
from gapo_training.gapo.journal import Journal

_WHOLE = "whole"  # written into a checkpoint's folder when all else is there


def last_checkpoint(directory: Path) -> Path | None:
    """The newest checkpoint that was written to its end; None where there is none."""
    whole = [file.parent for file in directory.glob(f"checkpoint-*/{_WHOLE}")]
    return max(whole, key=lambda folder: int(folder.name.rpartition("-")[2]), default=None)


class Record(TrainerCallback):
    """Steps go to the journal. A checkpoint is marked when it is whole; only then are older ones removed."""

    def __init__(self, journal: Journal, config: BaselineConfig) -> None:
        self.journal, self.config = journal, config

    def on_log(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, logs: Any = None, **_: Any
    ) -> None:
        """Raises `FloatingPointError` when the loss or the gradient is not finite, before anything is saved."""
        if not logs or "loss" not in logs:
            return
        step, loss = state.global_step, logs["loss"]
        for name in ("loss", "grad_norm"):
            if not math.isfinite(logs.get(name, 0.0)):
                raise FloatingPointError(f"step {step}: {name} is {logs[name]}; lower learning_rate and start again")
        figures = {name: value for name, value in logs.items() if name != "epoch"}
        self.journal.record(self.config.method, step, figures)
        self.journal.progress(self.config.method, step, self.config.steps, f"loss {loss:.3f}")

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        directory = Path(str(args.output_dir))
        newest = directory / f"checkpoint-{state.global_step}"
        (newest / _WHOLE).touch()
        for folder in directory.glob("checkpoint-*"):
            if folder != newest:
                shutil.rmtree(folder)
