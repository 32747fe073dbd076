"""Averaging the weights of reward models that share a start (model soups, Wortsman et al. 2022): one model of the same
cost, often better away from its training data than each."""

from collections.abc import Sequence

import torch
from gapo_model.packed_longformer import PackedLongformer


def average(models: Sequence[PackedLongformer]) -> PackedLongformer:
    """A model whose weights are the means of the others'. Raises `ValueError` where their shapes differ."""
    first, *others = models
    for other in others:
        if other.shape != first.shape:
            raise ValueError(f"models of {other.shape} and {first.shape} cannot be averaged; they must share a start")
    states = [model.state_dict() for model in models]
    made = PackedLongformer(first.shape, first.block)
    made.load_state_dict({name: torch.stack([state[name] for state in states]).mean(0) for name in states[0]})
    return made.train(first.training)
