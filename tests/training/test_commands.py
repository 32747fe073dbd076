"""What the commands say of input that cannot be used, before and after hours of training."""

import json
from dataclasses import replace
from pathlib import Path

import gapo_server
import pytest
from gapo.cli import build
from gapo_export.recover import model_of
from gapo_model.checkpoint import save_checkpoint
from gapo_model.packed_longformer import PackedLongformer
from gapo_training.corpora.pairs_file import read as read_pairs
from typer.testing import CliRunner

BUNDLE = max((Path(gapo_server.__file__).parent / "bundles/gapo-mini").iterdir(), key=lambda path: int(path.name))

TOKENIZER = BUNDLE / "tokenizer.json"


def invoked(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(build([str(arguments[0])]), [str(a) for a in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, " ".join(result.output.split())


@pytest.mark.parametrize(
    "command",
    [("train", "gapo", "--out", "run"), ("train", "sft", "--out", "run"), ("data", "inspect"), ("eval", "rm", BUNDLE)],
    ids=lambda command: " ".join(command[:2]),
)
def test_a_folder_without_data_is_said_in_a_line(tmp_path, monkeypatch, command) -> None:
    monkeypatch.chdir(tmp_path)
    code, said = invoked(*command, "--data", tmp_path)
    assert code == 1
    assert said.startswith("error: ")
    assert f"No such file or directory: '{tmp_path}/" in said


def test_a_supervised_start_empties_no_other_runs_journal(tmp_path) -> None:
    (tmp_path / "metrics.jsonl").write_text('{"kind": "ppo", "number": 0}\n', encoding="utf-8")
    code, said = invoked("train", "sft", "--config", "smoke", "--cpu", "--data", tmp_path, "--out", tmp_path)
    assert code == 1
    assert "holds a run already; go on with --resume or choose another folder" in said
    assert (tmp_path / "metrics.jsonl").stat().st_size > 0


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("learning_rate=fast", "'fast' is not a number"),
        ("steps=1.5", "1.5 is not of type int"),
        ("pace=1", "pace"),
        ("steps=0", "steps: 0 train nothing"),
        ("checkpoint_every=0", "checkpoint_every: 0 is below 1"),
        ("steps=[", "is no YAML"),
    ],
)
def test_settings_of_the_warm_up_are_checked(tmp_path, change, told) -> None:
    code, said = invoked("train", "rm", "--start", BUNDLE, "--out", tmp_path, "--pairs", BUNDLE, "--set", change)
    assert code == 2
    assert told in said.replace(" │ │ ", " ")


def pairs_file(folder: Path, texts: int) -> Path:
    rows = [
        {"accepted": f"Write about tea {n}.", "rejected": f"Write about ore {n}.", "response": f"tea {n}"}
        for n in range(texts)
    ]
    (folder / "pairs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return folder / "pairs.jsonl"


def test_a_file_of_one_text_is_refused_before_training(tmp_path) -> None:
    file = pairs_file(tmp_path, 1)
    code, said = invoked("train", "rm", "--start", BUNDLE, "--out", tmp_path / "out", "--pairs", file)
    assert code == 2
    assert "two different texts" in said
    assert not (tmp_path / "out").exists()


def test_a_start_without_a_readable_tokenizer_is_refused_before_training(tmp_path) -> None:
    start = tmp_path / "start"
    save_checkpoint(model_of(BUNDLE), start, TOKENIZER.read_text(encoding="utf-8"))
    (start / "tokenizer.json").write_text("{", encoding="utf-8")
    code, said = invoked("train", "rm", "--start", start, "--out", tmp_path / "out", "--pairs", pairs_file(tmp_path, 3))
    assert code == 2
    assert "is no tokenizer that can be read" in said.replace(" │ │ ", " ")
    assert not (tmp_path / "out").exists()


def test_a_small_file_keeps_its_checkpoint_calibrated_or_not(tmp_path) -> None:
    """An exponent without a dot is text for YAML, and a number here."""
    file, out = pairs_file(tmp_path, 3), tmp_path / "out"
    settings = ("--set", "steps=1", "--set", "warmup_steps=0", "--set", "learning_rate=1e-9")
    code, said = invoked("train", "rm", "--start", BUNDLE, "--out", out, "--pairs", file, *settings)
    assert f"checkpoint: {out / 'checkpoint'}".replace(" ", "") in said.replace(" ", "")
    assert (out / "checkpoint" / "config.json").is_file()
    assert (out / "checkpoint" / "calibration.json").exists() == (code == 0)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            b'"wrong": [{"slot": "memory", "value": 8}]',
            "wrong: is not a list of objects with slot and value, both text",
        ),
        (b'"topic": "caf\xe9"', "can't decode"),
        (b'"response": "\\ud83d"', "surrogates not allowed"),
    ],
)
def test_pairs_that_would_stop_the_training_are_named_before(tmp_path, change, told) -> None:
    file = tmp_path / "pairs.jsonl"
    file.write_bytes(b'{"accepted": "a", "rejected": "b", "response": "c", ' + change + b"}\n")
    with pytest.raises(ValueError, match=rf"pairs\.jsonl:1: .*{told}"):
        read_pairs(file)


