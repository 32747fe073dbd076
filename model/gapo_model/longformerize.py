"""Turns a BERT checkpoint into a Longformer, as Longformer itself was made from RoBERTa.

Positions are tiled to the new length and global projections copied from the local ones
(Beltagy et al. 2020, section 5).
"""

import json
from pathlib import Path

import torch
from safetensors.torch import load_file

from gapo_model.packed_longformer import LongformerShape, PackedLongformer


def longformerize(directory: str | Path, max_tokens: int = 4096, window: int = 256) -> PackedLongformer:
    """Reads config.json and model.safetensors of a BERT encoder; the classifier head is fresh."""
    directory = Path(directory)
    config = json.loads((directory / "config.json").read_text(encoding="utf-8"))
    if config.get("model_type") != "bert":
        raise ValueError(f"{directory / 'config.json'}: model_type {config.get('model_type')!r} is not 'bert'")
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
        name = "longformer." + name.removeprefix("bert.")
        if name.endswith("position_embeddings.weight"):
            rows = torch.arange(max_tokens) % len(tensor)
            state[name][pad + 1 :] = tensor[rows]
        elif name in state:
            state[name] = tensor
            for part in ("query", "key", "value"):
                copied = name.replace(f"self.{part}.", f"self.{part}_global.")
                if copied != name:
                    state[copied] = tensor.clone()
    model.load_state_dict(state)
    return model
