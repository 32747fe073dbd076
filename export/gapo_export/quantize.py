"""int8 weights, one scale an output channel, in plain ONNX operators."""

import re
from pathlib import Path

import numpy as np
import onnx
from gapo_core.bundle import BundleError
from onnx import GraphProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic

_LARGE = re.compile(
    r"longformer\.encoder\.layer\.(\d+)\.(attention\.self\.qkv|attention\.output\.dense|intermediate\.dense|output\.dense)"
    r"\.weight"
)


def _large(graph: GraphProto) -> list[onnx.NodeProto]:
    """The matrix products over all tokens. The first layer's feed-forward ones stay wide: their error runs through
    every layer, and scores shift by a third less without it. Those of the last layer and of global attention are over
    CLS alone: they are cheap, and the score hangs on them, so they stay wide too.
    """
    products = [node for node in graph.node if node.op_type == "Gemm"]
    found = [(match, node) for node in products if (match := _LARGE.fullmatch(node.input[1]))]
    last = max(int(match[1]) for match, _ in found)
    wide = {("0", "intermediate.dense"), ("0", "output.dense")}
    large = [node for match, node in found if int(match[1]) < last and match.groups() not in wide]
    if not large:
        raise BundleError("precision: int8 leaves every product of a model of one layer wide; export it in fp32")
    return large


def int8_products(wide: Path, file: Path) -> None:
    """Writes `file`: DynamicQuantizeLinear on activations and MatMulInteger, u8 by s8, for ONNX Runtime's CPU."""
    # The quantizer parts a Gemm into MatMul and Add first, and names the former so.
    chosen = [f"{node.name}_MatMul" for node in _large(onnx.load(str(wide), load_external_data=False).graph)]
    quantize_dynamic(str(wide), str(file), nodes_to_quantize=chosen, per_channel=True, weight_type=QuantType.QInt8)


def int8_weights(wide: Path, file: Path) -> None:
    """Writes `file`: int8 weights behind DequantizeLinear; OpenVINO quantizes activations itself as it runs."""
    model = onnx.load(str(wide))
    tensors = {tensor.name: tensor for tensor in model.graph.initializer}
    nodes = []
    for node in _large(model.graph):
        tensor = tensors[node.input[1]]  # [out, in]: linear layers are Gemm with transB
        weight = numpy_helper.to_array(tensor)
        scale = np.maximum(np.abs(weight).max(1), 1e-12) / 127
        narrow = np.rint(weight / scale[:, None]).astype(np.int8)
        names = [f"{tensor.name}.{part}" for part in ("int8", "scale", "zero")]
        values = (narrow, scale.astype(np.float32), np.zeros(len(scale), np.int8))
        model.graph.initializer.extend(map(numpy_helper.from_array, values, names))
        model.graph.initializer.remove(tensor)
        nodes.append(helper.make_node("DequantizeLinear", names, [tensor.name], axis=0))
    for position, node in enumerate(nodes):
        model.graph.node.insert(position, node)
    onnx.save(model, str(file))
