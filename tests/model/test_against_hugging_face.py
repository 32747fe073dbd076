"""Random ragged batches: the packed module and its exported graph equal Hugging Face's, gradients too.

The default run takes a few of the batches; `pytest -m slow` takes all 200.
"""

import numpy as np
import onnxruntime as ort
import pytest
import torch
from gapo_core.packing import pack
from gapo_export.graph import write_graph
from gapo_model.checkpoint import load_checkpoint
from transformers import LongformerConfig, LongformerForSequenceClassification

VOCABULARY = 300
LABELS = 3


def windows(random: np.random.Generator) -> list[int]:
    """A window for each of two layers, 64 to 512; Hugging Face pads to the largest, which it needs to divide."""
    return [int(w) for w in random.choice([64, 128, 256, 512], 2)]


def lengths(random: np.random.Generator, longest: int) -> list[int]:
    """1 to 64 sequences of 1 to `longest` tokens, at most 2 * `longest` together."""
    count = int(np.exp(random.uniform(0, np.log(64.99))))
    drawn = np.exp(random.uniform(0, np.log(longest + 0.99), count)).astype(int)
    return [int(n) for n in drawn[np.cumsum(drawn) <= 2 * longest]] or [longest]


def check(seed: int, longest: int, folder) -> None:
    random = np.random.default_rng(seed)
    torch.manual_seed(seed)
    config = LongformerConfig(
        vocab_size=VOCABULARY,
        hidden_size=24,
        num_hidden_layers=2,
        num_attention_heads=3,
        intermediate_size=48,
        attention_window=windows(random),
        max_position_embeddings=4098,
        type_vocab_size=1,
        num_labels=LABELS,
        pad_token_id=1,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    reference = LongformerForSequenceClassification(config).eval()
    for parameter in reference.parameters():
        if parameter.dim() > 1:
            torch.nn.init.normal_(parameter, std=0.1)
    reference.save_pretrained(folder)
    packed = load_checkpoint(folder, block=int(random.choice([7, 32, 64, 100]))).eval()
    sequences = [random.integers(2, VOCABULARY, n).tolist() for n in lengths(random, longest)]
    arrays = pack(sequences, packed.block, max(packed.half_windows))
    weights = torch.from_numpy(random.normal(size=(len(sequences), LABELS)).astype(np.float32)) / len(sequences)

    expected = torch.cat([reference(torch.tensor([s]), attention_mask=torch.ones(1, len(s))).logits for s in sequences])
    got = packed(*map(torch.from_numpy, arrays.values()))
    assert (got - expected).abs().max().item() <= 1e-5
    (expected * weights).sum().backward()
    (got * weights).sum().backward()
    theirs = dict(reference.named_parameters())
    for name, parameter in packed.named_parameters():
        mine, other = (p.grad if p.grad is not None else torch.zeros_like(p) for p in (parameter, theirs[name]))
        assert (mine - other).abs().max().item() <= 1e-4, name
    write_graph(packed, folder / "model.onnx")
    session = ort.InferenceSession(str(folder / "model.onnx"), providers=["CPUExecutionProvider"])
    assert np.abs(session.run(["logits"], arrays)[0] - expected.detach().numpy()).max() <= 1e-4


@pytest.mark.parametrize("seed", range(3))
def test_a_few_batches(seed, tmp_path) -> None:
    check(seed, 600, tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_two_hundred_batches(tmp_path) -> None:
    for seed in range(200):
        check(seed, 4096, tmp_path)
