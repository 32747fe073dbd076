"""Page-locked host memory for a GPU's inputs: the driver copies from it without a detour."""

import ctypes
from typing import Any

import numpy as np
import onnxruntime as ort
from gapo_core.packing import Arrays
from numpy.typing import NDArray


def cuda_runtime() -> ctypes.CDLL:
    """The library that the loaded CUDA provider uses; it is in the process already, so its plain name finds it."""
    return ctypes.CDLL(f"libcudart.so.{str(ort.cuda_version).partition('.')[0]}")


class PinnedInputs:
    """One growing page-locked int64 buffer for each input of the graph, kept between batches."""

    def __init__(self, runtime: Any) -> None:
        """`runtime` is the CUDA runtime library (see `cuda_runtime`)."""
        self._runtime = runtime
        self._buffers: dict[str, NDArray[np.int64]] = {}

    def bind(self, binding: Any, arrays: Arrays) -> None:
        """Copies the arrays into their buffers and binds these as the session's inputs."""
        for name, array in arrays.items():
            room = self._buffer(name, array.size)
            np.copyto(room, array.ravel())
            binding.bind_input(name, "cpu", 0, np.int64, array.shape, room.ctypes.data)

    def _buffer(self, name: str, size: int) -> NDArray[np.int64]:
        buffer = self._buffers.get(name)
        if buffer is None or buffer.size < size:
            if buffer is not None:
                self._runtime.cudaFreeHost(ctypes.c_void_p(buffer.ctypes.data))
            buffer = self._buffers[name] = self._allocate(1 << (size - 1).bit_length())
        return buffer[:size]

    def _allocate(self, size: int) -> NDArray[np.int64]:
        pointer = ctypes.c_void_p()
        status = self._runtime.cudaHostAlloc(ctypes.byref(pointer), ctypes.c_size_t(8 * size), ctypes.c_uint(0))
        if status != 0:
            raise MemoryError(f"cudaHostAlloc of {8 * size} bytes failed with CUDA error {status}")
        return np.ctypeslib.as_array((ctypes.c_int64 * size).from_address(pointer.value or 0))
