"""Options of ONNX Runtime's TensorRT execution provider. TensorRT was not run: its libraries were not at hand."""

import hashlib
import json
from pathlib import Path

from gapo_core.bundle import Architecture, Bundle
from gapo_core.packing import pack

from gapo_server.engine.base import EngineOptions

TENSORRT = "TensorrtExecutionProvider"

Shape = tuple[int, ...]
Profile = dict[str, tuple[Shape, Shape, Shape]]
"""Input name -> smallest, most usual and largest shape."""

SHORTEST = 5
"""Tokens of a pair of two words: each of them and three special tokens."""
TYPICAL = 128
"""Tokens of the pairs for which the engine is tuned."""


def profile(architecture: Architecture, max_batch_tokens: int) -> Profile:
    """Range of every dynamic axis under the token budget, read off batches at its corners.

    Largest is the maximum over the corners, axis by axis: one longest pair, as many of the shortest and as many of
    the longest as fit. A batch beyond it would still score right, after minutes in which TensorRT builds anew.
    """
    block, longest = architecture.block, architecture.max_tokens

    def shapes(lengths: list[int]) -> dict[str, Shape]:
        arrays = pack([[0] * n for n in lengths], block, architecture.window // 2)
        return {name: array.shape for name, array in arrays.items()}

    fitting = min(longest, max_batch_tokens)
    smallest = shapes([1])
    usual = shapes([min(TYPICAL, longest)] * max(1, max_batch_tokens // TYPICAL))
    corners = [[longest], [SHORTEST] * max(1, max_batch_tokens // SHORTEST), [fitting] * (max_batch_tokens // fitting)]
    largest = [shapes(lengths) for lengths in corners]
    return {
        name: (
            smallest[name],
            usual[name],
            tuple(max(sizes) for sizes in zip(*(c[name] for c in largest), strict=True)),
        )
        for name in smallest
    }


def tensorrt_options(shapes: Profile, cache: Path, options: EngineOptions) -> dict[str, str]:
    def written(which: int) -> str:
        return ",".join(f"{name}:{'x'.join(map(str, ranges[which]))}" for name, ranges in shapes.items())

    made = {
        "device_id": str(options.gpu),
        "trt_engine_cache_enable": "1",
        "trt_engine_cache_path": str(cache),
        "trt_timing_cache_enable": "1",
        "trt_timing_cache_path": str(cache),
        "trt_profile_min_shapes": written(0),
        "trt_profile_opt_shapes": written(1),
        "trt_profile_max_shapes": written(2),
        "trt_fp16_enable": str(int(options.tensorrt_precision == "fp16")),
        "trt_bf16_enable": str(int(options.tensorrt_precision == "bf16")),
        # Sums of squares overflow fp16; LayerNorm keeps fp32.
        "trt_layer_norm_fp32_fallback": str(int(options.tensorrt_precision == "fp16")),
    }
    if options.gpu_memory_bytes:
        made["trt_max_workspace_size"] = str(options.gpu_memory_bytes)
    return made


def cache_folder(bundle: Bundle, shapes: Profile, options: EngineOptions) -> Path:
    """`<cache>/<key>`; the key changes with the graph, the shapes and the precision, so no stale engine is loaded."""
    graph = {name: digest for name, digest in bundle.manifest.files.items() if name.startswith("model.onnx")}
    key = json.dumps([graph, shapes, options.tensorrt_precision], sort_keys=True)
    folder = options.tensorrt_cache.expanduser() / hashlib.sha256(key.encode()).hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    return folder
