"""The packed graph on OpenVINO: CPUs with bf16 (AMX, AVX512-BF16) or int8 (VNNI) units."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import openvino as ov
from gapo_core.bundle import Bundle
from gapo_core.packing import Arrays, score_runs
from numpy.typing import NDArray

from gapo_server.engine.base import Device, DeviceUnavailable, EngineOptions
from gapo_server.engine.cpu import usable_cores

_ARITHMETIC = {"fp32": "f32", "fp16": "f16", "bf16": "bf16", "int8": "f32"}
_CAPABILITY = {"fp16": "FP16", "bf16": "BF16"}
_SHAPES = 64
"""Batches differ in every dimension; kernels are kept for this many shapes, or memory would grow with traffic."""


def compile_graph(file: Path, precision: str, threads: int) -> Callable[[Arrays], NDArray[np.float32]]:
    """The graph in the arithmetic of its bundle; 0 `threads` takes the usable physical cores.

    Raises `DeviceUnavailable` where this CPU has no units for it.
    """
    core = ov.Core()
    needed = _CAPABILITY.get(precision)
    if needed and needed not in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        raise DeviceUnavailable(f"openvino: this CPU computes no {precision}; serve a fp32 or int8 bundle")
    settings = {
        "INFERENCE_PRECISION_HINT": _ARITHMETIC[precision],
        "INFERENCE_NUM_THREADS": str(threads or usable_cores()),
        "PERFORMANCE_HINT": "LATENCY",
        "CPU_RUNTIME_CACHE_CAPACITY": str(_SHAPES),
        "DYNAMIC_QUANTIZATION_GROUP_SIZE": "32" if precision == "int8" else "0",
    }
    request = core.compile_model(core.read_model(str(file)), "CPU", settings).create_infer_request()

    def forward(arrays: Arrays) -> NDArray[np.float32]:
        request.infer(arrays, share_inputs=True)
        return np.array(request.get_output_tensor().data, np.float32)

    return forward


class OpenVinoEngine:
    def __init__(self, bundle: Bundle, pad_id: int, options: EngineOptions = EngineOptions(Device.OPENVINO)) -> None:
        self._forward = compile_graph(bundle.file("model.onnx"), bundle.manifest.precision, options.threads)
        shape = bundle.manifest.architecture
        self._block, self._half_window, self._run_tokens = shape.block, shape.window // 2, options.max_batch_tokens

    def score(self, sequences: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        logits = score_runs(self._forward, sequences, self._block, self._half_window, self._run_tokens)
        scores: NDArray[np.float32] = logits[:, 0]
        return scores
