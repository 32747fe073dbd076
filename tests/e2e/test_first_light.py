"""The whole sentence: real pairs, training, export, server, client; served scores equal PyTorch's."""

import re
import signal
import subprocess
import sys

import gapo
import pytest
import torch
from gapo_core.pairs import PairEncoder
from gapo_export.publish import export_checkpoint
from gapo_model.checkpoint import load_checkpoint
from gapo_model.packed_longformer import LongformerShape, PackedLongformer
from gapo_server import EMBEDDED
from gapo_training.corpora import rnnlg
from gapo_training.distributed import accelerator_of
from gapo_training.evaluate import score
from gapo_training.preferential import augment
from gapo_training.warmup import WarmupConfig, train

TOKENIZER = next(EMBEDDED.glob("*/*/tokenizer.json"))
SHAPE = LongformerShape(
    vocab_size=30522,
    hidden_size=48,
    num_hidden_layers=2,
    num_attention_heads=4,
    intermediate_size=96,
    attention_window=(64, 64),
    max_position_embeddings=1025,
    pad_token_id=0,
)


@pytest.fixture(scope="module")
def pairs(real_data):
    return augment(rnnlg.read(real_data / "rnnlg", "valid")[:400], seed=0)


def _model() -> PackedLongformer:
    torch.manual_seed(0)
    return PackedLongformer(SHAPE)


def test_a_resumed_run_continues_with_the_same_losses(pairs, tmp_path) -> None:
    config = WarmupConfig(steps=6, pairs_per_step=4, warmup_steps=2, checkpoint_every=3)
    whole = train(accelerator_of("no", cpu=True), _model(), TOKENIZER, pairs, config, tmp_path / "whole")

    class Killed(Exception):
        pass

    def kill(step: int, loss: float) -> None:
        if step == 5:
            raise Killed

    with pytest.raises(Killed):
        train(accelerator_of("no", cpu=True), _model(), TOKENIZER, pairs, config, tmp_path / "cut", progress=kill)
    rest = train(accelerator_of("no", cpu=True), _model(), TOKENIZER, pairs, config, tmp_path / "cut", resume=True)
    assert rest == whole[3:]


def test_served_scores_equal_pytorch_on_200_real_pairs(pairs, tmp_path) -> None:
    config = WarmupConfig(steps=10, pairs_per_step=8, warmup_steps=2, learning_rate=1e-3)
    train(accelerator_of("no", cpu=True), _model(), TOKENIZER, pairs, config, tmp_path / "run")
    checkpoint = tmp_path / "run/checkpoint"
    bundle = export_checkpoint(checkpoint, tmp_path / "store", "tiny", "1", half_weights=False, quality={})
    texts = [(p.accepted, p.response) for p in pairs[:100]] + [(p.rejected, p.response) for p in pairs[:100]]
    model = load_checkpoint(checkpoint)
    expected = score(model, PairEncoder(TOKENIZER, SHAPE.max_tokens), texts)
    command = [sys.executable, "-c", "from gapo.cli import main; main()", "serve", "--bundle", str(bundle)]
    command += ["--http-port", "0", "--grpc-port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            line = process.stdout.readline()
            found = re.search(r"REST (\S+), gRPC (\S+);", line)
            assert found, line
            for url in (f"http://{found[1]}", f"grpc://{found[2]}"):
                with gapo.Client(url) as client:
                    together = [result.score for result in client.score_batch(texts)]
                    alone = [client.score(*text).score for text in texts]
                assert together == pytest.approx(expected.tolist(), abs=1e-3)
                assert alone == pytest.approx(expected.tolist(), abs=1e-3)
        finally:
            process.send_signal(signal.SIGTERM)
    assert process.returncode == 0
