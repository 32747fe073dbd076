"""A generator checkpoint (any causal language model of Hugging Face) -> ONNX beside the checkpoint itself.

<store>/<name>/<version>/
  config.json, *.safetensors, tokenizer files …   the checkpoint, as it was: `vllm serve` takes this folder
  onnx/model.onnx (+ model.onnx_data) …           the graph with past keys and values, for ONNX Runtime
  generator.json                                  what was checked, with which versions, and every file's sha256
"""

import json
import shutil
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timezone
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

import torch
from gapo_core.bundle import BundleError, check_name, hash_files, publish_folder
from optimum.exporters.onnx import main_export
from optimum.onnxruntime import ORTModelForCausalLM
from torch.jit._trace import TracerWarning
from transformers import AutoModelForCausalLM, AutoTokenizer

PROMPTS = (
    "Describe a laptop. memory: 8 gb, price range: budget",
    "Say hello.",
    "Write two sentences about a restaurant by the river. Do not use the word cheap, keep it under 40 words, and "
    "mention that children are welcome.",
    "List three colours",
)
NEW_TOKENS = 24

_MADE_WITH = ("optimum", "optimum-onnx", "transformers", "torch")
# Weights only in safetensors: the other formats are pickles, which run code when read.
_CARRIED = ("*.json", "*.safetensors", "*.txt", "*.model", "*.jinja")


def is_generator(config: dict[str, Any]) -> bool:
    """Whether a checkpoint's config.json is that of a causal language model."""
    return any(name.endswith(("ForCausalLM", "LMHeadModel")) for name in config.get("architectures") or ())


def export_generator(checkpoint: Path, store: Path, name: str, version: str, prompts: Sequence[str] = PROMPTS) -> Path:
    """Publishes `<store>/<name>/<version>`. Raises `BundleError` unless ONNX decodes as PyTorch, token for token."""
    check_name(name, version)
    if not any(checkpoint.glob("*.safetensors")):
        raise BundleError(
            f"{checkpoint}: holds no *.safetensors; save it with save_pretrained(safe_serialization=True)"
        )

    def fill(work: Path) -> None:
        for pattern in _CARRIED:
            for file in checkpoint.glob(pattern):
                shutil.copyfile(file, work / file.name)  # not its mode: safetensors writes for its owner alone
        with _known_warnings(), _told(checkpoint):
            main_export(
                str(checkpoint),
                work / "onnx",
                task="text-generation-with-past",
                library_name="transformers",
                local_files_only=True,
                do_validation=False,  # tokens are compared below, which is stricter
            )
            tokens = compare_decoding(checkpoint, work / "onnx", prompts)
        done = {
            "name": name,
            "version": version,
            "created_at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            "checked": {"prompts": len(prompts), "greedy_tokens": tokens, "batches": [1, len(prompts)]},
            "made_with": {package: installed(package) for package in _MADE_WITH},
            "files": hash_files(work),
        }
        (work / "generator.json").write_text(json.dumps(done, indent=2) + "\n", encoding="utf-8")

    return publish_folder(store / name / version, fill)


def compare_decoding(checkpoint: Path, graph: Path, prompts: Sequence[str], new_tokens: int = NEW_TOKENS) -> int:
    """Decodes each prompt alone and all as one left-padded batch, greedily, in both runtimes.

    Returns the number of tokens compared. Raises `BundleError` naming the first prompt and token that differ.
    """
    tokenizer = AutoTokenizer.from_pretrained(checkpoint, padding_side="left", local_files_only=True)
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    reference = AutoModelForCausalLM.from_pretrained(checkpoint, dtype=torch.float32, local_files_only=True).eval()
    exported = ORTModelForCausalLM.from_pretrained(graph, local_files_only=True)
    compared = 0
    for batch in [[prompt] for prompt in prompts] + [list(prompts)]:
        inputs = tokenizer(batch, return_tensors="pt", padding=True)
        inputs.pop("token_type_ids", None)
        start = inputs["input_ids"].shape[1]
        # At least as many tokens as at most: a text that ends at once would prove nothing.
        options = {"do_sample": False, "num_beams": 1, "min_new_tokens": new_tokens, "max_new_tokens": new_tokens}
        options["pad_token_id"] = tokenizer.pad_token_id
        with torch.inference_mode():
            expected = reference.generate(**inputs, **options)[:, start:]
            got = exported.generate(**inputs, **options)[:, start:]
        if got.shape != expected.shape:
            raise BundleError(f"{graph}: decodes {tuple(got.shape)} tokens where PyTorch has {tuple(expected.shape)}")
        for prompt, ours, theirs in zip(batch, got, expected, strict=True):
            different = (ours != theirs).nonzero()
            if len(different):
                raise BundleError(
                    f"{graph}: prompt {prompt[:60]!r} in a batch of {len(batch)}: new token {int(different[0])} is "
                    f"{int(ours[different[0]])}, PyTorch's greedy decoding has {int(theirs[different[0]])}"
                )
        compared += got.numel()
    return compared


@contextmanager
def _told(checkpoint: Path) -> Iterator[None]:
    """What transformers and optimum cannot read they tell by errors of every kind."""
    try:
        yield
    except BundleError:
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno:  # a full disk, told by whoever publishes
            raise
        problem = " ".join(str(error).split())
        raise BundleError(f"{checkpoint}: cannot be exported: {type(error).__name__}: {problem}") from error


@contextmanager
def _known_warnings() -> Iterator[None]:
    """Silences what tracing, optimum and transformers say of themselves on every export."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=TracerWarning)
        warnings.filterwarnings("ignore", "You are using the legacy TorchScript-based ONNX export", DeprecationWarning)
        warnings.filterwarnings("ignore", "The feature will be removed", DeprecationWarning)
        warnings.filterwarnings("ignore", "Exporting aten::index operator", UserWarning)
        yield
