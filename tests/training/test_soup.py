"""Weights are averaged, and only of models of one shape."""

from dataclasses import replace

import pytest
import torch
from gapo.cli import build
from gapo_model.packed_longformer import LongformerShape, PackedLongformer
from gapo_training.soup import average
from typer.testing import CliRunner

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


def test_the_command_says_what_is_no_model(tmp_path) -> None:
    (tmp_path / "manifest.json").write_text("{}", encoding="utf-8")
    command = ["train", "average", str(tmp_path), str(tmp_path), "--out", str(tmp_path), "--data", str(tmp_path)]
    result = CliRunner().invoke(build(command), command)
    assert result.exit_code == 2
    assert "manifest.json" in result.output
