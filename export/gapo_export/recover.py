"""Bundle -> module: a published fp32 model can be trained on, the embedded one included."""

import math
from pathlib import Path

import numpy as np
import onnx
import torch
from gapo_core.bundle import BundleError, load
from gapo_model.packed_longformer import LongformerShape, PackedLongformer
from onnx import numpy_helper
from torch import Tensor

from gapo_export.graph import HALF
from gapo_export.validate import validate


def is_bundle(directory: Path) -> bool:
    return (directory / "manifest.json").is_file()


def model_of(directory: Path) -> PackedLongformer:
    """The module of the bundle in `directory`; its tokenizer.json lies there too.

    Scores equal the bundle's, which is checked on ragged batches. What scores do not depend on comes back as zeros:
    the last layer's local attention and the biases of global keys. Raises `BundleError` for a precision below fp32
    and for a graph that this module does not reproduce.
    """
    manifest = load(directory).manifest
    if manifest.precision != "fp32":
        raise BundleError(f"{directory}: precision is {manifest.precision!r}; weights come back from fp32 bundles only")
    graph_file = directory / "model.onnx"
    graph = onnx.load(str(graph_file)).graph
    found = {
        tensor.name.removesuffix(HALF): torch.from_numpy(numpy_helper.to_array(tensor).astype(np.float32))
        for tensor in graph.initializer
        if tensor.data_type in (onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16)
    }
    for node in graph.node:  # equal weights are kept once, the others are their names
        if node.op_type == "Identity" and node.input[0] in found:
            found[node.output[0]] = found[node.input[0]]
    architecture = manifest.architecture
    try:
        positions = len(found["longformer.embeddings.position_embeddings.weight"])
        shape = LongformerShape(
            vocab_size=len(found["longformer.embeddings.word_embeddings.weight"]),
            hidden_size=architecture.hidden,
            num_hidden_layers=architecture.layers,
            num_attention_heads=architecture.heads,
            intermediate_size=len(found["longformer.encoder.layer.0.intermediate.dense.bias"]),
            attention_window=(architecture.window,) * architecture.layers,
            max_position_embeddings=positions,
            num_labels=len(found["classifier.out_proj.bias"]),
            pad_token_id=positions - architecture.max_tokens - 1,
            layer_norm_eps=_epsilon(graph),
        )
        model = PackedLongformer(shape, architecture.block)
        state = {name: found.get(name, torch.zeros_like(value)) for name, value in model.state_dict().items()}
        model.load_state_dict(state | _unfused(found, model))
    except (KeyError, ValueError, RuntimeError) as error:
        raise BundleError(f"{graph_file}: is not the graph of a packed Longformer: {error}") from error
    validate(model.eval(), graph_file)
    return model.train()


def _unfused(found: dict[str, Tensor], model: PackedLongformer) -> dict[str, Tensor]:
    """What the exporter fused or folded: the row of token types, one matrix for query, key and value (see
    `graph.TracedLongformer`), and global keys and values by head, two matrices a layer in the order of the layers."""
    hidden, scale = model.hidden, 1 / math.sqrt(model.head_dim)
    folded = sorted((name for name in found if name.startswith("onnx::")), key=lambda name: int(name.split("_")[-1]))
    by_head = [found[name].reshape(hidden, hidden) for name in folded if found[name].dim() == 4]
    (token_type,) = (found[name] for name in folded if found[name].shape == (hidden,))
    state = {"longformer.embeddings.token_type_embeddings.weight": token_type[None]}
    for layer in range(model.shape.num_hidden_layers):
        prefix = f"longformer.encoder.layer.{layer}.attention.self."
        state[f"{prefix}key_global.weight"], state[f"{prefix}value_global.weight"] = by_head[2 * layer : 2 * layer + 2]
        for kind in ("weight", "bias"):
            if (fused := found.get(f"{prefix}qkv.{kind}")) is not None:
                query, key, value = torch.split(fused, hidden)
                state |= {f"{prefix}query.{kind}": query / scale, f"{prefix}key.{kind}": key}
                state[f"{prefix}value.{kind}"] = value
    return state


def _epsilon(graph: onnx.GraphProto) -> float:
    node = next(node for node in graph.node if node.op_type == "LayerNormalization")
    return next((attribute.f for attribute in node.attribute if attribute.name == "epsilon"), 1e-5)
