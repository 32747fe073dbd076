"""An export is not finished until the graph's scores match the module's."""

from pathlib import Path

import numpy as np
import onnxruntime as ort
import torch
from gapo_core.bundle import BundleError
from gapo_core.packing import pack
from gapo_model.packed_longformer import PackedLongformer

TOLERANCE = 1e-4


def ragged_shapes(max_tokens: int) -> list[list[int]]:
    """Lengths of the validation batches: batch 1, the longest input, and mixtures."""
    long = max_tokens
    batches = [[1], [37], [long], [3, 64, 33], [20, 300 % long + 1, 128 % long + 1, 700 % long + 1], [50] * 8]
    return [[min(length, long) for length in batch] for batch in batches]


def validate(model: PackedLongformer, file: Path) -> float:
    """Largest |logit difference| over all shapes. Raises `BundleError` above `TOLERANCE`."""
    session = ort.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    rng, worst = np.random.default_rng(1), 0.0
    for lengths in ragged_shapes(model.shape.max_tokens):
        sequences = [rng.integers(0, model.shape.vocab_size, n).tolist() for n in lengths]
        arrays = pack(sequences, model.block, max(model.half_windows))
        with torch.inference_mode():
            expected = model(*map(torch.from_numpy, arrays.values())).numpy()
        got = session.run(["logits"], arrays)[0]
        difference = float(np.abs(got - expected).max())
        if not difference <= TOLERANCE:
            raise BundleError(f"{file.name}: lengths {lengths}: logits differ by {difference:.2g} > {TOLERANCE}")
        worst = max(worst, difference)
    return worst
