"""Weights are averaged, and only of models of one shape."""

from dataclasses import replace

import pytest
import torch
from gapo_model.packed_longformer import LongformerShape, PackedLongformer
from gapo_training.soup import average

SHAPE = LongformerShape(50, 16, 2, 2, 32, (64, 64), 130)


def test_every_weight_is_the_mean() -> None:
    models = [PackedLongformer(SHAPE) for _ in range(3)]
    made = average(models).state_dict()
    for name, value in made.items():
        expected = sum(model.state_dict()[name] for model in models) / 3
        assert torch.allclose(value, expected, atol=1e-6), name


def test_copies_of_one_model_give_it_back() -> None:
    model = PackedLongformer(SHAPE)
    made = average([model, model])
    assert all(torch.equal(value, made.state_dict()[name]) for name, value in model.state_dict().items())


def test_other_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="cannot be averaged; they must share a start"):
        average(
            [PackedLongformer(SHAPE), PackedLongformer(replace(SHAPE, num_hidden_layers=1, attention_window=(64,)))]
        )
