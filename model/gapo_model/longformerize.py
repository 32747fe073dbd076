"""Turns a BERT or RoBERTa checkpoint into a Longformer, and lengthens a Longformer, as Longformer itself was made.

Positions are tiled to the new length and global projections copied from the local ones
(Beltagy et al. 2020, section 5).
"""

from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from gapo_model.checkpoint import check_config, check_shapes, read_config, read_weights
from gapo_model.packed_longformer import LongformerShape, PackedLongformer

POSITIONS = "longformer.embeddings.position_embeddings.weight"
_NEEDED = (
    "vocab_size",
    "hidden_size",
    "num_hidden_layers",
    "num_attention_heads",
    "intermediate_size",
    "type_vocab_size",
    "layer_norm_eps",
)


def longformerize(directory: str | Path, max_tokens: int = 4096, window: int = 256) -> PackedLongformer:
    """Reads config.json and the weights of a BERT or RoBERTa encoder; the classifier head is fresh.

    Raises `ValueError` for another model type, and naming parameters that are missing or have another shape.
    """
    directory = Path(directory)
    config = read_config(directory)
    kind = config.get("model_type")
    if kind not in ("bert", "roberta"):
        raise ValueError(f"{directory / 'config.json'}: model_type {kind!r} is neither 'bert' nor 'roberta'")
    check_config(config, directory / "config.json", _NEEDED)
    pad, layers = config.get("pad_token_id", 0), config["num_hidden_layers"]
    shape = LongformerShape(
        vocab_size=config["vocab_size"],
        hidden_size=config["hidden_size"],
        num_hidden_layers=layers,
        num_attention_heads=config["num_attention_heads"],
        intermediate_size=config["intermediate_size"],
        attention_window=(window,) * layers,
        max_position_embeddings=max_tokens + pad + 1,
        type_vocab_size=config["type_vocab_size"],
        pad_token_id=pad,
        layer_norm_eps=config["layer_norm_eps"],
    )
    model = PackedLongformer(shape)
    state = model.state_dict()
    given = {_name(name, kind): tensor for name, tensor in read_weights(directory).items()}
    check_shapes(directory, {name: value for name, value in given.items() if name != POSITIONS}, state)
    fresh = [name for name in state if "_global." in name or name.startswith("classifier.")]
    if missing := [name for name in state if name not in given and name not in fresh]:
        raise ValueError(f"{directory}: parameters are missing: {', '.join(missing[:5])}")
    # RoBERTa counts its positions from pad + 1, as Longformer does; BERT from 0.
    first = pad + 1 if kind == "roberta" else 0
    given[POSITIONS] = torch.cat([state[POSITIONS][: pad + 1], tile(given[POSITIONS][first:], max_tokens)])
    for name in state:
        state[name] = given.get(name.replace("_global.", "."), state[name])
    model.load_state_dict(state)
    return model


def _name(name: str, kind: str) -> str:
    """A parameter's name in the Longformer; BERT's first checkpoints call LayerNorm's gamma and beta."""
    name = "longformer." + name.removeprefix(f"{kind}.")
    return name.replace("LayerNorm.gamma", "LayerNorm.weight").replace("LayerNorm.beta", "LayerNorm.bias")


def with_max_tokens(model: PackedLongformer, max_tokens: int) -> PackedLongformer:
    """The same model with another limit: positions beyond the old one repeat it from its start.

    Up to the old limit every score stays the same. Beyond it the model sees distances right (the window is
    relative to nothing but the positions it was trained on, tiled), but was not trained there: evaluate, or
    train on, long pairs before trusting it.
    """
    shape = replace(model.shape, max_position_embeddings=max_tokens + model.shape.pad_token_id + 1)
    if shape == model.shape:
        return model
    made = PackedLongformer(shape, model.block)
    state = model.state_dict()
    first = shape.pad_token_id + 1
    state[POSITIONS] = torch.cat([state[POSITIONS][:first], tile(state[POSITIONS][first:], max_tokens)])
    made.load_state_dict(state)
    return made.train(model.training)


def tile(positions: Tensor, count: int) -> Tensor:
    """Repeats position embeddings [n, hidden] from the start, or cuts them, to [count, hidden]."""
    return positions[torch.arange(count) % len(positions)]
