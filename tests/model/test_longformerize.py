"""Encoders become Longformers and Longformers longer: positions tiled, global projections copied."""

import json
import re
from pathlib import Path

import pytest
import torch
from gapo_core.packing import pack
from gapo_model.longformerize import POSITIONS, longformerize, with_max_tokens
from gapo_model.packed_longformer import LongformerShape, PackedLongformer
from safetensors.torch import load_file, save_file
from transformers import BertConfig, BertModel, RobertaConfig, RobertaModel

SIZES = {
    "vocab_size": 50,
    "hidden_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 3,
    "intermediate_size": 48,
}


def score(model: PackedLongformer, ids: list[int]) -> float:
    arrays = pack([ids], model.block, max(model.half_windows))
    with torch.inference_mode():
        return model.eval()(*map(torch.from_numpy, arrays.values())).item()


@pytest.mark.parametrize(
    ("config", "kind", "pad"),
    [
        (BertConfig(**SIZES, max_position_embeddings=40, pad_token_id=0), BertModel, 0),
        (RobertaConfig(**SIZES, max_position_embeddings=42, pad_token_id=1), RobertaModel, 1),
    ],
)
def test_an_encoder_becomes_a_longformer(config, kind, pad, tmp_path) -> None:
    torch.manual_seed(0)
    encoder = kind(config).eval()
    encoder.save_pretrained(tmp_path)
    model = longformerize(tmp_path, max_tokens=100, window=128)
    assert model.shape.max_tokens == 100
    positions = model.state_dict()[POSITIONS]
    assert torch.equal(positions[pad + 1 :][:40], positions[pad + 1 :][40:80])
    assert torch.equal(positions[pad + 1 :][:20], positions[pad + 1 :][80:])
    state = model.state_dict()
    layer = "longformer.encoder.layer.0.attention.self."
    for part in ("query", "key", "value"):
        assert torch.equal(state[f"{layer}{part}.weight"], state[f"{layer}{part}_global.weight"])
    # With the whole text in the window, local and global attention are the encoder's own full attention.
    ids = torch.tensor([[2, *range(5, 35), 3]])
    seen = []
    model.classifier.register_forward_pre_hook(lambda module, args: seen.append(args[0]))
    score(model, ids[0].tolist())
    with torch.inference_mode():
        expected = encoder(ids).last_hidden_state[:, 0]
    assert (seen[0] - expected).abs().max() < 1e-5


@pytest.fixture
def encoder(tmp_path):
    """A BERT whose LayerNorms differ from fresh ones."""
    torch.manual_seed(0)
    model = BertModel(BertConfig(**SIZES, max_position_embeddings=40))
    for name, parameter in model.named_parameters():
        if "LayerNorm" in name:
            torch.nn.init.normal_(parameter)
    model.save_pretrained(tmp_path)
    return tmp_path


def renamed(directory: Path, rename) -> None:
    file = directory / "model.safetensors"
    save_file({rename(name): value for name, value in load_file(file).items()}, file)


def test_the_gamma_and_beta_of_berts_first_checkpoints_are_read(encoder) -> None:
    expected = longformerize(encoder, max_tokens=40).longformer.encoder.state_dict()
    renamed(encoder, lambda name: "bert." + re.sub("LayerNorm.(weight|bias)", old_name, name))
    got = longformerize(encoder, max_tokens=40).longformer.encoder.state_dict()
    assert all(torch.equal(value, expected[name]) for name, value in got.items())


def old_name(found: re.Match[str]) -> str:
    return "LayerNorm." + {"weight": "gamma", "bias": "beta"}[found[1]]


def test_weights_under_other_names_are_refused_and_not_left_random(encoder) -> None:
    renamed(encoder, lambda name: f"0.auto_model.{name}")
    with pytest.raises(ValueError, match=r"parameters are missing: longformer\.embeddings\.word_embeddings\.weight"):
        longformerize(encoder)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"hidden_act": "relu"}, r"config\.json: hidden_act is 'relu'; the packed Longformer computes 'gelu' only"),
        ({"intermediate_size": 47}, r"intermediate\.dense\.weight has shape \(48, 24\), not \(47, 24\)"),
        ({"hidden_size": 21}, r"word_embeddings\.weight has shape \(50, 24\), not \(50, 21\)"),
    ],
)
def test_a_config_that_the_model_cannot_follow_is_refused(encoder, changes, told) -> None:
    file = encoder / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))
    with pytest.raises(ValueError, match=told):
        longformerize(encoder)


def test_another_model_is_refused_by_name(tmp_path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "gpt2"}')
    with pytest.raises(ValueError, match="'gpt2' is neither 'bert' nor 'roberta'"):
        longformerize(tmp_path)


@pytest.fixture
def model() -> PackedLongformer:
    torch.manual_seed(0)
    made = PackedLongformer(
        LongformerShape(**SIZES, attention_window=(64, 64), max_position_embeddings=130, pad_token_id=1)
    )
    torch.nn.init.normal_(made.state_dict()[POSITIONS], std=1.0)
    return made


def test_more_tokens_keep_the_scores_below_the_old_limit_and_tile_beyond(model) -> None:
    longer = with_max_tokens(model, 512)
    assert longer.shape.max_tokens == 512
    for length in (1, 60, 128):
        ids = [0, *[9] * (length - 1)]
        assert score(longer, ids) == pytest.approx(score(model, ids), abs=1e-6)
    assert torch.isfinite(torch.tensor(score(longer, [0, *[9] * 511])))
    positions = longer.state_dict()[POSITIONS]
    assert len(positions) == 514
    assert torch.equal(positions[2:130], positions[130:258])
    assert torch.equal(positions[2:130], positions[386:])


def test_fewer_tokens_cut_the_positions(model) -> None:
    shorter = with_max_tokens(model, 64)
    assert shorter.shape.max_tokens == 64
    ids = [0, *[9] * 63]
    assert score(shorter, ids) == pytest.approx(score(model, ids), abs=1e-6)


def test_the_same_limit_is_the_same_model(model) -> None:
    assert with_max_tokens(model, 128) is model
