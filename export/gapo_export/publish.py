"""Checkpoint -> bundle in a store: graph, validation, golden pair, manifest."""

import shutil
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import torch
from gapo_core.bundle import Architecture, Golden, Manifest, publish, sha256
from gapo_core.packing import pack
from gapo_core.pairs import PairEncoder, TruncationPolicy
from gapo_model.checkpoint import load_checkpoint
from gapo_model.longformerize import with_max_tokens

from gapo_export import target as targets
from gapo_export.external import keep_weights_beside
from gapo_export.graph import round_to_half, store_weights_as_half, write_graph
from gapo_export.target import Target
from gapo_export.validate import validate

GOLDEN = ("Describe a laptop. memory: 8 gb, price range: budget", "a budget laptop with 8 gb of memory .")


def export_checkpoint(
    checkpoint: Path,
    store: Path,
    name: str,
    version: str,
    half_weights: bool = False,
    quality: dict[str, Any] | None = None,
    target: Target = Target.CPU,
    max_tokens: int | None = None,
    truncation: TruncationPolicy = TruncationPolicy.ERROR,
) -> Path:
    """Publishes `<store>/<name>/<version>`; `max_tokens` sets another limit than the checkpoint's.

    `truncation` is what the server does with a longer pair unless a request says otherwise.

    Raises `BundleError` if the graph does not match the module, or the target cannot run it.
    """
    targets.check(target, "fp32", version)
    model = load_checkpoint(checkpoint).eval()
    trained = model.shape.max_tokens
    if max_tokens is not None:
        model = with_max_tokens(model, max_tokens)
    if half_weights:
        round_to_half(model)
    shape = model.shape
    encoder = PairEncoder(checkpoint / "tokenizer.json", shape.max_tokens)
    arrays = pack([encoder.encode(*GOLDEN).ids], model.block, max(model.half_windows))
    with torch.inference_mode():
        golden = model(*map(torch.from_numpy, arrays.values())).item()
    provenance: dict[str, Any] = {"checkpoint_sha256": sha256(checkpoint / "model.safetensors")}
    provenance |= {"target": target.value, "checkpoint_max_tokens": trained}
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
        template=encoder.template,
        truncation=truncation,
        golden=Golden(prompt=GOLDEN[0], response=GOLDEN[1], score=golden),
        provenance=provenance,
        quality=quality or {},
        files={},
    )

    def write(work: Path) -> None:
        graph = work / "model.onnx"
        write_graph(model, graph)
        if half_weights:
            store_weights_as_half(graph)
        keep_weights_beside(graph)
        validate(model, graph)
        shutil.copy(checkpoint / "tokenizer.json", work / "tokenizer.json")

    path = publish(store, manifest, write)
    if target is Target.TRITON:
        targets.write_triton_config(path.parent, targets.triton_config(name, path / "model.onnx"))
    return path
