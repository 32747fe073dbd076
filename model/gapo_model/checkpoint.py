"""Hugging Face Longformer checkpoints (a directory with config.json and model.safetensors) in and out."""

import json
from collections.abc import Iterable
from dataclasses import MISSING, asdict, fields
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from gapo_model.packed_longformer import LongformerShape, PackedLongformer


def load_checkpoint(directory: str | Path, block: int = 64, fresh_head: bool = False) -> PackedLongformer:
    """Loads a `LongformerForSequenceClassification` checkpoint.

    With `fresh_head` one that was trained for something else may lack the classifier, which starts at random then.
    Raises `ValueError` naming the file that cannot be read, or parameters that are missing or have another shape.
    """
    directory = Path(directory)
    file = directory / "config.json"
    config = read_config(directory)
    if config.get("model_type") != "longformer":
        raise ValueError(f"{file}: model_type is {config.get('model_type')!r}; longformerize it first")
    check_config(config, file, [f.name for f in fields(LongformerShape) if f.default is MISSING])
    layers = config["num_hidden_layers"]
    window = config["attention_window"]
    config["attention_window"] = tuple(window) if isinstance(window, list) else (window,) * layers
    if len(config["attention_window"]) != layers:
        raise ValueError(f"{file}: attention_window: has {len(window)} entries for {layers} layers; give one a layer")
    state = read_weights(directory)
    # Hugging Face leaves `id2label` out where there are two labels, and where there is no head at all.
    config["num_labels"] = len(state.get("classifier.out_proj.bias", [0.0]))
    shape = LongformerShape(**{f.name: config[f.name] for f in fields(LongformerShape) if f.name in config})
    model = PackedLongformer(shape, block)
    check_shapes(directory, state, model.state_dict())
    result = model.load_state_dict(state, strict=False)
    missing = [name for name in result.missing_keys if not (fresh_head and name.startswith("classifier."))]
    if missing:
        told = f"{directory}: parameters are missing: {', '.join(missing[:5])}"
        headless = all(name.startswith("classifier.") for name in missing)
        raise ValueError(f"{told}; train the head first (gapo train rm --start)" if headless else told)
    return model


def read_config(directory: Path) -> dict[str, Any]:
    """config.json. Raises `ValueError` for what is no JSON object."""
    file = directory / "config.json"
    try:
        config = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(f"{file}: {error}; give a Hugging Face checkpoint folder") from error
    if not isinstance(config, dict):
        raise ValueError(f"{file}: is no JSON object; give a Hugging Face checkpoint folder")
    return config


def check_config(config: dict[str, Any], file: Path, needed: Iterable[str]) -> None:
    """Raises `ValueError` for keys that are missing and for an activation that the packed model does not compute."""
    if missing := [name for name in needed if name not in config]:
        raise ValueError(f"{file}: {', '.join(missing)}: missing; save the model anew with save_pretrained")
    if config.get("hidden_act", "gelu") != "gelu":
        raise ValueError(f"{file}: hidden_act is {config['hidden_act']!r}; the packed Longformer computes 'gelu' only")


def weights_file(directory: Path) -> Path:
    """model.safetensors, or else pytorch_model.bin. Raises `ValueError` where neither is."""
    for name in ("model.safetensors", "pytorch_model.bin"):
        if (directory / name).is_file():
            return directory / name
    raise ValueError(
        f"{directory}: holds neither model.safetensors nor pytorch_model.bin; save the weights there, in one file"
    )


def read_weights(directory: Path) -> dict[str, Tensor]:
    """Parameters by name. Raises `ValueError` for a file that is missing or damaged."""
    file = weights_file(directory)
    try:
        safe = file.suffix == ".safetensors"
        state: dict[str, Tensor] = load_file(file) if safe else torch.load(file, map_location="cpu", weights_only=True)
    except (SafetensorError, UnpicklingError, RuntimeError, EOFError) as error:
        raise ValueError(f"{file}: cannot be read ({str(error).splitlines()[0]}); copy or save it anew") from error
    return state


def check_shapes(directory: Path, state: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    """Raises `ValueError` naming parameters of another shape than config.json gives them."""
    wrong = [
        f"{name} has shape {tuple(state[name].shape)}, not {tuple(value.shape)}"
        for name, value in expected.items()
        if name in state and state[name].shape != value.shape
    ]
    if wrong:
        raise ValueError(f"{directory}: config.json does not fit the weights: {'; '.join(wrong[:3])}")


def save_checkpoint(model: PackedLongformer, directory: str | Path, tokenizer: str) -> None:
    """Writes config.json, model.safetensors and tokenizer.json so that transformers loads them too.

    `tokenizer` is the text of a tokenizer.json. What it says of truncation and padding is dropped: a sentence encoder's
    128 tokens are no limit of the Longformer made from it.
    """
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    config = {key: value for key, value in asdict(model.shape).items() if key != "num_labels"}
    config["attention_window"] = list(model.shape.attention_window)
    labels = {str(i): f"LABEL_{i}" for i in range(model.shape.num_labels)}
    config |= {"model_type": "longformer", "architectures": ["LongformerForSequenceClassification"]}
    config |= {"id2label": labels, "label2id": {name: int(i) for i, name in labels.items()}, "hidden_act": "gelu"}
    (directory / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    save_file({k: v.contiguous() for k, v in model.state_dict().items()}, directory / "model.safetensors")
    untruncated = json.loads(tokenizer) | {"truncation": None, "padding": None}
    compact = json.dumps(untruncated, ensure_ascii=False, separators=(",", ":"))
    (directory / "tokenizer.json").write_text(compact, encoding="utf-8")
