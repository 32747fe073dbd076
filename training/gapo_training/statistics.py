"""Intervals without assumptions about the distribution, and agreement beyond chance."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

DRAWS = 10_000  # resamples of a bootstrap


class Interval(NamedTuple):
    """A point estimate with its 95 % interval."""

    value: float
    low: float
    high: float


def bootstrap(
    count: int, statistic: Callable[[NDArray[np.intp]], NDArray[np.float64]], seed: int = 0, draws: int = DRAWS
) -> Interval:
    """Percentile bootstrap (Efron 1979): `statistic` takes places [draws, count] and gives one value a draw [draws].

    Draws whose statistic is undefined (NaN) are left out.
    """
    value = float(statistic(np.arange(count)[None])[0])
    drawn = statistic(np.random.default_rng(seed).integers(0, count, (draws, count)))
    low, high = np.nanpercentile(drawn, (2.5, 97.5))
    return Interval(value, float(low), float(high))


def mean_interval(values: Sequence[float] | NDArray[np.float64], seed: int = 0) -> Interval:
    """The mean with its bootstrap interval, which is never wider than the range of the values: of three seeds it
    describes the spread more than it gives confidence."""
    sample = np.asarray(values, dtype=np.float64)
    return bootstrap(len(sample), lambda places: sample[places].mean(1), seed)


def cohen_kappa(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> NDArray[np.float64]:
    """κ = (p_o − p_e) / (1 − p_e) of two annotators over two labels (Cohen 1960), along the last axis.

    NaN where both gave every item one and the same label: chance alone explains that.
    """
    observed = (a == b).mean(-1)
    first, second = a.mean(-1), b.mean(-1)
    expected = first * second + (1 - first) * (1 - second)
    undefined = np.isclose(expected, 1)
    result = (observed - expected) / np.where(undefined, 1, 1 - expected)
    return np.asarray(np.where(undefined, np.nan, result), dtype=np.float64)


def fleiss_kappa(labels: NDArray[np.bool_]) -> NDArray[np.float64]:
    """κ of n annotators over two labels (Fleiss 1971); labels [..., items, n] give κ [...].

    P_i = (y² + (n−y)² − n) / (n(n−1)) for y of n who said yes; P_e from the shares of both labels over everything.
    NaN where only one label was ever given.
    """
    n = labels.shape[-1]
    yes = labels.sum(-1)
    observed = ((yes**2 + (n - yes) ** 2 - n) / (n * (n - 1))).mean(-1)
    share = labels.mean((-2, -1))
    expected = share**2 + (1 - share) ** 2
    undefined = np.isclose(expected, 1)
    result = (observed - expected) / np.where(undefined, 1, 1 - expected)
    return np.asarray(np.where(undefined, np.nan, result), dtype=np.float64)
