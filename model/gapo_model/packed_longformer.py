"""Longformer for sequence classification on packed tokens: exact, linear layers see no padding at all.

Parameter names are those of Hugging Face's `LongformerForSequenceClassification`, so its checkpoints
load unchanged. Global attention is on CLS only. T tokens of B sequences; attention in G blocks of b queries
and K keys (see `gapo_core.packing.pack`); h heads of d.
"""

import math
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

MASKED = -6e4  # within the range of fp16


@dataclass(frozen=True)
class LongformerShape:
    """The part of a Hugging Face Longformer config that the packed model needs."""

    vocab_size: int
    hidden_size: int
    num_hidden_layers: int
    num_attention_heads: int
    intermediate_size: int
    attention_window: tuple[int, ...]
    max_position_embeddings: int
    type_vocab_size: int = 1
    num_labels: int = 1
    pad_token_id: int = 1
    layer_norm_eps: float = 1e-12
    hidden_dropout_prob: float = 0.1

    @property
    def max_tokens(self) -> int:
        """Longest sequence in tokens, special tokens included."""
        return self.max_position_embeddings - self.pad_token_id - 1


class _Embeddings(nn.Module):
    def __init__(self, shape: LongformerShape) -> None:
        super().__init__()
        self.word_embeddings = nn.Embedding(shape.vocab_size, shape.hidden_size, shape.pad_token_id)
        self.position_embeddings = nn.Embedding(shape.max_position_embeddings, shape.hidden_size)
        self.token_type_embeddings = nn.Embedding(shape.type_vocab_size, shape.hidden_size)
        self.LayerNorm = nn.LayerNorm(shape.hidden_size, eps=shape.layer_norm_eps)
        self.offset = shape.pad_token_id + 1

    def forward(self, ids: Tensor, pos: Tensor) -> Tensor:
        x = self.word_embeddings(ids) + self.position_embeddings(pos + self.offset)
        return cast(Tensor, self.LayerNorm(x + self.token_type_embeddings.weight[0]))


class SelfAttention(nn.Module):
    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.query = nn.Linear(hidden, hidden)
        self.key = nn.Linear(hidden, hidden)
        self.value = nn.Linear(hidden, hidden)
        self.query_global = nn.Linear(hidden, hidden)
        self.key_global = nn.Linear(hidden, hidden)
        self.value_global = nn.Linear(hidden, hidden)


class _Residual(nn.Module):
    """Dense, dropout, then LayerNorm over the sum with the residual."""

    def __init__(self, inner: int, hidden: int, eps: float, dropout: float) -> None:
        super().__init__()
        self.dense = nn.Linear(inner, hidden)
        self.LayerNorm = nn.LayerNorm(hidden, eps=eps)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, residual: Tensor) -> Tensor:
        return cast(Tensor, self.LayerNorm(self.dropout(self.dense(x)) + residual))


class _Attention(nn.Module):
    def __init__(self, shape: LongformerShape) -> None:
        super().__init__()
        hidden = shape.hidden_size
        self.add_module("self", SelfAttention(hidden))
        self.output = _Residual(hidden, hidden, shape.layer_norm_eps, shape.hidden_dropout_prob)


class _Intermediate(nn.Module):
    def __init__(self, shape: LongformerShape) -> None:
        super().__init__()
        self.dense = nn.Linear(shape.hidden_size, shape.intermediate_size)


class _Layer(nn.Module):
    def __init__(self, shape: LongformerShape) -> None:
        super().__init__()
        self.attention = _Attention(shape)
        self.intermediate = _Intermediate(shape)
        self.output = _Residual(
            shape.intermediate_size, shape.hidden_size, shape.layer_norm_eps, shape.hidden_dropout_prob
        )


class _Encoder(nn.Module):
    def __init__(self, shape: LongformerShape) -> None:
        super().__init__()
        self.layer = nn.ModuleList(_Layer(shape) for _ in range(shape.num_hidden_layers))


class _Longformer(nn.Module):
    def __init__(self, shape: LongformerShape) -> None:
        super().__init__()
        self.embeddings = _Embeddings(shape)
        self.encoder = _Encoder(shape)


class _Head(nn.Module):
    def __init__(self, shape: LongformerShape) -> None:
        super().__init__()
        self.dense = nn.Linear(shape.hidden_size, shape.hidden_size)
        self.out_proj = nn.Linear(shape.hidden_size, shape.num_labels)
        self.dropout = nn.Dropout(shape.hidden_dropout_prob)

    def forward(self, at_cls: Tensor) -> Tensor:
        hidden = self.dropout(torch.tanh(self.dense(self.dropout(at_cls))))
        return cast(Tensor, self.out_proj(hidden))


@dataclass(frozen=True)
class Layout:
    """What `gapo_core.packing.pack` says of blocks, for every layer; `absent` [G, 1, b] masks missing queries."""

    queries: Tensor
    keys: Tensor
    slots: Tensor
    cls: Tensor
    owner: Tensor
    member: Tensor
    absent: Tensor


