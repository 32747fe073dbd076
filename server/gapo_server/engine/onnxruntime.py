"""The packed graph on ONNX Runtime: CPU, CUDA and TensorRT execution providers.

TensorRT was not run: its libraries were not at hand. Its options are checked by unit tests.
"""

import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from typing import Any

import numpy as np
import onnxruntime as ort
from gapo_core.bundle import Bundle
from gapo_core.packing import Arrays, pack
from numpy.typing import NDArray

from gapo_server.engine.base import Device, DeviceUnavailable, EngineOptions
from gapo_server.engine.cpu import usable_cores
from gapo_server.engine.parted import PartedScorer
from gapo_server.engine.pinned import PinnedInputs, cuda_runtime
from gapo_server.engine.tensorrt import TENSORRT, cache_folder, profile, tensorrt_options

CPU = "CPUExecutionProvider"
CUDA = "CUDAExecutionProvider"

IDLE = 10.0
"""Seconds without a batch after which a long pair's memory is returned. Taking it anew costs the next batch a fifth
of its time (8 × 128 tokens on two cores: 0.147 and 0.184 s)."""

ERROR = 3  # as ONNX Runtime numbers what it logs

CACHED = 512
"""Tokens a core in one run on a CPU: more of them leave its caches between operators, fewer pack weights too often."""

Provider = tuple[str, dict[str, str]]


def session_options(options: EngineOptions, threads: int = 0) -> ort.SessionOptions:
    made = ort.SessionOptions()
    made.intra_op_num_threads = threads or options.threads or usable_cores()
    # Spinning workers starve the event loop and the tokenizer on few cores.
    made.add_session_config_entry("session.intra_op.allow_spinning", "0")
    made.enable_cpu_mem_arena = options.memory_arena
    # Patterns are kept for each combination of shapes, and every batch has its own.
    made.enable_mem_pattern = False
    # Weights outside the arena: its shrinkage can then free whole regions.
    made.add_session_config_entry("session.use_device_allocator_for_initializers", "1")
    return made


def cuda_options(options: EngineOptions) -> dict[str, str]:
    made = {
        "device_id": str(options.gpu),
        # Growth by what is needed: doubling would overshoot the token budget's bound.
        "arena_extend_strategy": "kSameAsRequested",
        # On by default in the runtime; a fp32 bundle promises fp32 scores.
        "use_tf32": "0",
    }
    if options.gpu_memory_bytes:
        made["gpu_mem_limit"] = str(options.gpu_memory_bytes)
    return made


def providers(bundle: Bundle, options: EngineOptions) -> list[Provider]:
    """Execution providers, the wanted one first; the CPU takes what is left over, such as shape arithmetic."""
    cpu: Provider = (CPU, {})
    if options.device is Device.CUDA:
        return [(CUDA, cuda_options(options)), cpu]
    if options.device is Device.TENSORRT:
        shapes = profile(bundle.manifest.architecture, options.batch_tokens)
        cache = cache_folder(bundle, shapes, options)
        return [(TENSORRT, tensorrt_options(shapes, cache, options)), (CUDA, cuda_options(options)), cpu]
    return [cpu]


def open_session(file: str, options: ort.SessionOptions, wanted: Sequence[Provider]) -> ort.InferenceSession:
    """Raises `DeviceUnavailable` where ONNX Runtime would quietly go on with the next provider."""
    name = wanted[0][0]
    remedy = f"install the libraries it needs (pip install 'gapo[server-gpu]'; for {TENSORRT} 'gapo[tensorrt]' too)"
    if name != CPU:
        # Below an error it tells every user of nodes that it leaves to the CPU, as is meant, and of plug-ins.
        ort.set_default_logger_severity(ERROR)
        options.log_severity_level = ERROR
        if hasattr(ort, "preload_dlls"):
            ort.preload_dlls()  # CUDA and cuDNN from the nvidia-* wheels, where they are
    if name == TENSORRT:
        with suppress(ImportError):
            import_module("tensorrt")  # its wheel loads libnvinfer, which the provider then finds
    try:
        session = ort.InferenceSession(file, options, providers=list(wanted), enable_fallback=False)
    except Exception as error:
        if name == CPU:
            raise
        raise DeviceUnavailable(f"{name} does not start: {' '.join(str(error).split())}; {remedy}") from error
    if session.get_providers()[0] != name:
        raise DeviceUnavailable(f"{name} does not load: ONNX Runtime went to {session.get_providers()[0]}; {remedy}")
    return session


