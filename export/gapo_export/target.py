"""What a bundle is made for: which precisions its runtime computes, and what the bundle carries besides."""

import os
import re
import tempfile
from enum import Enum
from pathlib import Path

import onnx
from gapo_core import runtimes
from gapo_core.bundle import BundleError
from onnx import TensorProto


class Target(str, Enum):
    CPU = "cpu"
    CUDA = "cuda"
    TENSORRT = "tensorrt"
    OPENVINO = "openvino"
    TRITON = "triton"


GPU = (Target.CUDA, Target.TENSORRT, Target.TRITON)
"""Targets whose graph suits a GPU; the others run it on a CPU."""


class Precision(str, Enum):
    FP32 = "fp32"
    FP16 = "fp16"
    BF16 = "bf16"
    INT8 = "int8"


PRECISIONS = {target: runtimes.PRECISIONS.get(target.value, tuple(p.value for p in Precision)) for target in Target}
"""Triton runs whatever its machine's runtimes run."""

_TRITON_TYPES: dict[int, str] = {
    TensorProto.INT64: "TYPE_INT64",
    TensorProto.INT32: "TYPE_INT32",
    TensorProto.FLOAT: "TYPE_FP32",
    TensorProto.FLOAT16: "TYPE_FP16",
    TensorProto.BFLOAT16: "TYPE_BF16",
}


def check(target: Target, precision: str, version: str) -> None:
    """Raises `BundleError` for a precision that the target does not compute, or a version that Triton cannot read."""
    if precision not in PRECISIONS[target]:
        raise BundleError(
            f"precision: {precision} does not run on {target.value}; choose {' or '.join(PRECISIONS[target])}"
        )
    if target is Target.TRITON and not re.fullmatch(r"[1-9][0-9]*", version):
        raise BundleError(f"version: Triton reads whole numbers only, not {version!r}; choose --version 1, 2, …")


def triton_config(name: str, file: Path) -> str:
    """Triton's config.pbtxt for the graph; every dimension without a fixed size is dynamic (-1).

    `max_batch_size: 0`: the packed arrays of a batch have no common first axis.
    """
    graph = onnx.load(str(file), load_external_data=False).graph

    def tensor(value: onnx.ValueInfoProto) -> str:
        kind = value.type.tensor_type
        dims = ", ".join(str(dim.dim_value or -1) for dim in kind.shape.dim)
        return f'  {{ name: "{value.name}" data_type: {_TRITON_TYPES[kind.elem_type]} dims: [ {dims} ] }}'

    inputs, outputs = (",\n".join(map(tensor, values)) for values in (graph.input, graph.output))
    return (
        f'name: "{name}"\nbackend: "onnxruntime"\nmax_batch_size: 0\n'
        f"input [\n{inputs}\n]\noutput [\n{outputs}\n]\n"
        "version_policy { latest { num_versions: 1 } }\n"
    )


def write_triton_config(home: Path, text: str) -> Path:
    """Writes `<store>/<name>/config.pbtxt` at once: a store with it is a Triton model repository as it stands."""
    descriptor, temporary = tempfile.mkstemp(prefix=".config-", dir=home)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)
    Path(temporary).chmod(0o644)
    return Path(temporary).replace(home / "config.pbtxt")
