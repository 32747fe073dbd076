"""Settings of a baseline run."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from gapo_training.gapo.config import ConfigError, DataConfig, plain

Method = Literal["dpo", "kto", "simpo", "orpo", "amapo"]
Preference = Literal["prompt", "response"]
Form = Literal["naive", "masked"]
BETAS: dict[Method, float] = {"dpo": 0.1, "kto": 0.1, "simpo": 2.0, "orpo": 0.1, "amapo": 3.0}


@dataclass(frozen=True)
class BaselineConfig:
    """One run of one method. A step sees the same pairs whatever the method, preference or form."""

    method: Method
    generator: Path  # SFT checkpoint to start from, and the reference of DPO and KTO
    preference: Preference = "prompt"  # what a pair's branches differ in
    form: Form = "masked"  # naive: prompt tokens after the branches part are trained on too
    seed: int = 0  # of the pairs, and of their order
    pairs: int = 0  # how many are used; 0 takes all
    steps: int = 400  # optimiser steps
    rows: int = 32  # pairs of one step, and of one forward pass
    learning_rate: float = 1e-4  # peak, then linearly to zero
    warmup_steps: int = 20
    weight_decay: float = 0.0
    clip_norm: float = 1.0
    beta: float = 0.0  # strength; 0 takes the method's own: dpo, kto, orpo 0.1, simpo 2, amapo 3
    gamma: float = 0.5  # margin of simpo that beta times the difference shall reach; other methods have none
    checkpoint_every: int = 50  # steps
    mixed_precision: Literal["no", "bf16"] = "no"
    cpu: bool = False  # stay off the GPU
    data: DataConfig = field(default_factory=DataConfig)

    def __post_init__(self) -> None:
        for name, least in (
            ("steps", 1),
            ("pairs", 0),
            ("rows", 2 if self.method in ("kto", "amapo") else 1),
            ("checkpoint_every", 1),
        ):
            if getattr(self, name) < least:
                raise ConfigError(f"{name}: {getattr(self, name)} is too small for {self.method}; use {least} or more")
        if self.form == "naive" and self.method == "kto":
            raise ConfigError("form: kto takes every prompt on its own and has no naive form; use masked")
        if self.form == "naive" and self.preference == "response":
            raise ConfigError("form: responses to one prompt share it, so both forms are one; use masked")
        if self.beta < 0:
            raise ConfigError(f"beta: {self.beta} is negative; use 0 for the method's own")

    @property
    def strength(self) -> float:
        """`beta`, or the method's own."""
        return self.beta or BETAS[self.method]

    def as_dict(self) -> dict[str, Any]:
        """Plain values, as the run's config.yaml holds them."""
        return plain(self)
