"""A choice of variants over a corpus after which the prompt alone says nothing about its label."""

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from random import Random

from gapo_core.constraints.augmentation.variants import Variant

_TOKEN = re.compile(r"\w+|[^\w\s]")
_LENGTH = "\n"  # a feature that no token can be: which prompt is longer


def balanced(candidates: Sequence[Sequence[Variant]], rng: Random, passes: int = 6) -> list[Variant]:
    """One variant of each non-empty row, in the order of the rows.

    Minimises Σ s² over the words and pairs of words of the prompts, s being how much more often one stands in the
    chosen accepted prompts than in the rejected ones, and over which of the two is longer: coordinate descent from
    a random start, each pass over the rows in a new order, until none changes.
    """
    rows = [list(row) for row in candidates if row]
    differences = [[_difference(variant) for variant in row] for row in rows]
    chosen = [rng.randrange(len(row)) for row in rows]
    surplus: Counter[str] = Counter()
    for number, choice in enumerate(chosen):
        _add(surplus, differences[number][choice], 1)
    for _ in range(passes):
        moved = False
        for number in rng.sample(range(len(rows)), len(rows)):
            _add(surplus, differences[number][chosen[number]], -1)
            costs = [_cost(surplus, difference) for difference in differences[number]]
            best = min(range(len(costs)), key=lambda i: (costs[i], i != chosen[number]))
            moved = moved or best != chosen[number]
            chosen[number] = best
            _add(surplus, differences[number][best], 1)
        if not moved:
            break
    return [row[choice] for row, choice in zip(rows, chosen, strict=True)]


def _features(prompt: str) -> Counter[str]:
    tokens = [token.lower() for token in _TOKEN.findall(prompt)]
    # "at least 3 sentences" and "less than 9 sentences" tell by the words around the number: it is passed over, too.
    framing = [token for token in tokens if len(token) > 1 and not token.isdigit()]
    near = {f"{one} {two}" for one, two in pairwise(tokens)}
    around = Counter(pair for pair in map(" ".join, pairwise(framing)) if pair not in near)
    return Counter(tokens) + Counter(map(" ".join, pairwise(tokens))) + around


def _difference(variant: Variant) -> dict[str, int]:
    """What the accepted prompt has more of than the rejected one."""
    difference = _features(variant.accepted)
    difference.subtract(_features(variant.rejected))
    longer = (len(variant.accepted) > len(variant.rejected)) - (len(variant.accepted) < len(variant.rejected))
    return {feature: count for feature, count in difference.items() if count} | (
        {_LENGTH: 3 * longer} if longer else {}
    )


def _cost(surplus: Counter[str], difference: dict[str, int]) -> int:
    """How much Σ s² grows with this difference."""
    return sum(count * (count + 2 * surplus[feature]) for feature, count in difference.items())


def _add(surplus: Counter[str], difference: dict[str, int], sign: int) -> None:
    for feature, count in difference.items():
        surplus[feature] += sign * count
