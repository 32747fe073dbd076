"""Whole runs on the small corpus: every method, kills, refusals."""

import json
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest
import torch
from gapo.cli import build
from gapo_training.baselines.record import last_checkpoint
from gapo_training.baselines.run import BaselineConfig, train
from gapo_training.gapo import generator
from gapo_training.gapo.config import ConfigError
from typer.testing import CliRunner

QUICK = {"steps": 4, "rows": 4, "warmup_steps": 1, "checkpoint_every": 2, "learning_rate": 1e-2, "cpu": True}


def losses(out) -> list[float]:
    return [json.loads(line)["loss"] for line in (out / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]


def weights(folder):
    return generator.load(folder)[0].state_dict()


@pytest.mark.parametrize("preference", ["prompt", "response"])
@pytest.mark.parametrize("method", ["dpo", "kto", "simpo", "orpo", "amapo"])
def test_every_method_trains_the_generator(supervised, corpus_folder, tmp_path, method, preference) -> None:
    out = tmp_path / "run"
    folder = train(BaselineConfig(method, supervised, preference, **QUICK), corpus_folder, out)
    assert folder == out / "generator"
    assert len(losses(out)) == 4
    before, after = weights(supervised), weights(folder)
    assert not all(torch.equal(after[name], value) for name, value in before.items())
    assert {p.name for p in out.iterdir()} == {"config.yaml", "generator", "metrics.jsonl", "run.json", "tensorboard"}
    assert json.loads((out / "run.json").read_text(encoding="utf-8"))["versions"]["trl"].startswith("1.16")


def test_kill_9_and_resume_end_where_an_unbroken_run_does(supervised, corpus_folder, tmp_path) -> None:
    config = BaselineConfig("dpo", supervised, **(QUICK | {"steps": 30, "checkpoint_every": 5, "learning_rate": 1e-3}))
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    train(config, corpus_folder, whole)
    changes = ["steps=30", "rows=4", "warmup_steps=1", "checkpoint_every=5", "learning_rate=0.001"]
    command = ["train", "baseline", "dpo", "--generator", str(supervised), "--data", str(corpus_folder)]
    command += ["--out", str(broken), "--cpu", *(part for change in changes for part in ("--set", change))]
    program = [sys.executable, "-c", "from gapo.cli import main; main()", *command]
    with subprocess.Popen(program, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None and not (last_checkpoint(broken / "trainer") and len(losses(broken)) > 7):
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    assert not (broken / "generator").exists()
    folder = train(config, corpus_folder, broken, resume=True)
    assert losses(broken) == losses(whole)
    expected = weights(whole / "generator")
    assert all(torch.equal(value, expected[name]) for name, value in weights(folder).items())
    # A finished run is kept, also where its start is called by another name.
    config = replace(config, generator=supervised.parent / ".." / supervised.parent.name / supervised.name)
    assert train(config, corpus_folder, broken, resume=True) == folder


def test_a_checkpoint_that_a_kill_left_half_written_is_not_taken(tmp_path) -> None:
    assert last_checkpoint(tmp_path) is None
    for number, whole in ((9, True), (10, True), (11, False)):
        (tmp_path / f"checkpoint-{number}").mkdir()
        if whole:
            (tmp_path / f"checkpoint-{number}" / "whole").touch()
    assert last_checkpoint(tmp_path).name == "checkpoint-10"


def test_a_loss_that_is_not_finite_stops_the_run(supervised, corpus_folder, tmp_path) -> None:
    config = BaselineConfig("simpo", supervised, **(QUICK | {"learning_rate": 1e30, "warmup_steps": 0}))
    with pytest.raises(FloatingPointError, match=r"step \d: \w+ is \w+; lower learning_rate"):
        train(config, corpus_folder, tmp_path / "run")


def test_runs_are_neither_overwritten_nor_mixed(supervised, corpus_folder, tmp_path, monkeypatch) -> None:
    out = tmp_path / "run"
    train(BaselineConfig("simpo", supervised, **QUICK), corpus_folder, out)
    with pytest.raises(ConfigError, match=r"out: .* holds a run already; go on with --resume"):
        train(BaselineConfig("simpo", supervised, **QUICK), corpus_folder, out)
    with pytest.raises(ConfigError, match=r"method: the run in .* has simpo, not orpo; choose another folder"):
        train(BaselineConfig("orpo", supervised, **QUICK), corpus_folder, out, resume=True)
    with pytest.raises(ConfigError, match=r"rows: 5000 is more than the .* pairs of the data"):
        train(BaselineConfig("simpo", supervised, **(QUICK | {"rows": 5000})), corpus_folder, tmp_path / "other")
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ConfigError, match="runs in one process"):
        train(BaselineConfig("simpo", supervised, **QUICK), corpus_folder, tmp_path / "other")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"method": "kto", "form": "naive"}, "form: kto takes every prompt on its own"),
        ({"method": "dpo", "form": "naive", "preference": "response"}, "form: responses to one prompt share it"),
        ({"method": "amapo", "rows": 1}, "rows: 1 is too small for amapo; use 2 or more"),
        ({"method": "dpo", "beta": -1.0}, "beta: -1.0 is negative"),
        ({"method": "dpo", "pairs": -5}, "pairs: -5 is too small for dpo; use 0 or more"),
    ],
)
def test_settings_that_make_no_run_are_refused(tmp_path, settings, message) -> None:
    with pytest.raises(ConfigError, match=message):
        BaselineConfig(generator=tmp_path, **settings)


def test_the_command_trains_what_eval_judges_and_names_what_is_wrong(supervised, corpus_folder, tmp_path) -> None:
    app, runner = build(), CliRunner()
    common = ["--generator", str(supervised), "--data", str(corpus_folder), "--out", str(tmp_path / "run"), "--cpu"]
    quick = ["--set", "steps=2", "--set", "rows=4", "--set", "data.training=60"]
    done = runner.invoke(app, ["train", "baseline", "orpo", *common, *quick, "--form", "naive"])
    assert done.exit_code == 0, done.output
    assert f"generator: {tmp_path / 'run' / 'generator'}" in done.stdout
    judged = [
        "eval",
        "generator",
        str(tmp_path / "run" / "generator"),
        "--data",
        str(corpus_folder),
        "--config",
        "smoke",
    ]
    found = runner.invoke(app, judged)
    assert 0 <= json.loads(found.stdout)["all_satisfied"] <= 1
    again = runner.invoke(app, ["train", "baseline", "orpo", *common, *quick])
    assert again.exit_code == 1
    assert "holds a run already" in again.output
    for arguments in (
        ["ppo"],
        ["kto", "--form", "naive"],
        ["dpo", "--set", "step=1"],
        ["dpo", "--set", "steps"],
        ["dpo", "--set", "data.preference=response"],
    ):
        assert runner.invoke(app, ["train", "baseline", *arguments, *common]).exit_code == 2
    empty = [str(tmp_path) if part == str(supervised) else part for part in common]
    refused = runner.invoke(app, ["train", "baseline", "dpo", *empty])
    assert refused.exit_code == 1
    assert "is no checkpoint folder; give the sft/ of a run" in refused.output
