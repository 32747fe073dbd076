"""A whole run of the `smoke` preset, and the commands around it."""

import json
from importlib.metadata import version

import pytest
import torch
from gapo.cli import build
from gapo_training.gapo import checkpoint, config, generator, stages
from gapo_training.gapo.config import ConfigError
from gapo_training.gapo.journal import Journal
from transformers import AutoModelForCausalLM
from typer.testing import CliRunner


def rows(out, kind):
    lines = (out / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    return [row for row in map(json.loads, lines) if row["kind"] == kind]


def test_every_phase_of_every_stage_is_recorded_with_its_cost(smoke_run) -> None:
    assert [r["number"] for r in rows(smoke_run, "sft")] == [1, 2, 3, 4]
    assert [r["number"] for r in rows(smoke_run, "warmup")] == [1, 2, 3, 4]
    assert [(r["number"], r["prompts"]) for r in rows(smoke_run, "held_out")] == [(0, 8), (1, 4), (2, 8)]
    iterations = rows(smoke_run, "ppo")
    assert [(r["number"], r["stage"], r["reward_version"]) for r in iterations] == [
        (0, 1, "A0"),
        (1, 1, "A0"),
        (2, 2, "A1"),
        (3, 2, "A1"),
    ]
    # Zero but for the order of the sums: sampling and the reference group the rows differently.
    assert iterations[0]["kl_nats"] == pytest.approx(0, abs=1e-4)
    assert all({"rollout_seconds", "score_seconds", "update_seconds", "tokens"} <= set(r) for r in iterations)
    phases = rows(smoke_run, "reward_phase")
    assert [r["rows"] for r in phases] == [16, 16]
    assert [r["generated_rows"] for r in phases] == [8, 8]
    assert all({"seconds", "tokens"} <= set(r) for r in phases)


def test_held_out_rows_hold_rules_and_reward_model_side_by_side(smoke_run) -> None:
    last = rows(smoke_run, "held_out")[-1]
    by_rules = {"all_satisfied", "satisfied", "missing", "wrong", "added", "by_slot"}
    guards = {"perplexity", "repetition", "words", "finished"}
    by_model = {"reward_model_logit", "accuracy_accepted", "accuracy_modified", "accuracy_inserted", "called_fake"}
    assert by_rules | guards | by_model | {"drift_alarm"} <= set(last)
    responses = (smoke_run / "responses" / "A2.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(responses) == last["prompts"] == 8
    assert set(json.loads(responses[0])) == {"prompt", "response", "kept"}


def test_a_run_writes_its_settings_data_and_versions(smoke_run) -> None:
    assert config.read(smoke_run / "config.yaml") == config.read("smoke")
    facts = json.loads((smoke_run / "run.json").read_text(encoding="utf-8"))
    assert all(len(digest) == 64 for digest in facts["data_sha256"].values())
    assert facts["versions"]["torch"] == version("torch")
    assert list((smoke_run / "tensorboard").iterdir())


def test_the_last_generator_is_loaded_by_transformers(smoke_run) -> None:
    model = AutoModelForCausalLM.from_pretrained(smoke_run / "generator")
    state = checkpoint.load(smoke_run / "state.pt")
    trained = {n.removeprefix("language_model."): p for n, p in state["actor"]["weights"].items()}
    assert all(torch.equal(p, trained[n]) for n, p in model.state_dict().items())
    first, _ = generator.load(smoke_run / "sft")
    assert not all(torch.equal(p, q) for p, q in zip(model.parameters(), first.parameters(), strict=True))


def test_without_adversarial_stages_the_reward_model_stays(smoke_run, corpus_folder, tmp_path) -> None:
    """Baselines start from the folders of another run: SFT and warm-up are not repeated."""
    changes = [f"generator.path={smoke_run / 'sft'}", f"reward_model.path={smoke_run / 'warmup/checkpoint'}"]
    changes += ["sft.steps=0", "warmup.steps=0", "adversarial=false", "stages=1", "publish=false"]
    stages.run(config.read("smoke", changes), corpus_folder, tmp_path / "ppo", cpu=True)
    state = checkpoint.load(tmp_path / "ppo" / "state.pt")
    before = checkpoint.load(smoke_run / "state.pt")
    frozen = state["reward_model"]["weights"]
    assert not all(torch.equal(p, before["reward_model"]["weights"][n]) for n, p in frozen.items())
    assert rows(tmp_path / "ppo", "reward_phase") == []
    ours, theirs = (rows(out, "ppo")[0]["logit"] for out in (tmp_path / "ppo", smoke_run))
    assert ours == pytest.approx(theirs, abs=1e-5)


def test_a_folder_that_holds_a_run_is_not_overwritten(smoke_run, corpus_folder) -> None:
    with pytest.raises(ConfigError, match="holds a run already; go on with --resume"):
        stages.run(config.read("smoke"), corpus_folder, smoke_run, cpu=True)


def test_a_journal_cuts_what_is_written_again_and_a_torn_row(tmp_path) -> None:
    with Journal(tmp_path, active=True, resume=False) as journal:
        for number in range(4):
            journal.record("ppo", number, {"loss": float(number)})
    with (tmp_path / "metrics.jsonl").open("a") as stream:
        stream.write('{"kind": "ppo", "num')
    with Journal(tmp_path, active=True, resume=True) as journal:
        journal.record("ppo", 2, {"loss": 20.0})
        journal.record("ppo", 3, {"loss": 30.0})
        assert [row["loss"] for row in journal.rows("ppo")] == [0.0, 1.0, 20.0, 30.0]


def test_a_checkpoint_is_whole_or_the_one_before(tmp_path) -> None:
    file = tmp_path / "state.pt"
    assert checkpoint.load(file) is None
    checkpoint.save(file, {"step": 1, "weights": torch.ones(3)})

    class Unsaveable:
        def __reduce__(self):
            raise RuntimeError("killed in the middle of writing")

    with pytest.raises(RuntimeError, match="killed"):
        checkpoint.save(file, {"step": 2, "bad": Unsaveable()})
    assert checkpoint.load(file)["step"] == 1


def test_dry_run_and_errors_on_the_command_line(corpus_folder, smoke_run, tmp_path) -> None:
    app, runner = build(), CliRunner()
    common = ["train", "gapo", "--data", str(corpus_folder), "--config", "smoke"]
    done = runner.invoke(app, [*common, "--out", str(tmp_path / "x"), "--dry-run"])
    assert done.exit_code == 0
    assert "2 stages" in done.output
    assert not (tmp_path / "x").exists()
    refused = runner.invoke(app, [*common, "--out", str(smoke_run), "--cpu"])
    assert refused.exit_code == 1
    assert "holds a run already" in refused.output
    unknown = runner.invoke(app, [*common, "--out", str(tmp_path / "x"), "--set", "ppo.lr=1"])
    assert unknown.exit_code == 2


def test_eval_generator_repeats_the_figures_of_the_run(corpus_folder, smoke_run) -> None:
    arguments = ["eval", "generator", str(smoke_run / "generator"), "--data", str(corpus_folder), "--config", "smoke"]
    done = CliRunner().invoke(build(), [*arguments, "--reward-model", str(smoke_run / "reward_model/A2")])
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    recorded = rows(smoke_run, "held_out")[-1]
    for name in ("all_satisfied", "satisfied", "missing", "added", "accuracy_modified", "called_fake"):
        assert found[name] == pytest.approx(recorded[name])
