"""`gapo export` tells reward models, generators and the rest apart, and names the remedy."""

import json

import pytest
import typer
from gapo_core import bundle
from gapo_export.cli import register
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
    assert manifest.truncation.value == "error"


@pytest.mark.parametrize(
    ("config", "options", "remedy"),
    [
        (None, (), "give a Hugging Face checkpoint folder"),
        ({"model_type": "bert", "architectures": ["BertModel"]}, (), "neither a Longformer nor a causal language"),
        ({"architectures": ["Qwen2ForCausalLM"]}, ("--max-tokens", "100"), "leave out --max-tokens"),
        ({"architectures": ["Qwen2ForCausalLM"]}, ("--target", "triton"), "other targets"),
        ({"model_type": "longformer"}, ("--target", "triton", "--version", "v1"), "choose --version 1, 2"),
    ],
)
def test_what_cannot_be_exported_is_refused_with_the_remedy(run, tmp_path, config, options, remedy) -> None:
    if config is not None:
        (tmp_path / "config.json").write_text(json.dumps(config))
    done = run(tmp_path, "--out", tmp_path / "store", *options)
    assert done.exit_code == 1
    assert done.stderr.startswith("error: ")
    assert remedy in done.stderr
    assert not (tmp_path / "store").exists()
