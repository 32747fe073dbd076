"""Narrower arithmetic: the graph for each target, and how far it follows fp32 on real pairs."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import onnxruntime as ort
import torch
from gapo_core.bundle import BundleError, Calibration
from gapo_core.packing import Arrays, score_runs
from gapo_core.pairs import PairEncoder
from gapo_model.packed_longformer import PackedLongformer
from gapo_server.engine.base import DeviceUnavailable
from numpy.typing import NDArray
from onnx import TensorProto

from gapo_export.acceptance import Agreement, accept, compare, encode_pairs
from gapo_export.graph import TracedLongformer, store_weights_as, write_graph
from gapo_export.quantize import int8_products, int8_weights
from gapo_export.target import Precision, Target

Forward = Callable[[Arrays], NDArray[np.float32]]

_HALF = {Precision.FP16: (torch.float16, TensorProto.FLOAT16), Precision.BF16: (torch.bfloat16, TensorProto.BFLOAT16)}
_RUN_TOKENS = 2048


def narrow(
    model: PackedLongformer,
    wide: Path,
    graph: Path,
    precision: Precision,
    target: Target,
    encoder: PairEncoder,
    pairs: Sequence[tuple[str, str, str]],
    calibration: Calibration,
    golden: Sequence[int],
) -> tuple[Agreement, float]:
    """Writes `graph` from the fp32 graph `wide`, compares both on `pairs`, and scores the `golden` ids.

    Raises `BundleError` if the narrower graph is not accepted, or nothing here can compute it.
    """
    if target is Target.OPENVINO:
        _write_for_openvino(wide, graph, precision)
        forward = _openvino(graph, precision, model.hidden)
    elif precision is Precision.INT8:
        int8_products(wide, graph)
        forward = onnxruntime_forward(graph)
    else:
        write_graph(model, graph, _HALF[precision][0], model.heads)
        forward = _torch(model, _HALF[precision][0])

    def score(run: Forward, sequences: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        return score_runs(run, sequences, model.block, max(model.half_windows), _RUN_TOKENS)[:, 0]

    sequences = encode_pairs(encoder, pairs)
    agreement = compare(score(onnxruntime_forward(wide), sequences), score(forward, sequences), calibration)
    accept(agreement, precision.value)
    return agreement, float(score(forward, [golden])[0])


def onnxruntime_forward(file: Path) -> Forward:
    """The graph on ONNX Runtime's CPU provider."""
    session = ort.InferenceSession(str(file), providers=["CPUExecutionProvider"])

    def forward(arrays: Arrays) -> NDArray[np.float32]:
        logits: NDArray[np.float32] = session.run(["logits"], arrays)[0]
        return logits

    return forward


def _torch(model: PackedLongformer, dtype: torch.dtype) -> Forward:
    """The traced function in the arithmetic of a GPU, which need not be here to judge it."""
    traced = TracedLongformer(model, model.heads).eval().to(dtype)

    def forward(arrays: Arrays) -> NDArray[np.float32]:
        with torch.inference_mode():
            logits: NDArray[np.float32] = traced(*map(torch.from_numpy, arrays.values())).numpy()
        return logits

    return forward


def _write_for_openvino(wide: Path, graph: Path, precision: Precision) -> None:
    """OpenVINO takes its arithmetic from the engine's hint; the graph holds the weights in that width."""
    if precision is Precision.INT8:
        int8_weights(wide, graph)
    else:
        store_weights_as(graph, _HALF[precision][1], wide)


def _openvino(graph: Path, precision: Precision, hidden: int) -> Forward:
    try:
        from gapo_server.engine.openvino import compile_graph
    except ImportError:
        raise BundleError(
            f"precision: {precision.value} for openvino is accepted by running it; pip install 'gapo[openvino]'"
        ) from None
    try:
        return compile_graph(graph, precision.value, hidden)
    except DeviceUnavailable as error:
        raise BundleError(f"precision: cannot be accepted here: {error}") from error
