"""Checkpoint -> bundle in a store: graph, validation, golden pair, manifest."""

import shutil
from datetime import datetime, timezone
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from gapo_core.bundle import (
    Architecture,
    BundleError,
    Calibration,
    Golden,
    Manifest,
    check_name,
    publish,
    sha256,
)
from gapo_core.packing import pack
from gapo_core.pairs import PairEncoder, PairTooLong, TruncationPolicy
from gapo_model.checkpoint import load_checkpoint, weights_file
from gapo_model.longformerize import with_max_tokens
from onnx import TensorProto
from pydantic import ValidationError

from gapo_export import target as targets
from gapo_export.acceptance import read_pairs
from gapo_export.external import keep_weights_beside
from gapo_export.graph import round_weights, store_weights_as, write_graph
from gapo_export.precision import narrow
from gapo_export.target import Precision, Target
from gapo_export.validate import validate

NARROW_TOLERANCE = 0.05
"""Kernels of other CPUs and GPUs round narrow numbers in another order."""
GOLDEN = ("Describe a laptop. memory: 8 gb, price range: budget", "a budget laptop with 8 gb of memory .")


def export_checkpoint(
    checkpoint: Path,
    store: Path,
    name: str,
    version: str,
    *,
    half_weights: bool = False,
    quality: dict[str, Any] | None = None,
    target: Target = Target.CPU,
    max_tokens: int | None = None,
    truncation: TruncationPolicy = TruncationPolicy.ERROR,
    precision: Precision = Precision.FP32,
    pairs: Path | None = None,
) -> Path:
    """Publishes `<store>/<name>/<version>`; `max_tokens` sets another limit than the checkpoint's.

    `truncation` is what the server does with a longer pair unless a request says otherwise. A precision below fp32
    is accepted on `pairs`, JSON lines of real ones (see `acceptance`). Raises `BundleError` if the graph does not
    match the module, the precision is not accepted, or the target cannot run it.
    """
    check_name(name, version)
    targets.check(target, precision.value, version)
    if (precision is Precision.FP32) != (pairs is None) or (pairs and half_weights):
        raise BundleError(
            "precision: one below fp32 is accepted on --pairs and goes without --half-weights; fp32 takes no --pairs"
        )
    held_out = read_pairs(pairs) if pairs else []
    model = load_checkpoint(checkpoint).eval()
    if model.shape.num_labels != 1:
        raise BundleError(f"{checkpoint}: the head has {model.shape.num_labels} labels; a reward model has one")
    trained = model.shape.max_tokens
    if max_tokens is not None:
        model = with_max_tokens(model, max_tokens)
    if half_weights:
        round_weights(model, torch.float16)
    shape = model.shape
    encoder = PairEncoder(checkpoint / "tokenizer.json", shape.max_tokens)
    try:
        golden_ids = encoder.encode(*GOLDEN).ids
    except PairTooLong as error:
        raise BundleError(
            f"max_tokens: {shape.max_tokens} are too few for the pair that every start of a server checks the bundle "
            "with; choose a larger --max-tokens"
        ) from error
    arrays = pack([golden_ids], model.block, max(model.half_windows))
    with torch.inference_mode():
        golden = model(*map(torch.from_numpy, arrays.values())).item()
    provenance: dict[str, Any] = {"checkpoint_sha256": sha256(weights_file(checkpoint))}
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
        precision=precision.value,
        template=encoder.template,
        truncation=truncation,
        golden=Golden(prompt=GOLDEN[0], response=GOLDEN[1], score=golden),
        provenance=provenance,
        calibration=_calibration(checkpoint),
        quality=dict(quality or {}),
        files={},
    )

    def write(work: Path) -> None:
        graph = work / "model.onnx"
        if not held_out:
            write_graph(model, graph, heads_at_once=model.heads if target in targets.GPU else 0)
            if half_weights:
                store_weights_as(graph, TensorProto.FLOAT16)
            keep_weights_beside(graph)
            validate(model, graph)
        else:
            with TemporaryDirectory(dir=work) as folder:  # what is killed here goes with the next publisher
                wide = Path(folder) / graph.name
                write_graph(model, wide)
                validate(model, wide)
                agreement, score = narrow(
                    model, wide, graph, precision, target, encoder, held_out, manifest.calibration, golden_ids
                )
            # What only the finished graph tells goes into the manifest before that is written.
            manifest.quality["agreement_with_fp32"] = agreement.figures()
            manifest.golden = Golden(prompt=GOLDEN[0], response=GOLDEN[1], score=score, tolerance=NARROW_TOLERANCE)
            keep_weights_beside(graph)
        shutil.copyfile(checkpoint / "tokenizer.json", work / "tokenizer.json")
        if target is Target.TRITON:  # before the version appears: killed in between, it could not be exported again
            targets.write_triton_config(work.parent, targets.triton_config(name, graph))

    return publish(store, manifest, write)


def _calibration(checkpoint: Path) -> Calibration:
    """What `gapo train rm` fitted beside the weights, or the plain logistic function."""
    file = checkpoint / "calibration.json"
    try:
        return Calibration.model_validate_json(file.read_bytes()) if file.exists() else Calibration()
    except ValidationError as error:
        problem = error.errors(include_input=False)[0]
        raise BundleError(
            f"{file}: {'.'.join(map(str, problem['loc']))}: {problem['msg']}; calibrate again with `gapo train rm`"
        ) from error
