"""What a command says of the wrong folder, and of data that do not suffice, before anything is trained."""

import json
from pathlib import Path

import gapo_server
import pytest
from gapo.cli import build
from gapo_training.gapo import config, preflight, sft, stages, tasks
from gapo_training.gapo.config import ConfigError
from typer.testing import CliRunner

BUNDLE = max((Path(gapo_server.__file__).parent / "bundles/gapo-mini").iterdir(), key=lambda path: int(path.name))


def folder_of(path: Path, model_type: str, *architectures: str) -> Path:
    """A folder that says what it holds, and has nothing else."""
    path.mkdir()
    text = json.dumps({"model_type": model_type, "architectures": list(architectures)})
    (path / "config.json").write_text(text, encoding="utf-8")
    (path / "tokenizer.json").write_text("{}", encoding="utf-8")
    return path


@pytest.fixture
def folders(tmp_path) -> dict[str, Path]:
    return {
        "longformer": folder_of(tmp_path / "longformer", "longformer", "LongformerForSequenceClassification"),
        "generator": folder_of(tmp_path / "generator", "qwen2", "Qwen2ForCausalLM"),
        "decoder": folder_of(tmp_path / "decoder", "qwen2", "Qwen2ForSequenceClassification"),
        "bert": folder_of(tmp_path / "bert", "bert", "BertForMaskedLM"),
        "bundle": BUNDLE,
        "nothing": tmp_path,
    }


HELD = {
    "longformer": "holds LongformerForSequenceClassification, no generator; give the sft/ of a run",
    "decoder": "holds Qwen2ForSequenceClassification, no generator; give the sft/ of a run",
    "bert": "holds BertForMaskedLM, no generator; give the sft/ of a run",
    "bundle": "is a reward model's bundle; give the sft/ of a run",
    "nothing": "is no checkpoint folder; give the sft/ of a run",
}


@pytest.mark.parametrize(
    ("command", "kind"),
    [(command, kind) for command in ("eval", "baseline", "gapo", "sft", "ifeval") for kind in HELD]
    + [("dry run", "longformer")],  # a plan may be made where the checkpoint is not
)
def test_a_generator_of_another_kind_is_named_with_what_it_is(folders, corpus_folder, tmp_path, command, kind) -> None:
    folder, out = str(folders[kind]), str(tmp_path / "out")
    data = ["--data", str(corpus_folder)]
    run = ["--out", out, "--config", "smoke", "--set", f"generator.path={folder}"]
    prompt = tmp_path / "prompts.jsonl"
    asked = {"key": 1, "prompt": "p", "instruction_id_list": ["punctuation:no_comma"], "kwargs": [{}]}
    prompt.write_text(json.dumps(asked), encoding="utf-8")
    arguments, option = {
        "eval": (["eval", "generator", folder, *data], "CHECKPOINT"),
        "baseline": (["train", "baseline", "dpo", "--generator", folder, *data, "--out", out], "generator"),
        "gapo": (["train", "gapo", *data, *run, "--cpu"], "generator.path"),
        "sft": (["train", "sft", *data, *run, "--cpu"], "generator.path"),
        "dry run": (["train", "gapo", *data, *run, "--dry-run"], "generator.path"),
        "ifeval": (
            ["eval", "ifeval", "--prompts", str(prompt), "--generator", folder, "--save-responses", out],
            "--generator",
        ),
    }[command]
    done = CliRunner().invoke(build(arguments[:1]), arguments)
    assert isinstance(done.exception, SystemExit), done.exception
    assert done.stderr.count("error:") == 1
    assert f"error: {option}: {folder!r} {HELD[kind]}" in " ".join(done.stderr.split())


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("generator", "holds Qwen2ForCausalLM, no reward model; give the reward_model/A"),
        ("bert", "holds BertForMaskedLM, no reward model"),
    ],
)
def test_a_reward_model_of_another_kind_is_named_with_what_it_is(
    folders, corpus_folder, smoke_run, tmp_path, kind, told
) -> None:
    given = ["--data", str(corpus_folder), "--config", "smoke", "--reward-model", str(folders[kind])]
    done = CliRunner().invoke(build("eval"), ["eval", "generator", str(smoke_run / "generator"), *given])
    assert done.exit_code == 1
    assert f"error: --reward-model: {str(folders[kind])!r} {told}" in " ".join(done.stderr.split())
    settings = config.read("smoke", [f"reward_model.path={folders[kind]}"])
    with pytest.raises(ConfigError, match=rf"reward_model\.path: .* {told}"):
        stages.run(settings, corpus_folder, tmp_path / "run", cpu=True)
    assert not (tmp_path / "run" / "sft").exists()


def test_a_tokenizer_that_makes_no_pairs_is_told_before_the_supervised_start(folders, smoke_run, tmp_path) -> None:
    changes = ["reward_model.kind=decoder", "publish=false", f"reward_model.path={smoke_run / 'generator'}"]
    with pytest.raises(ConfigError, match=r"reward_model\.path: tokenizer: has neither \[CLS\]"):
        preflight.check(config.read("smoke", changes), 1000, tmp_path)
    (tmp_path / "warmup").mkdir()
    (tmp_path / "warmup/done").touch()
    preflight.check(config.read("smoke", changes), 1000, tmp_path)  # a resumed run has warmed it up


def test_a_bundles_scores_stand_beside_as_a_checkpoints(corpus_folder, smoke_run) -> None:
    given = ["eval", "generator", str(smoke_run / "generator"), "--data", str(corpus_folder), "--config", "smoke"]
    checkpoint, bundle = (
        json.loads(CliRunner().invoke(build("eval"), [*given, "--reward-model", str(smoke_run / folder)]).stdout)
        for folder in ("reward_model/A2", "store/gapo-run/A2")
    )
    assert checkpoint.pop("by_slot") == bundle.pop("by_slot")
    assert checkpoint == pytest.approx(bundle)


def test_a_prompt_that_is_too_long_is_told_before_the_supervised_start(corpus_folder, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(sft, "train", lambda *arguments: pytest.fail("training began"))
    settings = config.read("smoke", ["max_prompt_tokens=30"])
    with pytest.raises(ConfigError, match=r"max_prompt_tokens: a prompt has \d+ tokens, 30 are allowed; allow more"):
        stages.run(settings, corpus_folder, tmp_path / "run", cpu=True)
    corpus = tasks.load(corpus_folder, settings.data, 0)
    prompts = [task.prompt for task in (*corpus.training, *corpus.held_out)]
    assert corpus.longest_prompts(5) == sorted(prompts, key=len, reverse=True)[:5]


def test_too_few_preferences_are_told_before_the_supervised_start(corpus_folder, tmp_path) -> None:
    settings = config.read("smoke", ["data.preference_records=1", "reward_phase.samples=4000"])
    with pytest.raises(ConfigError, match=r"reward_phase\.samples: 4000 rows take 1992 preferences beside the 16 gen"):
        stages.run(settings, corpus_folder, tmp_path / "run", cpu=True)
    assert not (tmp_path / "run" / "sft").exists()
    preflight.check(config.read("smoke", ["adversarial=false", "reward_phase.samples=4000"]), 5, tmp_path)
    preflight.check(config.read("smoke"), 4, tmp_path)
    with pytest.raises(ConfigError, match="take 4 preferences beside the 8 generated rows, and the data give 3"):
        preflight.check(config.read("smoke"), 3, tmp_path)
