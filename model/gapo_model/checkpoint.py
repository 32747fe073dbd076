"""Hugging Face Longformer checkpoints (a directory with config.json and model.safetensors) in and out."""

import json
from dataclasses import asdict, fields
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from gapo_model.packed_longformer import LongformerShape, PackedLongformer


def load_checkpoint(directory: str | Path, block: int = 64) -> PackedLongformer:
    """Loads a `LongformerForSequenceClassification` checkpoint; a headless one gets a fresh head.

    Raises `ValueError` naming parameters that are missing or have another shape.
    """
    directory = Path(directory)
    config = json.loads((directory / "config.json").read_text(encoding="utf-8"))
    if config.get("model_type") != "longformer":
        raise ValueError(
            f"{directory / 'config.json'}: model_type is {config.get('model_type')!r}; longformerize it first"
        )
    layers = config["num_hidden_layers"]
    window = config["attention_window"]
    config["attention_window"] = tuple(window) if isinstance(window, list) else (window,) * layers
    config["num_labels"] = len(config.get("id2label", {0: ""}))
    shape = LongformerShape(**{f.name: config[f.name] for f in fields(LongformerShape) if f.name in config})
    model = PackedLongformer(shape, block)
    weights = directory / "model.safetensors"
    state = (
        load_file(weights)
        if weights.exists()
        else torch.load(directory / "pytorch_model.bin", map_location="cpu", weights_only=True)
    )
    result = model.load_state_dict(state, strict=False)
    missing = [name for name in result.missing_keys if not name.startswith("classifier.")]
    if missing:
        raise ValueError(f"{directory}: parameters are missing: {', '.join(missing[:5])}")
    return model


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
