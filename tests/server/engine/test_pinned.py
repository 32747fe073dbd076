"""Inputs bound from page-locked buffers score as arrays do; the CUDA allocator is stood in for by the C library's."""

import ctypes

import numpy as np
import onnxruntime as ort
import pytest
from gapo_core.bundle import load
from gapo_core.packing import pack
from gapo_server.config import EMBEDDED
from gapo_server.engine.pinned import PinnedInputs


class HostMemory:
    """`cudaHostAlloc` and `cudaFreeHost` over malloc and free; counts what lives."""

    def __init__(self) -> None:
        self.libc = ctypes.CDLL(None)
        self.libc.malloc.restype = ctypes.c_void_p
        self.libc.malloc.argtypes = [ctypes.c_size_t]
        self.living = set()

    def cudaHostAlloc(self, pointer, size, flags) -> int:
        pointer._obj.value = self.libc.malloc(size.value)
        self.living.add(pointer._obj.value)
        return 0

    def cudaFreeHost(self, pointer) -> int:
        self.living.remove(pointer.value)
        self.libc.free(pointer)
        return 0


def test_batches_of_growing_and_shrinking_shapes_score_as_from_arrays() -> None:
    bundle = load(next(EMBEDDED.glob("*/*/manifest.json")).parent)
    session = ort.InferenceSession(str(bundle.file("model.onnx")), providers=["CPUExecutionProvider"])
    memory = HostMemory()
    inputs = PinnedInputs(memory)
    shape = bundle.manifest.architecture
    for lengths in ([3], [3, 300], [40, 2], [700]):
        arrays = pack([[101, *[2000 + n] * (n - 1)] for n in lengths], shape.block, shape.window // 2)
        binding = session.io_binding()
        inputs.bind(binding, arrays)
        binding.bind_output("logits", "cpu")
        session.run_with_iobinding(binding)
        assert np.array_equal(binding.copy_outputs_to_cpu()[0], session.run(["logits"], arrays)[0])
        assert len(memory.living) == len(arrays)


def test_a_failed_allocation_is_an_error() -> None:
    class Full(HostMemory):
        def cudaHostAlloc(self, pointer, size, flags) -> int:
            return 2

    with pytest.raises(MemoryError, match="CUDA error 2"):
        PinnedInputs(Full()).bind(None, {"ids": np.zeros(4, np.int64)})
