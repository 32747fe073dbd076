"""What a model's folder holds, read from its config.json before a run spends hours on the wrong kind."""

from pathlib import Path
from typing import Any

from gapo_export.recover import is_bundle
from gapo_model.checkpoint import read_config
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

from gapo_training.gapo.config import ConfigError

REWARD_MODELS = ("longformer", "qwen2")  # model types of `discriminator`
ANOTHER_GENERATOR = "give the sft/ of a run or another language model's local folder; nothing is downloaded"
ANOTHER_REWARD_MODEL = "give the reward_model/A… or warmup/checkpoint of a run, or an fp32 bundle"


def check_generator(folder: Path, option: str) -> None:
    """Raises `ConfigError`, naming the option, where the folder holds no causal language model."""
    if is_bundle(folder):
        raise ConfigError(f"{option}: {str(folder)!r} is a reward model's bundle; {ANOTHER_GENERATOR}")
    if not (folder / "config.json").is_file():
        raise ConfigError(f"{option}: {str(folder)!r} is no checkpoint folder; {ANOTHER_GENERATOR}")
    config = _config(folder, option)
    if config.get("model_type") not in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES or _ends(
        config, "ForSequenceClassification", "ForMaskedLM"
    ):
        raise ConfigError(f"{option}: {str(folder)!r} holds {_held(config)}, no generator; {ANOTHER_GENERATOR}")


def check_reward_model(folder: Path, option: str, headless: tuple[str, ...] = ()) -> None:
    """Raises `ConfigError`, naming the option, where the folder holds neither a bundle nor a reward model.

    Models of the types `headless` may lack their heads: a warm-up gives them one.
    """
    if is_bundle(folder):
        return
    config = _config(folder, option)
    kind, bare = config.get("model_type"), not _ends(config, "ForSequenceClassification")
    if kind not in REWARD_MODELS or (bare and kind not in headless):
        raise ConfigError(f"{option}: {str(folder)!r} holds {_held(config)}, no reward model; {ANOTHER_REWARD_MODEL}")


def _config(folder: Path, option: str) -> dict[str, Any]:
    try:
        return read_config(folder)
    except ValueError as error:
        raise ConfigError(f"{option}: {error}") from None


def _ends(config: dict[str, Any], *heads: str) -> bool:
    return any(str(name).endswith(heads) for name in config.get("architectures") or ())


def _held(config: dict[str, Any]) -> str:
    names = config.get("architectures") or [config.get("model_type", "a model of no type")]
    return ", ".join(map(str, names))
