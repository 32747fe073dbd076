"""Reward models of two architectures behind one interface: the packed Longformer, and a decoder to compare it with.

Both read the ids of `gapo_core.pairs`, with the same tokenizer, and give one logit a pair. Only the Longformer is
exported and served.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from gapo_core.packing import pack
from gapo_model.checkpoint import load_checkpoint, save_checkpoint
from gapo_model.packed_longformer import PackedLongformer
from torch import Tensor, nn
from transformers import Qwen2Config, Qwen2ForSequenceClassification


@dataclass(frozen=True)
class DecoderShape:
    max_tokens: int  # longest pair


class DecoderRewardModel(nn.Module):
    """Qwen2 with a linear head on the last token; padding is token 0, on the right."""

    def __init__(self, classifier: Any) -> None:
        super().__init__()
        self.classifier = classifier
        self.shape = DecoderShape(classifier.config.max_position_embeddings)

    def forward(self, ids: Tensor) -> Tensor:
        """ids [B, L] to logits [B, 1]. A token never looks to its right, so that padding needs no mask."""
        logits: Tensor = self.classifier(input_ids=ids, use_cache=False).logits
        return logits


Discriminator = PackedLongformer | DecoderRewardModel


def decoder(
    vocab_size: int, hidden_size: int, layers: int, heads: int, max_tokens: int, parameters: int
) -> DecoderRewardModel:
    """An untrained decoder; its feed-forward width brings it as near to `parameters` as a whole number does.

    Raises `ValueError` when even a width of 1 exceeds them.
    """

    def of(width: int) -> DecoderRewardModel:
        config = Qwen2Config(
            vocab_size=vocab_size,
            hidden_size=hidden_size,
            num_hidden_layers=layers,
            num_attention_heads=heads,
            num_key_value_heads=heads,
            intermediate_size=width,
            max_position_embeddings=max_tokens,
            num_labels=1,
            pad_token_id=0,
            bos_token_id=None,
            eos_token_id=None,
        )
        return DecoderRewardModel(Qwen2ForSequenceClassification(config))

    with torch.device("meta"):
        narrow, wider = (count(of(width)) for width in (1, 2))
    width = 1 + round((parameters - narrow) / (wider - narrow))
    if width < 1:
        raise ValueError(f"parameters: {parameters:,} are fewer than a decoder's least, {narrow:,}; use fewer layers")
    return of(width)


def count(model: nn.Module) -> int:
    """Parameters."""
    return sum(parameter.numel() for parameter in model.parameters())


def tensors(model: Discriminator, ids: Sequence[Sequence[int]], device: torch.device) -> list[Tensor]:
    """A batch of encoded pairs as the model's arguments, in their order."""
    if isinstance(model, DecoderRewardModel):
        longest = max(map(len, ids))
        return [torch.tensor([[*row, *[0] * (longest - len(row))] for row in ids], device=device)]
    arrays = pack(ids, model.block, max(model.half_windows))
    return [torch.from_numpy(array).to(device) for array in arrays.values()]


def is_decoder(directory: Path) -> bool:
    """Whether the checkpoint folder holds a decoder."""
    settings = json.loads((directory / "config.json").read_text(encoding="utf-8"))
    return bool(settings.get("model_type") == "qwen2")


def load(directory: Path, fresh_head: bool = False) -> Discriminator:
    """The reward model of a checkpoint folder of either architecture, without network; see `load_checkpoint`."""
    if not is_decoder(directory):
        return one_logit(load_checkpoint(directory, fresh_head=fresh_head))
    return DecoderRewardModel(Qwen2ForSequenceClassification.from_pretrained(directory, local_files_only=True))


def one_logit(model: PackedLongformer) -> PackedLongformer:
    """The model. Raises `ValueError` for a classifier of several labels."""
    if model.shape.num_labels != 1:
        raise ValueError(
            f"the head has {model.shape.num_labels} labels, and a reward model has one; take the classifier's weights "
            "out of the checkpoint to train a fresh one"
        )
    return model


def save(model: Discriminator, directory: Path, tokenizer: str) -> None:
    """Writes a folder that `load` and transformers read; `tokenizer` is the text of a tokenizer.json."""
    if isinstance(model, PackedLongformer):
        save_checkpoint(model, directory, tokenizer)
        return
    model.classifier.save_pretrained(directory)
    (directory / "tokenizer.json").write_text(tokenizer, encoding="utf-8")


def constant_in_loss(model: Discriminator) -> list[str]:
    """Names of parameters that no logit depends on, so that no gradient can reach them.

    The encoder's last layer needs CLS alone, not its local attention; key biases of its global attention cancel in the
    softmax. A decoder has none.
    """
    if isinstance(model, DecoderRewardModel):
        return []
    last = model.shape.num_hidden_layers - 1
    local = tuple(f"encoder.layer.{last}.attention.self.{part}." for part in ("query", "key", "value"))
    return [
        name
        for name, _ in model.named_parameters()
        if any(part in name for part in local) or name.endswith("key_global.bias")
    ]


def freeze(model: Discriminator) -> None:
    """For the PPO phase: no gradients, no dropout."""
    model.requires_grad_(False)
    model.eval()


def thaw(model: Discriminator) -> None:
    """For the reward model's phase: gradients wherever the loss can reach."""
    constant = set(constant_in_loss(model))
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(name not in constant)
    model.train()
