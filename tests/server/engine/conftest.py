"""A bundle with random weights, wide enough that a batch's memory shows."""

import pytest
import torch
from gapo_core.bundle import Bundle, load
from gapo_export.publish import export_checkpoint
from gapo_model.checkpoint import save_checkpoint
from gapo_model.packed_longformer import LongformerShape, PackedLongformer
from tokenizers import Tokenizer, models, pre_tokenizers

SHAPE = LongformerShape(
    vocab_size=60,
    hidden_size=256,
    num_hidden_layers=2,
    num_attention_heads=8,
    intermediate_size=1024,
    attention_window=(256, 256),
    max_position_embeddings=1025,
    pad_token_id=0,
)


@pytest.fixture(scope="session")
def bundle(tmp_path_factory) -> Bundle:
    torch.manual_seed(0)
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *(f"w{i}" for i in range(56))]
    tokenizer = Tokenizer(models.WordLevel({w: i for i, w in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    checkpoint = tmp_path_factory.mktemp("checkpoint")
    save_checkpoint(PackedLongformer(SHAPE), checkpoint, tokenizer.to_str())
    return load(export_checkpoint(checkpoint, tmp_path_factory.mktemp("store"), "wide", "1"))
