"""Two gloo processes give the trajectory of one; a killed run goes on with the same losses."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

PROGRAM = "from gapo.cli import main; main()"


def command(data, out, *options: str) -> list[str]:
    return [
        *("-c", PROGRAM, "train", "gapo", "--config", "smoke", "--data", str(data), "--out", str(out), "--cpu"),
        *options,
    ]


def rows_of(out) -> list[dict]:
    """The journal without times, with its figures by slot laid flat."""
    rows = [json.loads(line) for line in (out / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    flat = [row | row.pop("by_slot", {}) for row in rows]
    return [{k: v for k, v in row.items() if not k.endswith("seconds")} for row in flat]


def assert_same(ours, theirs, tolerance: float) -> None:
    assert [(r["kind"], r["number"]) for r in ours] == [(r["kind"], r["number"]) for r in theirs]
    for one, other in zip(ours, theirs, strict=True):
        assert one.keys() == other.keys()
        for name, value in one.items():
            same = value == other[name] or value == pytest.approx(other[name], abs=tolerance, rel=tolerance)
            assert same, (one["kind"], one["number"], name, value, other[name])


@pytest.mark.timeout(600)
@pytest.mark.parametrize("sharding", ["ddp", "fsdp2"])
def test_two_processes_give_the_trajectory_of_one(corpus_folder, smoke_run, tmp_path, sharding) -> None:
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    program = [*launch, "--no-python", sys.executable]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    # Without --cpu, as on a machine that has no GPU: the processes must find each other all the same.
    alone = [part for part in command(corpus_folder, tmp_path / "two") if part != "--cpu"]
    done = subprocess.run(
        [*program, *alone, "--set", f"sharding={sharding}"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=500,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads((tmp_path / "two/run.json").read_text())["processes"] == 2
    strip = [{k: v for k, v in row.items() if k != "by_slot"} for row in rows_of(tmp_path / "two")]
    whole = [{k: v for k, v in row.items() if k != "by_slot"} for row in rows_of(smoke_run)]
    assert_same(strip, whole, tolerance=2e-3)


@pytest.mark.timeout(600)
def test_a_run_killed_again_and_again_goes_on_with_the_same_losses(corpus_folder, smoke_run, tmp_path) -> None:
    """SIGKILL as soon as a row of each kind is written; what is resumed ends with the whole run's journal."""
    out = tmp_path / "cut"
    for number, moment in enumerate(("sft", "warmup", "ppo", "reward_phase")):
        options = ["--resume"] if number else []
        process = subprocess.Popen([sys.executable, *command(corpus_folder, out, *options)], stderr=subprocess.DEVNULL)
        try:
            deadline = time.monotonic() + 400
            while f'"kind": "{moment}"' not in _text(out / "metrics.jsonl"):
                assert process.poll() is None, "the run ended before it could be killed"
                assert time.monotonic() < deadline
                time.sleep(0.005)
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
        assert process.returncode == -signal.SIGKILL
    done = subprocess.run(
        [sys.executable, *command(corpus_folder, out, "--resume")], capture_output=True, text=True, timeout=500
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert_same(rows_of(out), rows_of(smoke_run), tolerance=1e-4)


def _text(file) -> str:
    return file.read_text(encoding="utf-8") if file.exists() else ""
