"""The machine's matrix-product peak in each precision, and what the machine is."""

import os
import platform
import re
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import torch
from onnx import TensorProto, helper

ROWS, INNER, COLUMNS = 2048, 1024, 1024
ON_GPU = 8
"""Each side of a GPU's product is so many times as long, to fill it."""


class Peak:
    """Measured again in every repetition, as a shared machine's speed wanders."""

    def __init__(self, threads: int, device: str = "cpu") -> None:
        torch.set_num_threads(threads)
        wide = ON_GPU if device == "cuda" else 1
        self._flops = 2 * ROWS * INNER * COLUMNS * wide**3
        self._products = {
            "fp32": _torch_product(torch.float32, device, wide),
            "bf16": _torch_product(torch.bfloat16, device, wide),
        }
        if device == "cuda":
            self._products["fp16"] = _torch_product(torch.float16, device, wide)
        else:
            self._products["int8"] = _int8_product(threads)

    def measure(self) -> dict[str, float]:
        """FLOP/s (int8: multiply-adds count two as well), the best of five."""
        return {
            precision: self._flops / min(map(_seconds, [product] * 5)) for precision, product in self._products.items()
        }


def _seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def _torch_product(dtype: torch.dtype, device: str, wide: int) -> Callable[[], object]:
    left = torch.randn(ROWS * wide, INNER * wide).to(device, dtype)
    right = torch.randn(INNER * wide, COLUMNS * wide).to(device, dtype)

    def product() -> None:
        left @ right
        if device == "cuda":
            torch.cuda.synchronize()

    return product


def _int8_product(threads: int) -> Callable[[], object]:
    """ONNX Runtime's own u8 by s8 product, its weights prepacked."""
    rng = np.random.default_rng(0)
    weights = helper.make_tensor(
        "b", TensorProto.INT8, (INNER, COLUMNS), rng.integers(-127, 127, (INNER, COLUMNS), np.int8).tobytes(), raw=True
    )
    graph = helper.make_graph(
        [helper.make_node("MatMulInteger", ["a", "b"], ["c"])],
        "product",
        [helper.make_tensor_value_info("a", TensorProto.UINT8, (ROWS, INNER))],
        [helper.make_tensor_value_info("c", TensorProto.INT32, (ROWS, COLUMNS))],
        [weights],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    feed = {"a": rng.integers(0, 255, (ROWS, INNER), np.uint8)}
    return lambda: session.run(None, feed)


def machine() -> dict[str, object]:
    """Processor, its vector units, usable cores, the GPU and its driver, and the load at the start."""
    text = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    found = re.search(r"model name\s*: (.*)", text)
    units = [u for u in ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16", "amx_int8") if f" {u}" in text]
    return {
        "cpu": found[1] if found else platform.processor(),
        "units": units,
        "cores": len(os.sched_getaffinity(0)),
        "gpu": _gpu(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "load_average": os.getloadavg()[0],
    }


def _gpu() -> str | None:
    """Name, memory and driver, as nvidia-smi tells them."""
    try:
        asked = ["nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]
        return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip() or None
    except (OSError, subprocess.CalledProcessError):
        return None
