"""A small random reward model."""

import pytest
import torch
from gapo_model.checkpoint import save_checkpoint
from gapo_model.packed_longformer import LongformerShape, PackedLongformer
from tokenizers import Tokenizer, models, pre_tokenizers

SHAPE = LongformerShape(
    vocab_size=60,
    hidden_size=32,
    num_hidden_layers=3,
    num_attention_heads=4,
    intermediate_size=64,
    attention_window=(64, 128, 64),
    max_position_embeddings=1025,
    pad_token_id=0,
)


@pytest.fixture(scope="session")
def small_checkpoint(tmp_path_factory):
    """Three layers with windows of their own; 1,024 tokens; words w0 … w55."""
    torch.manual_seed(0)
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *(f"w{i}" for i in range(56))]
    tokenizer = Tokenizer(models.WordLevel({w: i for i, w in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    model = PackedLongformer(SHAPE)
    for parameter in model.parameters():
        if parameter.dim() > 1:  # wide enough that positions and windows show in the score
            torch.nn.init.normal_(parameter, std=0.2)
    path = tmp_path_factory.mktemp("small")
    save_checkpoint(model, path, tokenizer.to_str())
    return path
