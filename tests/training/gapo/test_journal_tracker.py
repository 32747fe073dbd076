"""Trackers beside TensorBoard. W&B and trackio are not requirements: a module with their three functions records."""

import sys

import pytest
from gapo_training.gapo.config import ConfigError
from gapo_training.gapo.journal import Journal

RECORDER = """
calls = []
def init(**given): calls.append(("init", given))
def log(figures): calls.append(("log", figures))
def finish(): calls.append(("finish",))
"""


def test_figures_reach_the_tracker(tmp_path, monkeypatch) -> None:
    (tmp_path / "trackio.py").write_text(RECORDER, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    with Journal(tmp_path / "run", True, False, "trackio", {"seed": 3}) as journal:
        journal.record("ppo", 7, {"reward": 1.5, "reward_version": "A1", "logit": float("nan")})
    begun = {"project": "gapo", "name": "run", "config": {"seed": 3}, "resume": "never"}
    logged = {"ppo/reward": 1.5, "ppo/number": 7}
    assert sys.modules["trackio"].calls == [("init", begun), ("log", logged), ("finish",)]
    monkeypatch.delitem(sys.modules, "trackio")


def test_an_absent_tracker_is_named_before_anything_is_written(tmp_path, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(ConfigError, match="tracker: wandb is not installed; pip install wandb"):
        Journal(tmp_path / "run", True, False, "wandb")
    assert not (tmp_path / "run").exists()
