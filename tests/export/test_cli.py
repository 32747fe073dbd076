"""`gapo export` tells reward models, generators and the rest apart, and names the remedy."""

import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import typer
from gapo_core import bundle
from gapo_core.pairs import PairError, PairTooLong, TruncationPolicy
from gapo_export.cli import register
from gapo_model.checkpoint import load_checkpoint, save_checkpoint
from gapo_model.packed_longformer import PackedLongformer
from gapo_server.config import Settings
from gapo_server.store import ServedModel
from safetensors.torch import load_file
from typer.testing import CliRunner


@pytest.fixture
def run():
    app = typer.Typer()
    app.callback()(lambda: None)
    register(app)
    return lambda *arguments: CliRunner().invoke(app, ["export", *map(str, arguments)])


def test_positions_are_extended_by_an_option_and_the_manifest_says_so(run, small_checkpoint, tmp_path) -> None:
    done = run(small_checkpoint, "--out", tmp_path, "--name", "long", "--max-tokens", 2048)
    assert done.exit_code == 0, done.output
    manifest = bundle.load(done.stdout.strip()).manifest
    assert manifest.architecture.max_tokens == 2048
    assert manifest.provenance["checkpoint_max_tokens"] == 1024
    assert manifest.truncation is TruncationPolicy.ERROR


def test_length_truncation_and_budgets_of_a_bundle_agree_with_the_pairs_that_its_server_takes(
    run, small_checkpoint, tmp_path
) -> None:
    done = run(small_checkpoint, "--out", tmp_path, "--max-tokens", 2048, "--truncation", "keep_tail")
    assert done.exit_code == 0, done.output
    loaded = bundle.load(done.stdout.strip())
    assert loaded.manifest.truncation is TruncationPolicy.KEEP_TAIL
    served = ServedModel(loaded, Settings(prompt_budget=45, response_budget=2000))
    pair = served.encoder.encode("w1 " * 100, "w2 " * 3000, loaded.manifest.truncation)
    assert (len(pair.ids), pair.prompt_tokens, pair.response_tokens) == (2048, 45, 2000)
    assert np.isfinite(served.engine.score([pair.ids])).all()
    with pytest.raises(PairTooLong):
        served.encoder.encode("w1", "w2 " * 2001)
    with pytest.raises(PairError, match="budget"):
        ServedModel(loaded, Settings(prompt_budget=46, response_budget=2000))


@pytest.mark.parametrize(
    ("config", "options", "remedy"),
    [
        (None, (), "give a Hugging Face checkpoint folder"),
        ({"model_type": "bert", "architectures": ["BertModel"]}, (), "neither a Longformer nor a causal language"),
        ({"architectures": ["Qwen2ForCausalLM"]}, ("--max-tokens", "100"), "leave out --max-tokens"),
        ({"architectures": ["Qwen2ForCausalLM"]}, ("--target", "triton"), "leave out --target"),
        ({"model_type": "longformer"}, ("--target", "triton", "--version", "v1"), "choose --version 1, 2"),
        ({"model_type": "longformer"}, ("--name", "Ünï"), "choose another --name"),
        ({"model_type": "longformer"}, ("--version", "../1"), "choose another --version"),
        ({"architectures": ["Qwen2ForCausalLM"]}, ("--name", "../elsewhere"), "choose another --name"),
        ({"architectures": ["Qwen2ForCausalLM"]}, ("--version", ""), "choose another --version"),
    ],
)
def test_what_cannot_be_exported_is_refused_with_the_remedy(run, tmp_path, config, options, remedy) -> None:
    if config is not None:
        (tmp_path / "config.json").write_text(json.dumps(config))
    done = run(tmp_path, "--out", tmp_path / "store", *options)
    assert done.exit_code == 1
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert remedy in done.stderr
    assert not (tmp_path / "store").exists()


def test_weights_of_pytorch_and_a_short_model_are_exported(run, small_checkpoint, tmp_path) -> None:
    checkpoint = copied(small_checkpoint, tmp_path)
    torch.save(load_file(checkpoint / "model.safetensors"), checkpoint / "pytorch_model.bin")
    (checkpoint / "model.safetensors").unlink()
    done = run(checkpoint, "--out", tmp_path, "--max-tokens", 30)
    assert done.exit_code == 0, done.output
    manifest = bundle.load(done.stdout.strip()).manifest
    assert manifest.architecture.max_tokens == 30
    assert manifest.provenance["checkpoint_sha256"] == bundle.sha256(checkpoint / "pytorch_model.bin")


def copied(checkpoint: Path, folder: Path) -> Path:
    return Path(shutil.copytree(checkpoint, folder / "checkpoint"))


@pytest.mark.parametrize(
    ("file", "content", "told"),
    [
        ("config.json", "[1]", "config.json: is no JSON object"),
        ("model.safetensors", "", "model.safetensors: cannot be read"),
        ("calibration.json", '{"scale": -1}', "calibration.json: scale: Input should be greater than 0"),
    ],
)
def test_a_damaged_checkpoint_is_refused_in_one_line(run, small_checkpoint, tmp_path, file, content, told) -> None:
    checkpoint = copied(small_checkpoint, tmp_path)
    (checkpoint / file).write_text(content)
    assert told in refused(run(checkpoint, "--out", tmp_path / "store"))


def refused(done) -> str:
    """The one line of an export that published nothing."""
    assert done.exit_code == 1
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    return done.stderr


def test_a_head_of_two_labels_a_limit_below_the_golden_pair_and_a_store_that_is_a_file(
    run, small_checkpoint, tmp_path
) -> None:
    model = load_checkpoint(small_checkpoint)
    tokenizer = (small_checkpoint / "tokenizer.json").read_text(encoding="utf-8")
    save_checkpoint(PackedLongformer(replace(model.shape, num_labels=2)), tmp_path / "two", tokenizer)
    assert "the head has 2 labels" in refused(run(tmp_path / "two", "--out", tmp_path / "store"))
    assert "max_tokens: 6 are too few" in refused(run(small_checkpoint, "--out", tmp_path / "store", "--max-tokens", 6))
    (tmp_path / "file").write_text("")
    assert "Not a directory" in refused(run(small_checkpoint, "--out", tmp_path / "file"))


def test_a_generator_without_optimum_names_the_extra(run, tmp_path, monkeypatch) -> None:
    (tmp_path / "config.json").write_text('{"architectures": ["Qwen2ForCausalLM"]}')
    monkeypatch.setitem(sys.modules, "gapo_export.generator", None)
    assert "pip install 'gapo[export]'" in refused(run(tmp_path, "--out", tmp_path / "store"))


@pytest.mark.parametrize("content", [None, "{", "[1, 2]"], ids=["absent", "not JSON", "no object"])
def test_a_quality_file_that_cannot_be_read_is_named_in_one_line(run, tmp_path, content) -> None:
    quality = tmp_path / "nope.json"
    if content is not None:
        quality.write_text(content)
    done = run(tmp_path, "--out", tmp_path / "store", "--quality", quality)
    assert done.exit_code == 1
    assert done.stderr.startswith(f"error: --quality {quality}: ")
    assert done.stderr.count("\n") == 1
