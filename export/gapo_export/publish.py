"""Checkpoint -> bundle in a store: graph, validation, golden pair, manifest."""

import shutil
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import torch
from gapo_core.bundle import Architecture, Golden, Manifest, publish, sha256
from gapo_core.packing import pack
from gapo_core.pairs import PairEncoder
from gapo_model.checkpoint import load_checkpoint

from gapo_export.graph import round_to_half, store_weights_as_half, write_graph
from gapo_export.validate import validate

GOLDEN = ("Describe a laptop. memory: 8 gb, price range: budget", "a budget laptop with 8 gb of memory .")


def export_checkpoint(
    checkpoint: Path, store: Path, name: str, version: str, half_weights: bool, quality: dict[str, Any]
) -> Path:
    """Publishes `<store>/<name>/<version>`. Raises `BundleError` if the graph does not match the module."""
    model = load_checkpoint(checkpoint).eval()
    if half_weights:
        round_to_half(model)
    shape = model.shape
    encoder = PairEncoder(checkpoint / "tokenizer.json", shape.max_tokens)
    arrays = pack([encoder.encode(*GOLDEN).ids], model.block, max(model.half_windows))
    with torch.inference_mode():
        golden = model(*map(torch.from_numpy, arrays.values())).item()
    manifest = Manifest(
        name=name,
        version=version,
        created_at=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        architecture=Architecture(
            layers=shape.num_hidden_layers,
            hidden=shape.hidden_size,
            heads=shape.num_attention_heads,
            window=max(shape.attention_window),
            block=model.block,
            max_tokens=shape.max_tokens,
        ),
        golden=Golden(prompt=GOLDEN[0], response=GOLDEN[1], score=golden),
        provenance={"checkpoint_sha256": sha256(checkpoint / "model.safetensors")},
        quality=quality,
        files={},
    )

    def write(work: Path) -> None:
        write_graph(model, work / "model.onnx")
        if half_weights:
            store_weights_as_half(work / "model.onnx")
        validate(model, work / "model.onnx")
        shutil.copy(checkpoint / "tokenizer.json", work / "tokenizer.json")

    return publish(store, manifest, write)
