"""The packed Longformer as one ONNX graph, dynamic in tokens, blocks, neighbours, batch and length."""

import warnings
from pathlib import Path

import numpy as np
import onnx
import torch
from gapo_core.packing import INPUT_NAMES, pack
from gapo_model.packed_longformer import PackedLongformer
from onnx import TensorProto, helper, numpy_helper

OPSET = 17
_AXES: dict[str, dict[int, str]] = {
    "ids": {0: "tokens"},
    "pos": {0: "tokens"},
    "seg": {0: "tokens"},
    "neighbours": {0: "blocks", 1: "width"},
    "cls": {0: "batch"},
    "cls_of_block": {0: "blocks"},
    "gather": {0: "batch", 1: "length"},
    "gather_mask": {0: "batch", 1: "length"},
    "logits": {0: "batch"},
}


def write_graph(model: PackedLongformer, file: Path) -> None:
    """Traces the model on a ragged batch and writes `file`; the graph computes in fp32."""
    rng = np.random.default_rng(0)
    sequences = [rng.integers(0, model.shape.vocab_size, n).tolist() for n in (5, 3 * model.block, 200)]
    arrays = pack(sequences, model.block, max(model.half_windows))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracing exporter announces its successor on every call
        torch.onnx.export(
            model.eval(),
            tuple(torch.from_numpy(array) for array in arrays.values()),
            str(file),
            input_names=list(INPUT_NAMES),
            output_names=["logits"],
            dynamic_axes=_AXES,
            opset_version=OPSET,
            dynamo=False,
        )


def store_weights_as_half(file: Path) -> None:
    """Halves the file: fp32 weights become fp16 behind a Cast that the runtime folds when it loads.

    Arithmetic stays fp32. Round the model's own weights first (see `round_to_half`) and nothing is lost.
    """
    model = onnx.load(str(file))
    casts, kept = [], []
    for tensor in model.graph.initializer:
        if tensor.data_type != TensorProto.FLOAT or np.prod(tensor.dims) < 1024:
            kept.append(tensor)
            continue
        half = numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float16), f"{tensor.name}.half")
        kept.append(half)
        casts.append(helper.make_node("Cast", [half.name], [tensor.name], to=TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.initializer[:], model.graph.node[:]
    model.graph.initializer.extend(kept)
    model.graph.node.extend(nodes)
    onnx.save(model, str(file))


def round_to_half(model: PackedLongformer) -> None:
    """Rounds every weight of the model to the nearest fp16 value, in place, so that halving loses nothing."""
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.numel() >= 1024:
                parameter.copy_(parameter.half().float())
