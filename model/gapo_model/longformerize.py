"""Turns a BERT or RoBERTa checkpoint into a Longformer, and lengthens a Longformer, as Longformer itself was made.

Positions are tiled to the new length and global projections copied from the local ones
(Beltagy et al. 2020, section 5).
"""

import json
from dataclasses import replace
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from gapo_model.packed_longformer import LongformerShape, PackedLongformer

POSITIONS = "longformer.embeddings.position_embeddings.weight"


def longformerize(directory: str | Path, max_tokens: int = 4096, window: int = 256) -> PackedLongformer:
    """Reads config.json and model.safetensors of a BERT or RoBERTa encoder; the classifier head is fresh.

    Raises `ValueError` for another model type.
    """
    directory = Path(directory)
    config = json.loads((directory / "config.json").read_text(encoding="utf-8"))
    kind = config.get("model_type")
    if kind not in ("bert", "roberta"):
        raise ValueError(f"{directory / 'config.json'}: model_type {kind!r} is neither 'bert' nor 'roberta'")
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
    for name, tensor in load_file(directory / "model.safetensors").items():
        name = "longformer." + name.removeprefix(f"{kind}.")
        if name == POSITIONS:
            # RoBERTa counts its positions from pad + 1, as Longformer does; BERT from 0.
            first = pad + 1 if kind == "roberta" else 0
            state[name] = torch.cat([state[name][: pad + 1], tile(tensor[first:], max_tokens)])
        elif name in state:
            state[name] = tensor
            for part in ("query", "key", "value"):
                copied = name.replace(f"self.{part}.", f"self.{part}_global.")
                if copied != name:
                    state[copied] = tensor.clone()
    model.load_state_dict(state)
    return model


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
