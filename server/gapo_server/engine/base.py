"""The interface of every engine, and what can be asked of one."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray


class Device(str, Enum):
    """Where the graph runs."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"
    TENSORRT = "tensorrt"
    OPENVINO = "openvino"


CPU_BATCH_TOKENS = 2048
GPU_BATCH_TOKENS = 16384
"""A GPU takes hardly longer for thousands of tokens than for hundreds (see benchmarks/README.md)."""


class DeviceUnavailable(ValueError):
    """A device that was asked for and is not here; the message names the remedy."""


@dataclass(frozen=True)
class EngineOptions:
    """How the graph runs; defaults suit one server on one machine."""

    device: Device = Device.AUTO
    threads: int = 0
    """Threads of the CPU runtime; 0 takes the usable physical cores."""
    max_batch_tokens: int = 0
    """Packed tokens that the caller puts in one batch (a longer pair comes alone): the bound of memory. 0 takes what
    suits the device, see `batch_tokens`."""
    memory_arena: bool = True
    """Keep the memory of one batch for the next; what a pair longer than a run took is returned after ten idle
    seconds."""
    gpu: int = 0
    """Number of the GPU, as `nvidia-smi` counts."""
    gpu_memory_bytes: int = 0
    """Most bytes of GPU memory that the runtime's arena takes; 0 sets no limit."""
    tensorrt_precision: Literal["graph", "fp16", "bf16"] = "graph"
    """Arithmetic that TensorRT may use; "graph" keeps the bundle's own."""
    tensorrt_cache: Path = Path("~/.cache/gapo/tensorrt")
    """Folder of built TensorRT engines; building one takes minutes."""

    @property
    def batch_tokens(self) -> int:
        """`max_batch_tokens` of the chosen device."""
        on_gpu = self.device in (Device.CUDA, Device.TENSORRT)
        return self.max_batch_tokens or (GPU_BATCH_TOKENS if on_gpu else CPU_BATCH_TOKENS)


class Engine(Protocol):
    @property
    def batch_tokens(self) -> int:
        """Tokens of a batch that suit the device and stay within its memory."""
        ...

    def score(self, sequences: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """Logits [B] of B token-id lists, in order. Called from one thread at a time."""
        ...
