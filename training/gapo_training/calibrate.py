"""Platt scaling (Platt 1999): the logistic map from scores to probabilities of compliance."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from gapo_core.bundle import Calibration
from gapo_core.pairs import PairEncoder
from gapo_model.packed_longformer import PackedLongformer
from numpy.typing import NDArray

from gapo_training.evaluate import score
from gapo_training.preferential import PreferentialPrompt


def platt(scores: NDArray[np.float64], labels: NDArray[np.float64], steps: int = 50) -> Calibration:
    """Maximum-likelihood `scale` and `shift` for scores [N] and labels [N] of 0 and 1, by Newton's method.

    Labels are smoothed as Platt proposes, so that separable scores keep the scale finite. Raises `ValueError` where one
    label is missing or where higher scores do not go with label 1.
    """
    positive, negative = int((labels == 1).sum()), int((labels == 0).sum())
    if not positive or not negative:
        raise ValueError("labels: calibration needs accepted and rejected prompts")
    targets = np.where(labels == 1, (positive + 1) / (positive + 2), 1 / (negative + 2))
    features = np.stack([scores, np.ones_like(scores)], 1)
    weights = np.zeros(2)
    for _ in range(steps):
        p = 1 / (1 + np.exp(-(features @ weights).clip(-60, 60)))
        gradient = features.T @ (p - targets)
        curvature = features.T @ (features * (p * (1 - p))[:, None]) + 1e-9 * np.eye(2)
        weights -= np.linalg.solve(curvature, gradient)
        if np.abs(gradient).max() < 1e-9 * len(scores):
            break
    if not weights[0] > 0:
        raise ValueError("scores: higher ones do not go with accepted prompts; train longer before calibrating")
    return Calibration(scale=float(weights[0]), shift=float(weights[1]))


def calibrate(
    model: PackedLongformer, encoder: PairEncoder, held_out: Sequence[PreferentialPrompt], checkpoint: Path
) -> Calibration:
    """Fits `calibration.json` beside the weights, which an export puts into the bundle's manifest."""
    accepted = score(model, encoder, [(pair.accepted, pair.response) for pair in held_out])
    rejected = score(model, encoder, [(pair.rejected, pair.response) for pair in held_out])
    fitted = platt(np.concatenate([accepted, rejected]), np.repeat([1.0, 0.0], len(held_out)))
    (checkpoint / "calibration.json").write_text(fitted.model_dump_json() + "\n", encoding="utf-8")
    return fitted


def expected_calibration_error(
    probabilities: NDArray[np.float64], labels: NDArray[np.float64], bins: int = 10
) -> float:
    """Mean |confidence - frequency| over equal-width bins, weighted by their size (Guo et al. 2017)."""
    number = np.minimum((probabilities * bins).astype(int), bins - 1)
    gaps = [
        (number == b).mean() * abs(probabilities[number == b].mean() - labels[number == b].mean())
        for b in range(bins)
        if (number == b).any()
    ]
    return float(sum(gaps))
