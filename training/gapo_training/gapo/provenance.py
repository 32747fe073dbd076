"""What a run was made of: config.yaml and run.json with data hashes and versions; a resumed run is made of the same."""

import json
import platform
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Protocol

import yaml
from accelerate import Accelerator

from gapo_training.gapo.config import ConfigError, settings_of
from gapo_training.gapo.tasks import Corpus

PACKAGES = (
    "gapo",
    "torch",
    "transformers",
    "accelerate",
    "tokenizers",
    "numpy",
    "onnx",
    "onnxruntime",
    "onnxruntime-gpu",
)


FREE = frozenset(
    {
        *("stages", "tracker", "publish", "sharding", "rollout.url", "rollout.batch", "reward.url"),
        *("sft.checkpoint_every", "warmup.checkpoint_every", "generator.gradient_checkpointing"),
        *(f"{part}.{name}" for part in ("sft", "ppo", "reward_phase") for name in ("micro_batch", "clip_norm")),
        *(f"{part}.learning_rate" for part in ("sft", "warmup", "ppo", "reward_phase")),
        *("ppo.critic_learning_rate", "ppo.kl", "ppo.kl_limit"),
    }
)
"""What a resumed GAPO run may change: how long, where and in what portions it works, and what a diagnosis asks for."""
_FOLDERS = ("generator", "generator.path", "reward_model.path", "start", "data", "pairs")


class Settings(Protocol):
    """A run's configuration."""

    def as_dict(self) -> dict[str, Any]: ...


def admit(accelerator: Accelerator, out: Path, config: Settings, resume: bool) -> None:
    """Raises `ConfigError` where a run that is not resumed would empty another's journal, and where one that is was
    begun with other settings.

    All processes look before the first one begins the journal, which a later one would take for another run's.
    """
    if (out / "metrics.jsonl").exists() and not resume:
        raise ConfigError(f"out: {out} holds a run already; go on with --resume or choose another folder")
    if resume and (out / "config.yaml").exists():
        refuse_mixing(out, settings_of(out / "config.yaml"), config.as_dict(), FREE)
    accelerator.wait_for_everyone()


def write(out: Path, config: Settings, corpus: Corpus, processes: int, packages: Sequence[str] = PACKAGES) -> None:
    """Writes the resolved settings, so that `--config OUT/config.yaml` repeats the run, and what they met.

    Settings that a resumed run had changed stand in run.json, as they were before and from then on.
    """
    out.mkdir(parents=True, exist_ok=True)
    before, changes = out / "run.json", []
    if before.exists() and (out / "config.yaml").exists():
        changes = json.loads(before.read_text(encoding="utf-8")).get("changes", [])
        if differing := differences(settings_of(out / "config.yaml"), config.as_dict()):
            changes.append(differing)
    (out / "config.yaml").write_text(yaml.safe_dump(config.as_dict(), sort_keys=False), encoding="utf-8")
    facts = {
        "data_sha256": dict(corpus.hashes),
        "training_prompts": len(corpus.training),
        "held_out_prompts": len(corpus.held_out),
        "versions": _versions(packages) | {"python": platform.python_version()},
        "machine": platform.machine(),
        "processes": processes,
        "changes": changes,
    }
    (out / "run.json").write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")


def refuse_mixing(out: Path, before: Mapping[str, Any], wanted: Mapping[str, Any], free: Collection[str] = ()) -> None:
    """Raises `ConfigError` where the run in `out` was begun with other settings than `wanted`, those in `free` aside:
    what is there would be of one run and what comes of another."""
    for name, (was, now) in differences(before, wanted).items():
        if name not in free:
            raise ConfigError(f"{name}: the run in {out} has {was}, not {now}; choose another folder")


def differences(before: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """`part.name` -> (before, wanted) of the settings that differ; those that `before` does not know do not."""
    old, new = dict(_flat(before)), dict(_flat(wanted))
    return {name: (old[name], new[name]) for name in new if name in old and old[name] != new[name]}


def _flat(settings: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in settings.items():
        name = f"{path}{key}"
        if isinstance(value, Mapping):
            yield from _flat(value, f"{name}.")
        else:
            # One folder has many names.
            yield name, str(Path(value).resolve()) if name in _FOLDERS and isinstance(value, str | Path) else value


def _versions(packages: Sequence[str]) -> dict[str, str]:
    """Of those that are installed: an environment holds onnxruntime or onnxruntime-gpu."""
    found = {}
    for name in packages:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found
