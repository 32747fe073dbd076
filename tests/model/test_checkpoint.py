"""A checkpoint that cannot be loaded as it stands is refused with its file's name."""

import json

import pytest
import torch
from gapo_model.checkpoint import load_checkpoint, save_checkpoint
from gapo_model.packed_longformer import LongformerShape, PackedLongformer
from safetensors.torch import load_file, save_file
from transformers import LongformerConfig, LongformerForSequenceClassification

SHAPE = LongformerShape(
    vocab_size=50,
    hidden_size=24,
    num_hidden_layers=2,
    num_attention_heads=3,
    intermediate_size=48,
    attention_window=(64, 64),
    max_position_embeddings=102,
)


@pytest.fixture
def checkpoint(tmp_path):
    torch.manual_seed(0)
    save_checkpoint(PackedLongformer(SHAPE), tmp_path, "{}")
    return tmp_path


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"hidden_act": "relu"}, r"config\.json: hidden_act is 'relu'; the packed Longformer computes 'gelu' only"),
        ({"intermediate_size": 47}, r"intermediate\.dense\.weight has shape \(48, 24\), not \(47, 24\)"),
        ({"attention_window": [64]}, "attention_window: has 1 entries for 2 layers"),
    ],
)
def test_a_config_that_the_model_cannot_follow(checkpoint, changes, told) -> None:
    file = checkpoint / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))
    with pytest.raises(ValueError, match=told):
        load_checkpoint(checkpoint)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("[1]", r"config\.json: is no JSON object"),
        ('{"model_type": "longformer"}', r"config\.json: vocab_size, .*, max_position_embeddings: missing"),
    ],
)
def test_a_config_that_is_none(checkpoint, content, told) -> None:
    (checkpoint / "config.json").write_text(content)
    with pytest.raises(ValueError, match=told):
        load_checkpoint(checkpoint)


@pytest.mark.parametrize(("name", "left"), [("model.safetensors", b""), ("pytorch_model.bin", b"PK")])
def test_damaged_weights(checkpoint, name, left) -> None:
    (checkpoint / "model.safetensors").unlink()
    with pytest.raises(ValueError, match=r"holds neither model\.safetensors nor pytorch_model\.bin"):
        load_checkpoint(checkpoint)
    (checkpoint / name).write_bytes(left)
    with pytest.raises(ValueError, match=rf"{name}: cannot be read"):
        load_checkpoint(checkpoint)


def test_weights_of_pytorch_are_read(checkpoint) -> None:
    file = checkpoint / "model.safetensors"
    expected = load_file(file)
    torch.save(expected, checkpoint / "pytorch_model.bin")
    file.unlink()
    assert all(torch.equal(value, expected[name]) for name, value in load_checkpoint(checkpoint).state_dict().items())


def test_a_head_of_two_labels_under_a_config_that_leaves_them_out(tmp_path) -> None:
    """transformers leaves its default of two labels out of the file."""
    config = LongformerConfig(
        vocab_size=50,
        hidden_size=24,
        num_hidden_layers=2,
        num_attention_heads=3,
        intermediate_size=48,
        attention_window=[64, 64],
        max_position_embeddings=102,
    )
    LongformerForSequenceClassification(config).save_pretrained(tmp_path)
    assert load_checkpoint(tmp_path).shape.num_labels == 2


def test_a_checkpoint_without_a_head_gets_one_only_where_it_is_trained(checkpoint) -> None:
    file = checkpoint / "model.safetensors"
    body = {name: value for name, value in load_file(file).items() if not name.startswith("classifier.")}
    save_file(body, file)
    assert load_checkpoint(checkpoint, fresh_head=True).shape.num_labels == 1
    with pytest.raises(ValueError, match=r"classifier\.dense\.weight.*; train the head first"):
        load_checkpoint(checkpoint)
