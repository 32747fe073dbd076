"""The packed graph on ONNX Runtime."""

from collections.abc import Sequence

import numpy as np
import onnxruntime as ort
from gapo_core.bundle import Bundle
from gapo_core.packing import pack
from numpy.typing import NDArray


class OnnxRuntimeEngine:
    def __init__(self, bundle: Bundle, pad_id: int, threads: int = 0) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        # Spinning workers starve the event loop and the tokenizer on few cores.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        # The arena keeps the largest batch's memory for ever; batches differ in every dimension.
        options.enable_mem_pattern = False
        self._session = ort.InferenceSession(
            str(bundle.file("model.onnx")), options, providers=["CPUExecutionProvider"]
        )
        shape = bundle.manifest.architecture
        self._block, self._half_window = shape.block, shape.window // 2

    def score(self, sequences: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        arrays = pack(sequences, self._block, self._half_window)
        logits: NDArray[np.float32] = self._session.run(["logits"], arrays)[0]
        return logits[:, 0]
