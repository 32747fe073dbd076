"""The interface of every engine."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Engine(Protocol):
    def score(self, sequences: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """Logits [B] of B token-id lists, in order. Called from one thread at a time."""
        ...
