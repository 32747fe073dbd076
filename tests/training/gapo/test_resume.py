"""What a resumed run may change, and what it finds again."""

import json
import re
import shutil

import pytest
import torch
from gapo_core.bundle import load as load_bundle
from gapo_core.bundle import sha256
from gapo_training.gapo import config, generator, stages
from gapo_training.gapo.config import ConfigError
from gapo_training.gapo.ppo import TrainingStopped


@pytest.fixture
def finished(smoke_run, tmp_path):
    return shutil.copytree(smoke_run, tmp_path / "run")


@pytest.mark.parametrize(
    "change",
    [
        "seed=5",
        "generator.hidden_size=64",
        "sft.steps=50",
        "reward_phase.labels=paper",
        "adversarial=false",
        "data.rm_pairs=4",
    ],
)
def test_a_resumed_run_keeps_its_settings(finished, corpus_folder, change) -> None:
    before = (finished / "config.yaml").read_bytes()
    name, _, value = change.partition("=")
    told = rf"{re.escape(name)}: the run in .* has .*, not {value.capitalize() if value == 'false' else value}; choose"
    with pytest.raises(ConfigError, match=told):
        stages.run(config.read("smoke", [change]), corpus_folder, finished, resume=True, cpu=True)
    assert (finished / "config.yaml").read_bytes() == before


def test_it_may_go_on_longer_and_at_other_rates_and_says_so(finished, corpus_folder) -> None:
    changes = ["stages=3", "ppo.learning_rate=5e-5"]
    stages.run(config.read("smoke", changes), corpus_folder, finished, resume=True, cpu=True)
    assert (finished / "store/gapo-run/A3/manifest.json").exists()
    told = json.loads((finished / "run.json").read_text(encoding="utf-8"))["changes"]
    assert told == [{"stages": [2, 3], "ppo.learning_rate": [1e-4, 5e-5]}]
    assert config.read(finished / "config.yaml").stages == 3


def test_a_version_that_a_kill_left_out_is_published_as_it_was(finished, smoke_run, corpus_folder) -> None:
    shutil.rmtree(finished / "store/gapo-run/A2")
    shutil.rmtree(finished / "reward_model/A2")
    stages.run(config.read("smoke"), corpus_folder, finished, resume=True, cpu=True)
    weights = sha256(smoke_run / "reward_model/A2/model.safetensors")
    again, first = (load_bundle(out / "store/gapo-run/A2").manifest for out in (finished, smoke_run))
    assert again.provenance["checkpoint_sha256"] == first.provenance["checkpoint_sha256"] == weights
    assert again.quality == first.quality


def test_a_stage_learns_from_the_last_ones_reward_model_also_on_a_server(
    smoke_run, corpus_folder, running_server, tmp_path
) -> None:
    changes = [f"generator.path={smoke_run / 'sft'}", f"reward_model.path={smoke_run / 'warmup/checkpoint'}"]
    changes += ["sft.steps=0", "warmup.steps=0", "reward.backend=server", f"reward.url={running_server.rest}"]
    with pytest.raises(
        TrainingStopped, match=r"A1: .* serves gapo-run/A2, and this stage learns from A0; serve .*store"
    ):
        stages.run(config.read("smoke", changes), corpus_folder, tmp_path / "run", cpu=True)
    frozen = config.read("smoke", [*changes, "adversarial=false", "stages=1"])
    stages.run(frozen, corpus_folder, tmp_path / "frozen", cpu=True)


def test_a_generator_of_half_precision_is_trained_in_single(smoke_run, tmp_path) -> None:
    model, speech = generator.load(smoke_run / "sft")
    generator.save(model.to(torch.bfloat16), speech, tmp_path)
    assert {p.dtype for p in generator.load(tmp_path)[0].parameters()} == {torch.float32}
