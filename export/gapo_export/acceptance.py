"""A narrower precision is accepted on real pairs only: it must order them, and rate them, as fp32 does."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from gapo_core.bundle import BundleError, Calibration
from gapo_core.pairs import PairEncoder, TruncationPolicy
from numpy.typing import NDArray

Scorer = Callable[[Sequence[Sequence[int]]], NDArray[np.float32]]

MARGIN = 0.1
"""Difference of the fp32 logits of a pair from which its order counts."""
LEAST_AGREEMENT = 0.997
MOST_SHIFT = 0.02


@dataclass(frozen=True)
class Agreement:
    """How far a narrower graph follows fp32 on real pairs."""

    pairs: int
    pairs_with_margin: int
    order_agreement: float
    """Share of the pairs whose fp32 logits differ by more than `MARGIN` that both order alike."""
    probability_shift_p99: float
    """99th percentile of |probability - fp32 probability| over all texts."""

    def figures(self) -> dict[str, float]:
        return asdict(self)


def read_pairs(file: Path) -> list[tuple[str, str, str]]:
    """(accepted prompt, rejected prompt, response) of JSON lines, as `gapo data` writes them."""
    pairs = []
    # Bytes: as text, lines would also end at U+2028 and U+0085, which JSON holds within strings.
    for number, line in enumerate(file.read_bytes().splitlines(), 1):
        if line.strip():
            try:
                row = json.loads(line)
                pair = (row["accepted"], row["rejected"], row["response"])
                if not all(isinstance(text, str) and text.strip() for text in pair):
                    raise ValueError("a field is no text, or empty")
                pairs.append(pair)
            except (ValueError, TypeError, KeyError) as error:
                raise BundleError(
                    f"{file}:{number}: {error!r}; write a JSON object with accepted, rejected, response a line"
                ) from None
    if not pairs:
        raise BundleError(f"{file}: holds no pairs; write them with `gapo data`")
    return pairs


def encode_pairs(encoder: PairEncoder, pairs: Sequence[tuple[str, str, str]]) -> list[list[int]]:
    """Token ids of all accepted texts, then of all rejected ones."""
    texts = [(accepted, response) for accepted, _, response in pairs]
    texts += [(rejected, response) for _, rejected, response in pairs]
    return [pair.ids for pair in encoder.encode_batch(texts, TruncationPolicy.KEEP_BOTH_ENDS)]


def compare(expected: NDArray[np.float32], got: NDArray[np.float32], calibration: Calibration) -> Agreement:
    """Logits [2 * pairs] of fp32 and of the narrower graph, accepted texts first."""
    margins, narrow = (scores[: len(scores) // 2] - scores[len(scores) // 2 :] for scores in (expected, got))
    wide = np.abs(margins) > MARGIN
    agreement = float((np.sign(margins[wide]) == np.sign(narrow[wide])).mean()) if wide.any() else 1.0
    before, after = (
        1 / (1 + np.exp(-np.clip(calibration.scale * scores + calibration.shift, -60, 60)))
        for scores in (expected, got)
    )
    shift = float(np.quantile(np.abs(after - before), 0.99))
    return Agreement(len(margins), int(wide.sum()), agreement, shift)


def accept(agreement: Agreement, precision: str) -> None:
    """Raises `BundleError` naming the figure that falls short."""
    if not agreement.pairs_with_margin:
        raise BundleError(f"{precision}: no pair has an fp32 margin above {MARGIN}; give pairs of the model's own kind")
    if agreement.order_agreement < LEAST_AGREEMENT:
        raise BundleError(
            f"{precision}: orders {agreement.order_agreement:.2%} of {agreement.pairs_with_margin} pairs as fp32 does, "
            f"less than {LEAST_AGREEMENT:.1%}; export in another precision"
        )
    if not agreement.probability_shift_p99 <= MOST_SHIFT:
        raise BundleError(
            f"{precision}: 99th percentile of |probability - fp32's| is {agreement.probability_shift_p99:.3f}, "
            f"more than {MOST_SHIFT}; export in another precision"
        )
