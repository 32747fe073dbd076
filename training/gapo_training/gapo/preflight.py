"""What can be told before a run spends its hours."""

from pathlib import Path

from gapo_training.gapo import reward_model
from gapo_training.gapo.buffer import generated_rows, preferences_needed
from gapo_training.gapo.config import GapoConfig


def check(config: GapoConfig, preferences: int, out: Path) -> None:
    """Raises `ConfigError` where the run in `out`, with so many preferences, would stop after its supervised start."""
    if not (out / "warmup" / "done").exists():  # a resumed run needs its start no more
        reward_model.check(config.reward_model)
    ppo, phase = config.ppo, config.reward_phase
    if config.adversarial and config.stages:
        # At best every output of the first stage gets a label and fills a row.
        outputs = min(ppo.iterations * ppo.candidates * ppo.rollouts, phase.capacity)
        preferences_needed(phase, generated_rows(phase, outputs), preferences)
