"""What a run was made of: config.yaml and run.json with data hashes and versions."""

import json
import platform
from collections.abc import Sequence
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Protocol

import yaml

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


class Settings(Protocol):
    """A run's configuration."""

    def as_dict(self) -> dict[str, Any]: ...


def write(out: Path, config: Settings, corpus: Corpus, processes: int, packages: Sequence[str] = PACKAGES) -> None:
    """Writes the resolved settings, so that `--config OUT/config.yaml` repeats the run, and what they met."""
    out.mkdir(parents=True, exist_ok=True)
    (out / "config.yaml").write_text(yaml.safe_dump(config.as_dict(), sort_keys=False), encoding="utf-8")
    facts = {
        "data_sha256": dict(corpus.hashes),
        "training_prompts": len(corpus.training),
        "held_out_prompts": len(corpus.held_out),
        "versions": _versions(packages) | {"python": platform.python_version()},
        "machine": platform.machine(),
        "processes": processes,
    }
    (out / "run.json").write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")


def _versions(packages: Sequence[str]) -> dict[str, str]:
    """Of those that are installed: an environment holds onnxruntime or onnxruntime-gpu."""
    found = {}
    for name in packages:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found
