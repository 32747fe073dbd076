"""The packed Longformer as one ONNX graph of plain operators, dynamic in tokens, blocks, keys and batch."""

import math
import warnings
from pathlib import Path
from typing import cast

import numpy as np
import onnx
import torch
from gapo_core.packing import INPUT_NAMES, pack
from gapo_model.packed_longformer import Layout, PackedLongformer, SelfAttention
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn
from torch.nn import functional as F

from gapo_export.external import files_beside

OPSET = 17
SCORES = 2 << 20
"""Bytes of attention scores that a CPU core works on at once: more of them leave its caches between operators."""
RUN = 512
"""Tokens of a core's run that `SCORES` is reckoned for, as the server's CPU engine parts a batch."""
HALF = ".half"  # ends the names of weights that are stored in half precision
_AXES: dict[str, dict[int, str]] = {
    "ids": {0: "tokens"},
    "pos": {0: "tokens"},
    "queries": {0: "blocks", 1: "block"},
    "query_pos": {0: "blocks", 1: "block"},
    "keys": {0: "blocks", 1: "width"},
    "key_pos": {0: "blocks", 1: "width"},
    "slots": {0: "tokens"},
    "cls": {0: "batch"},
    "owner": {0: "blocks"},
    "member": {0: "batch", 1: "blocks"},
    "logits": {0: "batch"},
}


class TracedLongformer(PackedLongformer):
    """The same function as runtimes like it: one matrix product for query, key and value of a layer, scaled in
    the weights, gathers that part the heads as they copy, so that no transposition is left, and attention by groups
    of `heads_at_once` heads, whose scores stay in a core's cache.
    """

    def __init__(self, model: PackedLongformer, heads_at_once: int) -> None:
        with torch.device("meta"):  # the weights are the model's own, neither drawn nor copied
            super().__init__(model.shape, model.block)
        self.heads_at_once = heads_at_once
        self.load_state_dict(model.state_dict(), assign=True)
        for layer in self.longformer.encoder.layer:
            self._fuse(cast(SelfAttention, cast(nn.Module, layer.attention).self))

    def _fuse(self, attention: SelfAttention) -> None:
        scale = 1 / math.sqrt(self.head_dim)
        query, key, value = attention.query, attention.key, attention.value
        fused = nn.Linear(self.hidden, 3 * self.hidden)
        fused.weight = nn.Parameter(torch.cat([query.weight * scale, key.weight, value.weight]).detach())
        fused.bias = nn.Parameter(torch.cat([query.bias * scale, key.bias, value.bias]).detach())
        attention.qkv = fused

    def _banded(self, attention: SelfAttention, x: Tensor, band: Tensor, at: Layout) -> Tensor:
        h, b, n = self.heads, at.queries.shape[1], self.heads_at_once
        rows = cast(nn.Linear, attention.qkv)(x).view(-1, self.head_dim)  # [T * 3 * h, d]: row 3 * h * token + head
        slot = (at.slots // b * (n * b) + at.slots % b)[:, None] + torch.arange(n) * b  # [T, n]
        parts = []
        for first in range(0, h, n):
            head = torch.arange(first, first + n)[:, None]
            key = at.keys[:, None] * (3 * h) + head  # [G, n, K]
            q, k, v = (rows[index] for index in (at.queries[:, None] * (3 * h) + head, key + h, key + 2 * h))
            weights = F.softmax(q @ k.transpose(-1, -2) + band, -1)  # in fp32, as the band is
            mixed = weights.to(v.dtype) @ v  # [G, n, b, d]
            parts.append(mixed.reshape(-1, self.head_dim)[slot].reshape(-1, n * self.head_dim))
        return torch.cat(parts, 1) if len(parts) > 1 else parts[0]


def heads_in_cache(model: PackedLongformer) -> int:
    """Heads whose attention scores over one run of a CPU core stay within `SCORES` bytes; divides the heads.

    All of them where not even two do: a wide window gained nothing then (see benchmarks/README.md).
    """
    head = 4 * RUN * (model.block + 2 * max(model.half_windows) + 1)
    fitting = (n for n in range(model.heads, 1, -1) if model.heads % n == 0 and n * head <= SCORES)
    return next(fitting, model.heads)


def write_graph(
    model: PackedLongformer, file: Path, dtype: torch.dtype = torch.float32, heads_at_once: int = 0
) -> None:
    """Traces the model on a ragged batch and writes `file`; the graph computes in `dtype`, logits are fp32.

    Attention takes `heads_at_once` heads after one another, a divisor of their number: all of them on a GPU, and
    on a CPU those that fit its caches (0, see `heads_in_cache`).
    """
    rng = np.random.default_rng(0)
    lengths = [min(length, model.shape.max_tokens) for length in (5, 3 * model.block, 200)]
    sequences = [rng.integers(0, model.shape.vocab_size, n).tolist() for n in lengths]
    arrays = pack(sequences, model.block, max(model.half_windows))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracing exporter announces its successor on every call
        torch.onnx.export(
            TracedLongformer(model, heads_at_once or heads_in_cache(model)).eval().to(dtype),
            tuple(torch.from_numpy(array) for array in arrays.values()),
            str(file),
            input_names=list(INPUT_NAMES),
            output_names=["logits"],
            dynamic_axes=_AXES,
            opset_version=OPSET,
            dynamo=False,
        )
    _declare_inputs(file)


def _declare_inputs(file: Path) -> None:
    """A model of one layer reads no keys: the exporter drops those inputs, and engines feed every graph alike."""
    model = onnx.load(str(file), load_external_data=False)
    present = {value.name: value for value in model.graph.input}
    if len(present) == len(INPUT_NAMES):
        return
    made = [
        present.get(name) or helper.make_tensor_value_info(name, TensorProto.INT64, list(_AXES[name].values()))
        for name in INPUT_NAMES
    ]
    del model.graph.input[:]
    model.graph.input.extend(made)
    onnx.save(model, str(file))


def store_weights_as(file: Path, dtype: int, source: Path | None = None) -> None:
    """Halves the file, or writes it from the graph `source`, which stays: fp32 weights become fp16 or bf16 behind a
    Cast that the runtime folds when it loads.

    Arithmetic stays fp32. Round the model's own weights first (see `round_weights`) and nothing is lost.
    """
    wide = files_beside(file) if source is None else []
    model = onnx.load(str(source or file))
    casts, kept = [], []
    for tensor in model.graph.initializer:
        if tensor.data_type != TensorProto.FLOAT or len(tensor.dims) < 2:
            kept.append(tensor)
            continue
        half = numpy_helper.from_array(
            numpy_helper.to_array(tensor).astype(helper.tensor_dtype_to_np_dtype(dtype)), tensor.name + HALF
        )
        kept.append(half)
        casts.append(helper.make_node("Cast", [half.name], [tensor.name], to=TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.initializer[:], model.graph.node[:]
    model.graph.initializer.extend(kept)
    model.graph.node.extend(nodes)
    onnx.save(model, str(file))
    for weights in wide:
        weights.unlink()


def round_weights(model: PackedLongformer, dtype: torch.dtype) -> None:
    """Rounds the model's matrices in place to what `dtype` holds of them in the graph."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.dim() >= 2:
                # The graph holds queries' weights scaled (see `TracedLongformer`).
                scale = 1 / math.sqrt(model.head_dim) if name.endswith("self.query.weight") else 1.0
                parameter.copy_((parameter * scale).to(dtype).float() / scale)
