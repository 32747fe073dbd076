"""The paper's reward model at full size, with random weights: exported, validated, served on a CPU in 24 GiB.

python -m pytest -m slow -s tests/e2e/test_full_size.py     # prints the figures; 6 GB of disk, a few minutes
"""

import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import gapo
import pytest
import torch
from gapo_core import bundle
from gapo_model.checkpoint import save_checkpoint
from gapo_model.packed_longformer import LongformerShape, PackedLongformer

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3000)]

LIMIT_GIB = 24
LONGEST = 4096 - 4
"""Tokens of prompt and response in the longest input; four are special."""
TOKENIZER = Path(__file__).parents[1] / "golden/roberta-tokenizer.json"
PAPER = LongformerShape(
    vocab_size=50265,
    hidden_size=1024,
    num_hidden_layers=24,
    num_attention_heads=16,
    intermediate_size=4096,
    attention_window=(512,) * 24,
    max_position_embeddings=4098,
    pad_token_id=1,
    layer_norm_eps=1e-5,
)
OVER_2_GIB = replace(PAPER, vocab_size=250_002, num_hidden_layers=20, attention_window=(512,) * 20)
"""A multilingual vocabulary: more weights than one protobuf holds; short, for that is not the point here."""


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    path, parameters = _random(PAPER, tmp_path_factory.mktemp("paper"))
    assert parameters == pytest.approx(435e6, rel=0.01)
    return path


@pytest.fixture(scope="module")
def exported(checkpoint, tmp_path_factory):
    """The bundle, with the peak memory of its export in GiB."""
    return _export(checkpoint, tmp_path_factory.mktemp("store"))


def _random(shape: LongformerShape, path: Path) -> tuple[Path, int]:
    """A checkpoint with random weights, and how many."""
    torch.manual_seed(0)
    model = PackedLongformer(shape)
    save_checkpoint(model, path, TOKENIZER.read_text(encoding="utf-8"))
    return path, sum(parameter.numel() for parameter in model.parameters())


def _gapo(*arguments: str, **options: object) -> "subprocess.Popen[str]":
    program = [sys.executable, "-c", "from gapo.cli import main; main()", *arguments]
    return subprocess.Popen(program, stdout=subprocess.PIPE, text=True, **options)


def _export(checkpoint: Path, store: Path) -> tuple[Path, float]:
    start = time.monotonic()
    process = _gapo("export", str(checkpoint), "--out", str(store), "--name", "paper")
    path = process.stdout.read().strip()
    process.stdout.close()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    peak = usage.ru_maxrss / 2**20
    print(f"\nexport: peak {peak:.1f} GiB, {time.monotonic() - start:.0f} s")
    return Path(path), peak


def test_it_exports_with_external_data_within_the_limit(exported) -> None:
    path, peak = exported
    assert peak < LIMIT_GIB
    files = bundle.load(path).manifest.files
    assert set(files) == {"model.onnx", "model.onnx.data", "tokenizer.json"}
    assert (path / "model.onnx").stat().st_size < 1 << 24
    assert (path / "model.onnx.data").stat().st_size == pytest.approx(435e6 * 4, rel=0.02)


def test_it_serves_inputs_of_4096_tokens_within_the_limit(exported) -> None:
    path, _ = exported
    start = time.monotonic()
    with _gapo("serve", "--bundle", str(path), "--http-port", "0", "--grpc-port", "0") as process:
        try:
            line = process.stdout.readline()
            found = re.search(r"REST (\S+), gRPC", line)
            assert found, line
            print(f"\nserve: ready after {time.monotonic() - start:.0f} s")
            with gapo.Client(f"http://{found[1]}", timeout=600) as client:
                for tokens in (512, LONGEST):
                    start = time.monotonic()
                    score = client.score(
                        "describe " * 9000,
                        "laptop " * 9000,
                        truncation="keep_head",
                        response_budget=tokens - 100,
                        prompt_budget=100,
                    )
                    assert score.prompt_tokens + score.response_tokens == tokens
                    print(f"{tokens} tokens: {time.monotonic() - start:.1f} s")
            peak = int(re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{process.pid}/status").read_text())[1]) / 2**20
            print(f"serve: peak {peak:.1f} GiB")
            assert peak < LIMIT_GIB
        finally:
            process.send_signal(signal.SIGTERM)


def test_more_weights_than_one_protobuf_holds_are_exported_too(tmp_path) -> None:
    checkpoint, parameters = _random(replace(OVER_2_GIB, max_position_embeddings=514), tmp_path / "checkpoint")
    assert parameters * 4 > 1 << 31
    path, peak = _export(checkpoint, tmp_path / "store")
    assert peak < LIMIT_GIB
    assert set(bundle.load(path).manifest.files) == {"model.onnx", "model.onnx.data", "tokenizer.json"}
