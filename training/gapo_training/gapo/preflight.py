"""What can be told before a run spends its hours."""

from pathlib import Path

from gapo_training.gapo import reward_model
from gapo_training.gapo.buffer import generated_rows, preferences_needed
from gapo_training.gapo.config import GapoConfig
from gapo_training.gapo.folders import check_generator


def check(config: GapoConfig, preferences: int, out: Path) -> None:
    """Raises `ConfigError` where the run in `out`, with so many preferences, would stop at or after its starts."""
    # A resumed run needs its starts no more.
    if config.generator.path is not None and not (out / "sft" / "done").exists():
        check_generator(config.generator.path, "generator.path")
    if not (out / "warmup" / "done").exists():
        reward_model.check(config.reward_model)
    ppo, phase = config.ppo, config.reward_phase
    if config.adversarial and config.stages:
        # At best every output of the first stage gets a label and fills a row.
        outputs = min(ppo.iterations * ppo.candidates * ppo.rollouts, phase.capacity)
        preferences_needed(phase, generated_rows(phase, outputs), preferences)
