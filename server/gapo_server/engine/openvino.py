"""The packed graph on OpenVINO: CPUs with bf16 (AMX, AVX512-BF16) or int8 (VNNI) units."""

from collections.abc import Callable, Sequence
from pathlib import Path
from queue import SimpleQueue

import numpy as np
import openvino as ov
from gapo_core.bundle import Bundle
from gapo_core.packing import Arrays
from numpy.typing import NDArray

from gapo_server.engine.base import Device, DeviceUnavailable, EngineOptions
from gapo_server.engine.cpu import usable_cores
from gapo_server.engine.parted import PartedScorer

_ARITHMETIC = {"fp32": "f32", "fp16": "f16", "bf16": "bf16"}
_CAPABILITY = {"fp16": "FP16", "bf16": "BF16"}
_SHAPES = 64
"""Batches differ in every dimension; kernels are kept for this many shapes, or memory would grow with traffic."""


def compile_graph(
    file: Path, precision: str, hidden: int, threads: int = 0, streams: int = 1
) -> Callable[[Arrays], NDArray[np.float32]]:
    """The graph in the arithmetic of its bundle on `threads`; 0 takes the usable physical cores.

    `streams` of them share the threads: so many callers compute at once.

    int8 is that of the products with int8 weights: half of `hidden`, the inner size of the smallest of them, is the
    number of a token's activations that share a scale (see benchmarks/README.md). What is left of an int8 graph runs
    in bf16 where this CPU can.

    Raises `DeviceUnavailable` where this CPU has no units for it.
    """
    core = ov.Core()
    units = core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    needed = _CAPABILITY.get(precision)
    if needed and needed not in units:
        raise DeviceUnavailable(f"openvino: this CPU computes no {precision}; serve a fp32 or int8 bundle")
    settings = {
        "INFERENCE_PRECISION_HINT": _ARITHMETIC.get(precision, "bf16" if "BF16" in units else "f32"),
        "INFERENCE_NUM_THREADS": str(threads or usable_cores()),
        "NUM_STREAMS": str(streams),
        "CPU_RUNTIME_CACHE_CAPACITY": str(_SHAPES),
        "DYNAMIC_QUANTIZATION_GROUP_SIZE": str(hidden // 2) if precision == "int8" else "0",
    }
    compiled = core.compile_model(core.read_model(str(file)), "CPU", settings)
    idle: SimpleQueue[ov.InferRequest] = SimpleQueue()
    for _ in range(streams):
        idle.put(compiled.create_infer_request())

    def forward(arrays: Arrays) -> NDArray[np.float32]:
        request = idle.get()
        try:
            request.infer(arrays, share_inputs=True)
            return np.array(request.get_output_tensor().data, np.float32)
        finally:
            idle.put(request)

    return forward


class OpenVinoEngine:
    """With several threads the graph is compiled twice, see `PartedScorer`."""

    def __init__(self, bundle: Bundle, pad_id: int, options: EngineOptions = EngineOptions(Device.OPENVINO)) -> None:
        shape, threads = bundle.manifest.architecture, options.threads or usable_cores()
        given = (bundle.file("model.onnx"), bundle.manifest.precision, shape.hidden, threads)
        together = compile_graph(*given)
        single = compile_graph(*given, streams=threads) if threads > 1 else together
        self.batch_tokens = options.batch_tokens
        self._scorer = PartedScorer(together, single, threads, self.batch_tokens, shape.block, shape.window // 2)

    def score(self, sequences: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        scores: NDArray[np.float32] = self._scorer.score(sequences)[:, 0]
        return scores
