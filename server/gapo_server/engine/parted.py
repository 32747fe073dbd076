"""A batch on the threads of a CPU: parts of it side by side, or all of it on every thread."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from gapo_core.packing import Arrays, score_parted, score_runs, shares
from numpy.typing import NDArray

Forward = Callable[[Arrays], NDArray[np.float32]]

SHARED = 0.9
"""Speed of threads that share every operator, of as many that share none: by processor time, 0.88 to 0.94 on five
workloads of `gapo bench engine` (two threads, `gapo-mini` 3)."""


class PartedScorer:
    """Threads that work on parts of a batch wait for nobody; what cannot be parted evenly gets all of them."""

    def __init__(
        self, together: Forward, single: Forward, threads: int, run_tokens: int, block: int, half_window: int
    ) -> None:
        """`together` computes on all `threads`, `single` on the one that calls it; either sees at most `run_tokens`
        tokens at once, a share of them each where threads work side by side (a longer pair comes alone)."""
        self._together, self._single = together, single
        self._threads, self._run_tokens = threads, run_tokens
        self._block, self._half_window = block, half_window
        self._pool = ThreadPoolExecutor(threads, "engine") if threads > 1 else None

    def score(self, sequences: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """Logits [B, labels] of B token-id lists, in order."""
        lengths = list(map(len, sequences))
        if self._pool is not None and lengths:
            parted = shares(lengths, self._threads, max(1, self._run_tokens // self._threads))
            if side_by_side([sum(lengths[i] for i in run) for run in parted], self._threads):
                return score_parted(self._single, sequences, self._block, self._half_window, parted, self._pool.map)
        return score_runs(self._together, sequences, self._block, self._half_window, self._run_tokens)


def side_by_side(tokens: Sequence[int], threads: int) -> bool:
    """Whether runs of so many tokens, in this order, end sooner one a thread than one after the other on all."""
    loads = [0] * threads
    for run in tokens:
        loads[loads.index(min(loads))] += run
    return max(loads) * threads * SHARED <= sum(tokens)