class OnnxRuntimeEngine:
    """On a CPU with several threads two sessions hold the graph: one whose operators share the threads, for what
    cannot be parted, and one of single threads that score parts of a batch side by side and wait for nobody.
    """

    def __init__(self, bundle: Bundle, pad_id: int, options: EngineOptions = EngineOptions(Device.CPU)) -> None:
        """`options.device` is cpu, cuda or tensorrt. Raises `DeviceUnavailable`."""
        on_cpu = options.device is Device.CPU
        threads = (options.threads or usable_cores()) if on_cpu else 1
        wanted, file = providers(bundle, options), str(bundle.file("model.onnx"))
        self._session = open_session(file, session_options(options), wanted)
        self._single = open_session(file, session_options(options, 1), wanted) if threads > 1 else self._session
        self._pinned = None if on_cpu else PinnedInputs(cuda_runtime())
        shape = bundle.manifest.architecture
        self._block, self._half_window, self._pad_id = shape.block, shape.window // 2, pad_id
        self.batch_tokens = self._run_tokens = options.batch_tokens
        if on_cpu:
            self._run_tokens = min(self._run_tokens, CACHED * threads)
        self._scorer = PartedScorer(
            self._run, self._run_single, threads, self._run_tokens, self._block, self._half_window
        )
        self._shrinking = ort.RunOptions()
        arenas = "cpu:0" if on_cpu else f"cpu:0;gpu:{options.gpu}"
        if options.memory_arena:
            self._shrinking.add_run_config_entry("memory.enable_memory_arena_shrinkage", arenas)
        self._lock = threading.Lock()
        self._last = 0.0
        self._timer: threading.Timer | None = None
        self._returns_memory = options.memory_arena

    def score(self, sequences: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        with self._lock:
            logits = self._scorer.score(sequences)
            self._last = time.monotonic()
            # Only a pair that is longer than a run takes more memory than any batch does.
            if self._returns_memory and self._timer is None and max(map(len, sequences)) > self._run_tokens:
                self._wait(IDLE)
        scores: NDArray[np.float32] = logits[:, 0]
        return scores

    def _run_single(self, arrays: Arrays) -> NDArray[np.float32]:
        logits: NDArray[np.float32] = self._single.run(["logits"], arrays)[0]
        return logits

    def _run(self, arrays: Arrays, run_options: Any = None) -> NDArray[np.float32]:
        if self._pinned is None:
            logits: NDArray[np.float32] = self._session.run(["logits"], arrays, run_options)[0]
            return logits
        binding = self._session.io_binding()
        self._pinned.bind(binding, arrays)
        binding.bind_output("logits", "cpu")
        self._session.run_with_iobinding(binding, run_options)
        output: NDArray[np.float32] = binding.copy_outputs_to_cpu()[0]
        return output

    def _wait(self, seconds: float) -> None:
        self._timer = threading.Timer(seconds, self._return_memory)
        self._timer.daemon = True
        self._timer.start()

    def _return_memory(self) -> None:
        """Runs the smallest batch with the option that frees the arenas' unused regions at its end."""
        with self._lock:
            self._timer = None
            rest = self._last + IDLE - time.monotonic()
            if rest > 0:
                self._wait(rest)
                return
            arrays = pack([[self._pad_id]], self._block, self._half_window)
            self._run(arrays, self._shrinking)
            if self._single is not self._session:
                self._single.run(["logits"], arrays, self._shrinking)