def test_a_finished_warm_up_is_not_overwritten(tmp_path) -> None:
    (tmp_path / "training_state.pt").touch()
    code, said = invoked("train", "rm", "--start", BUNDLE, "--out", tmp_path, "--pairs", pairs_file(tmp_path, 3))
    assert code == 2
    assert "holds a run already" in said.replace(" │ │ ", " ")


def test_a_resumed_warm_up_keeps_its_start_and_settings(tmp_path) -> None:
    file, out, start = pairs_file(tmp_path, 6), tmp_path / "out", tmp_path / "start"
    save_checkpoint(model_of(BUNDLE), start, TOKENIZER.read_text(encoding="utf-8"))
    common = ("train", "rm", "--out", out, "--set", "warmup_steps=0", "--set", "learning_rate=1e-9")
    begun = ("--start", BUNDLE, "--pairs", file, "--set", "steps=1")
    invoked(*common, *begun)
    assert (out / "training_state.pt").is_file()
    for changes, told in (
        (("--start", start, "--pairs", file), "start: the run in"),
        (("--start", BUNDLE, "--pairs", pairs_file(start, 6)), "pairs: the run in"),
        (("--start", BUNDLE, "--pairs", file, "--set", "seed=9"), "seed: the run in"),
        (("--start", BUNDLE, "--pairs", file, "--set", "optimizer=muon"), "optimizer: the run in"),
    ):
        code, said = invoked(*common, *changes, "--set", "steps=2", "--resume")
        assert (code, told in said) == (1, True), said
    calibration = out / "checkpoint/calibration.json"
    calibration.write_text("{}", encoding="utf-8")
    invoked(*common, *begun[:-1], "steps=2", "--resume")
    assert not calibration.exists() or calibration.read_text(encoding="utf-8") != "{}"


def test_a_row_longer_than_the_model_loses_its_middle(tmp_path) -> None:
    shape = replace(model_of(BUNDLE).shape, num_hidden_layers=1, attention_window=(64,), max_position_embeddings=34)
    save_checkpoint(PackedLongformer(shape), tmp_path / "start", TOKENIZER.read_text(encoding="utf-8"))
    rows = [{"accepted": "a " * 30, "rejected": "b " * 30, "response": f"c{n} " * 60} for n in range(4)]
    (tmp_path / "pairs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    given = ("--start", tmp_path / "start", "--pairs", tmp_path / "pairs.jsonl", "--set", "steps=1")
    invoked("train", "rm", "--out", tmp_path / "out", *given, "--set", "pairs_per_step=2", "--set", "warmup_steps=0")
    assert (tmp_path / "out/checkpoint/config.json").is_file()


def test_a_head_of_three_labels_is_refused_before_training(tmp_path) -> None:
    shape = replace(model_of(BUNDLE).shape, num_labels=3)
    save_checkpoint(PackedLongformer(shape), tmp_path / "start", TOKENIZER.read_text(encoding="utf-8"))
    given = ("--start", tmp_path / "start", "--pairs", pairs_file(tmp_path, 6), "--out", tmp_path / "out")
    code, said = invoked("train", "rm", *given)
    assert (code, "has 3 labels" in said.replace(" │ │ ", " ")) == (2, True), said


def test_a_model_without_a_readable_tokenizer_is_not_evaluated(tmp_path) -> None:
    save_checkpoint(model_of(BUNDLE), tmp_path / "model", TOKENIZER.read_text(encoding="utf-8"))
    (tmp_path / "model/tokenizer.json").unlink()
    code, said = invoked("eval", "rm", tmp_path / "model", "--data", tmp_path)
    assert code == 2
    assert "is no tokenizer that can be read" in said.replace(" │ │ ", " ")
