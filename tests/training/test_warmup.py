"""Warm-up: batches, held-out texts, calibration, pairs of one's own."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from accelerate import Accelerator
from gapo_training import discriminator, warmup
from gapo_training.calibrate import expected_calibration_error, platt
from gapo_training.corpora import pairs_file
from gapo_training.discriminator import load, save
from gapo_training.gapo.config import RewardModelConfig
from gapo_training.gapo.reward_model import train_tokenizer, untrained
from gapo_training.preferential import PreferentialPrompt
from gapo_training.splits import by_text
from gapo_training.warmup import WarmupConfig, batch_of
from hypothesis import given
from hypothesis import strategies as st


def _pairs(count: int) -> list[PreferentialPrompt]:
    return [PreferentialPrompt(f"a{i}", f"b{i}", f"text {i}", "insertion", (), (), "x") for i in range(count)]


@given(st.integers(1, 60), st.integers(1, 20), st.integers(0, 5))
def test_an_epoch_shows_every_pair_at_most_once_and_leaves_less_than_a_batch(count, size, epoch) -> None:
    pairs, config = _pairs(count), WarmupConfig(pairs_per_step=size)
    batches = count // min(size, count)
    shown = [p for number in range(batches) for p in batch_of(pairs, config, epoch * batches + number)]
    assert len(set(shown)) == len(shown) > count - size


def test_epochs_differ_and_a_batch_is_a_function_of_its_number() -> None:
    pairs, config = _pairs(64), WarmupConfig(pairs_per_step=16)
    assert batch_of(pairs, config, 3) == batch_of(pairs, config, 3)
    assert batch_of(pairs, config, 0) != batch_of(pairs, config, 4)


@given(st.lists(st.text(max_size=8), min_size=2, max_size=200, unique=True), st.sampled_from([0.0, 0.3, 1e-6]))
def test_a_text_never_crosses_the_split_and_one_is_held_out(texts, share) -> None:
    texts = [*texts, texts[0]]
    train, held_out = by_text(texts, str, share)
    assert held_out
    assert not set(train) & set(held_out)
    assert sorted(train + held_out) == sorted(texts)


def test_platt_scaling_recovers_the_logistic_that_made_the_labels() -> None:
    rng = np.random.default_rng(0)
    scores = rng.normal(0, 3, 20_000)
    labels = (rng.random(20_000) < 1 / (1 + np.exp(-(0.5 * scores + 1)))).astype(float)
    fitted = platt(scores, labels)
    assert fitted.scale == pytest.approx(0.5, abs=0.03)
    assert fitted.shift == pytest.approx(1.0, abs=0.06)
    probabilities = 1 / (1 + np.exp(-(fitted.scale * scores + fitted.shift)))
    raw = 1 / (1 + np.exp(-scores))
    assert expected_calibration_error(probabilities, labels) < 0.02 < expected_calibration_error(raw, labels)


def test_separable_scores_keep_a_finite_scale_and_useless_ones_are_refused() -> None:
    assert 0 < platt(np.array([-5.0, -4, 4, 5]), np.array([0.0, 0, 1, 1])).scale < 100
    with pytest.raises(ValueError, match="scores"):
        platt(np.array([-5.0, -4, 4, 5]), np.array([1.0, 1, 0, 0]))
    with pytest.raises(ValueError, match="labels"):
        platt(np.zeros(3), np.ones(3))


def test_pairs_round_trip_through_a_file(tmp_path) -> None:
    pairs_file.write(_pairs(5), tmp_path / "p.jsonl")
    assert pairs_file.read(tmp_path / "p.jsonl") == _pairs(5)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"accepted": "a", "rejected": "b"}, "p.jsonl:1: response"),
        ({"accepted": "a", "rejected": 3, "response": "r"}, "rejected"),
        ({"accepted": "a", "rejected": "a", "response": "r"}, "equals accepted"),
        ({"accepted": "a", "rejected": "b", "response": "r", "action": "x"}, "action"),
        ({"accepted": "a", "rejected": "b", "response": "r", "wrong": [1]}, "wrong"),
        ([], "JSON object"),
    ],
)
def test_a_bad_line_is_named(tmp_path, row, message) -> None:
    (tmp_path / "p.jsonl").write_text(json.dumps(row) + "\n")
    with pytest.raises(ValueError, match=message):
        pairs_file.read(tmp_path / "p.jsonl")


def test_pairs_need_no_more_than_three_fields(tmp_path) -> None:
    (tmp_path / "p.jsonl").write_text('{"accepted": "a", "rejected": "b", "response": "r"}\n\n')
    assert len(pairs_file.read(tmp_path / "p.jsonl")) == 1
    (tmp_path / "p.jsonl").write_text("\n")
    with pytest.raises(ValueError, match="no pairs"):
        pairs_file.read(tmp_path / "p.jsonl")


def test_a_run_killed_before_its_last_checkpoint_makes_that_when_it_is_resumed(tmp_path, monkeypatch) -> None:
    texts, pairs = [pair.response for pair in _pairs(24)], _pairs(24)
    tokenizer = tmp_path / "tokenizer.json"
    tokenizer.write_text(train_tokenizer(texts, 200).to_str(), encoding="utf-8")
    config = WarmupConfig(steps=3, pairs_per_step=4, warmup_steps=0, checkpoint_every=1)

    def trained(out: Path, resume: bool = False) -> dict[str, torch.Tensor]:
        torch.manual_seed(0)
        model = untrained(
            RewardModelConfig(vocab_size=200, hidden_size=16, layers=1, heads=2, intermediate_size=16), 200
        )
        warmup.train(Accelerator(cpu=True), model, tokenizer, pairs, config, out, resume)
        return load(out / "checkpoint").state_dict()

    whole, saved = trained(tmp_path / "whole"), []

    def save_twice(*arguments: Any) -> None:
        if len(saved) == 2:
            raise KeyboardInterrupt
        saved.append(save(*arguments))

    monkeypatch.setattr(discriminator, "save", save_twice)
    with pytest.raises(KeyboardInterrupt):
        trained(tmp_path / "broken")
    monkeypatch.undo()
    resumed = trained(tmp_path / "broken", resume=True)
    assert all(torch.equal(resumed[name], value) for name, value in whole.items())


@pytest.mark.timeout(300)
@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_two_processes_train_the_reward_model_that_one_does(tmp_path, optimizer) -> None:
    texts = [f"tea number {n} is green and cheap" for n in range(24)]
    torch.manual_seed(0)
    model = untrained(RewardModelConfig(vocab_size=200, hidden_size=32, layers=2, heads=2, intermediate_size=64), 200)
    save(model, tmp_path / "start", train_tokenizer(texts, 200).to_str())
    pairs_file.write(
        [
            PreferentialPrompt(f"tea {n}, green", f"tea {n}, black", t, "modification", (), (), "x")
            for n, t in enumerate(texts)
        ],
        tmp_path / "pairs.jsonl",
    )
    options = ["train", "rm", "--start", str(tmp_path / "start"), "--pairs", str(tmp_path / "pairs.jsonl")]
    for change in (
        "steps=4",
        "warmup_steps=1",
        "pairs_per_step=6",
        "accumulate=2",
        "learning_rate=1e-3",
        f"optimizer={optimizer}",
    ):
        options += ["--set", change]
    alone = [sys.executable, "-c", "from gapo.cli import main; main()"]
    launch = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc_per_node",
        "2",
        "--no-python",
        "--",
    ]
    for name, program in (("one", alone), ("two", [*launch, *alone])):
        done = subprocess.run(
            [*program, *options, "--out", str(tmp_path / name)],
            env=os.environ | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""},
            capture_output=True,
            text=True,
            timeout=200,
        )
        assert done.returncode == 0, done.stderr[-2000:]
    one, two, start = (load(tmp_path / n).state_dict() for n in ("one/checkpoint", "two/checkpoint", "start"))
    for name, weights in one.items():
        assert torch.allclose(weights, two[name], atol=1e-5), name
    assert any((weights - start[name]).abs().max() > 1e-3 for name, weights in one.items())
