"""The packed Longformer equals Hugging Face's, forward and backward."""

import numpy as np
import pytest
import torch
from gapo_core.packing import pack, unpack
from gapo_model.checkpoint import load_checkpoint, save_checkpoint
from gapo_model.packed_longformer import PackedLongformer
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from transformers import LongformerConfig, LongformerForSequenceClassification

LENGTHS = (1, 7, 64, 65, 130, 300, 700)


@pytest.fixture(scope="module")
def hf(tmp_path_factory):
    torch.manual_seed(0)
    config = LongformerConfig(
        vocab_size=500,
        hidden_size=48,
        num_hidden_layers=3,
        num_attention_heads=4,
        intermediate_size=96,
        attention_window=[128, 64, 128],
        max_position_embeddings=1026,
        type_vocab_size=1,
        num_labels=1,
        pad_token_id=1,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    model = LongformerForSequenceClassification(config).eval()
    for p in model.parameters():
        if p.dim() > 1:
            torch.nn.init.normal_(p, std=0.05)
    path = tmp_path_factory.mktemp("hf")
    model.save_pretrained(path)
    return model, path


def _packed(model: PackedLongformer, sequences) -> torch.Tensor:
    arrays = pack(sequences, model.block, max(model.half_windows))
    return model(*map(torch.from_numpy, arrays.values()))[:, 0]


@pytest.mark.parametrize("block", [16, 32, 64])
def test_equals_hugging_face_forward_and_backward(hf, block) -> None:
    reference, path = hf
    packed = load_checkpoint(path, block).eval()
    rng = np.random.default_rng(0)
    sequences = [rng.integers(5, 500, n).tolist() for n in LENGTHS]
    expected = torch.cat(
        [reference(torch.tensor([s]), attention_mask=torch.ones(1, len(s))).logits[:, 0] for s in sequences]
    )
    got = _packed(packed, sequences)
    assert (got - expected).abs().max().item() <= 1e-5
    reference.zero_grad()
    expected.sum().backward()
    got.sum().backward()
    theirs = dict(reference.named_parameters())
    for name, parameter in packed.named_parameters():
        # Keys' biases are constant in the softmax; what the last layer computes for other tokens is unused.
        if parameter.grad is None or theirs[name].grad is None:
            continue
        assert torch.allclose(parameter.grad, theirs[name].grad, atol=1e-4), name


def test_a_saved_checkpoint_loads_in_transformers(hf, tmp_path) -> None:
    packed = load_checkpoint(hf[1])
    save_checkpoint(packed, tmp_path, "{}")
    again = LongformerForSequenceClassification.from_pretrained(tmp_path)
    for name, value in again.state_dict().items():
        assert torch.equal(value, packed.state_dict()[name]), name


def test_a_saved_tokenizer_neither_cuts_nor_pads(hf, tmp_path) -> None:
    tokenizer = Tokenizer(WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.enable_truncation(4)
    tokenizer.enable_padding(length=8)
    save_checkpoint(load_checkpoint(hf[1]), tmp_path, tokenizer.to_str())
    saved = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    assert [len(saved.encode("word " * count).ids) for count in (1, 6)] == [1, 6]


def test_pack_round_trips() -> None:
    rng = np.random.default_rng(1)
    sequences = [rng.integers(5, 500, n).tolist() for n in LENGTHS]
    assert unpack(pack(sequences, 32, 64)) == sequences


def test_checkpointed_gradients_equal_plain_ones(hf) -> None:
    sequences = [np.random.default_rng(2).integers(5, 500, n).tolist() for n in (3, 90, 200)]
    gradients = []
    for checkpointing in (False, True):
        model = load_checkpoint(hf[1]).train()
        model.gradient_checkpointing = checkpointing
        _packed(model, sequences).sum().backward()
        gradients.append({name: p.grad for name, p in model.named_parameters() if p.grad is not None})
    assert gradients[0].keys() == gradients[1].keys()
    for name, gradient in gradients[0].items():
        assert torch.allclose(gradient, gradients[1][name], atol=1e-6), name


def test_bf16_autocast_trains(hf) -> None:
    sequences = [np.random.default_rng(3).integers(5, 500, n).tolist() for n in (3, 90, 200)]
    model = load_checkpoint(hf[1]).eval()
    expected = _packed(model, sequences)
    with torch.autocast("cpu", torch.bfloat16):
        got = _packed(model, sequences)
    got.sum().backward()
    assert got.dtype == torch.float32
    assert (got - expected).abs().max().item() < 0.1
    assert all(p.grad is None or p.grad.isfinite().all() for p in model.parameters())