class PackedLongformer(nn.Module):
    """Forward and backward over packed arrays; returns logits [B, num_labels].

    Works under bf16 autocast. `gradient_checkpointing` keeps only the layers' inputs for the backward pass.
    `block` is the size of attention blocks to pack for.
    """

    def __init__(self, shape: LongformerShape, block: int = 64) -> None:
        super().__init__()
        self.shape, self.block = shape, block
        self.gradient_checkpointing = False
        self.heads, self.hidden = shape.num_attention_heads, shape.hidden_size
        self.head_dim = self.hidden // self.heads
        self.half_windows = [window // 2 for window in shape.attention_window]
        self.longformer = _Longformer(shape)
        self.classifier = _Head(shape)
        for module in self.modules():
            if isinstance(module, nn.Linear | nn.Embedding):
                nn.init.normal_(module.weight, std=0.02)
            if isinstance(module, nn.Linear):
                nn.init.zeros_(module.bias)

    def forward(
        self,
        ids: Tensor,
        pos: Tensor,
        queries: Tensor,
        query_pos: Tensor,
        keys: Tensor,
        key_pos: Tensor,
        slots: Tensor,
        cls: Tensor,
        owner: Tensor,
        member: Tensor,
    ) -> Tensor:
        x = self.longformer.embeddings(ids, pos)  # [T, hidden]
        # Masks depend on the window only, so layers of one window share one.
        bands = {half: _band(query_pos, key_pos, half) for half in set(self.half_windows)}
        absent = (query_pos < 0).to(torch.float32)[:, None] * MASKED  # [G, 1, b]
        at = Layout(queries, keys, slots, cls, owner, member.to(torch.float32), absent)
        last = len(self.half_windows) - 1
        for depth, module in enumerate(self.longformer.encoder.layer):
            layer, band = cast(_Layer, module), bands[self.half_windows[depth]]
            if self.gradient_checkpointing and torch.is_grad_enabled():
                x = checkpoint(self._layer, layer, x, band, at, depth == last, use_reentrant=False)
            else:
                x = self._layer(layer, x, band, at, depth == last)
        return cast(Tensor, self.classifier(x)).float()

    def _layer(self, layer: _Layer, x: Tensor, band: Tensor, at: Layout, last: bool) -> Tensor:
        """[T, hidden] -> [T, hidden]; the last layer gives [B, hidden], as the classifier reads CLS only."""
        attention = cast(SelfAttention, layer.attention.self)
        at_cls = x[at.cls]
        mixed = self._from_cls(attention, at_cls, F.embedding(at.queries, x), at)
        if last:
            x = at_cls
        else:
            local = self._banded(attention, x, band, at)
            mixed = local.index_copy(0, at.cls, mixed.to(local.dtype))
        x = layer.attention.output(mixed, x)
        return cast(Tensor, layer.output(F.gelu(layer.intermediate.dense(x)), x))

    def _banded(self, attention: SelfAttention, x: Tensor, band: Tensor, at: Layout) -> Tensor:
        """Sliding-window attention. [T, hidden] -> [T, hidden]"""
        # F.embedding: its backward is several times faster than that of indexing.
        q, k, v = (
            F.embedding(rows, linear(x)).unflatten(-1, (self.heads, self.head_dim)).transpose(1, 2)
            for rows, linear in ((at.queries, attention.query), (at.keys, attention.key), (at.keys, attention.value))
        )
        mixed = F.scaled_dot_product_attention(q, k, v, band.to(q.dtype))  # [G, h, b, d]
        return F.embedding(at.slots, mixed.transpose(1, 2).reshape(-1, self.hidden))

    def _from_cls(self, attention: SelfAttention, at_cls: Tensor, tokens: Tensor, at: Layout) -> Tensor:
        """CLS attends to its whole sequence, block by block; [B, hidden] from tokens [G, b, hidden].

        Key and value projections are folded into the one query; the key bias is constant in the softmax
        and drops out. The softmax runs over the blocks of a sequence together.
        """
        h, d, hidden = self.heads, self.head_dim, self.hidden
        q = (attention.query_global(at_cls) / math.sqrt(d)).view(-1, h, 1, d)
        folded = (q @ attention.key_global.weight.view(1, h, d, hidden)).view(-1, h, hidden)  # [B, h, hidden]
        scores = folded[at.owner] @ tokens.transpose(1, 2) + at.absent  # [G, h, b]
        peaks = scores.detach().amax(-1)
        peak = torch.where(at.member[..., None] > 0, peaks, MASKED).amax(1)  # [B, h]
        weights = torch.exp(scores - peak[at.owner][..., None])
        total = at.member @ weights.sum(-1)  # [B, h]
        weights = weights / total[at.owner][..., None]
        parts = (weights.to(tokens.dtype) @ tokens).flatten(1)  # [G, h * hidden]
        context = at.member.to(parts.dtype) @ parts
        out = attention.value_global.weight.view(1, h, d, hidden) @ context.view(-1, h, hidden, 1)
        return out.reshape(-1, hidden) + attention.value_global.bias


def _band(query_pos: Tensor, key_pos: Tensor, half: int) -> Tensor:
    """0 where a query sees a key (CLS, or within `half`) and MASKED elsewhere. [G, 1, b, K]"""
    key = key_pos[:, None]
    near = (key - query_pos[..., None]).abs() <= half
    visible = (near & (key >= 0)) | (key == 0)
    return (~visible).to(torch.float32)[:, None] * MASKED
