"""Longformer for sequence classification on packed blocks: exact, no padding beyond a block.

Parameter names are those of Hugging Face's `LongformerForSequenceClassification`, so its checkpoints
load unchanged. Global attention is on CLS only. T tokens in NB blocks of b, B sequences, N the longest
sequence, M neighbour blocks (see `gapo_core.packing.pack`).
"""

import math
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

MASKED = -1e9


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
        x = self.word_embeddings(ids) + self.position_embeddings(pos.clamp(min=0) + self.offset)
        return cast(Tensor, self.LayerNorm(x + self.token_type_embeddings.weight[0]))


class _SelfAttention(nn.Module):
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
        self.add_module("self", _SelfAttention(hidden))
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


class PackedLongformer(nn.Module):
    """Forward and backward over packed arrays; returns logits [B, num_labels]."""

    def __init__(self, shape: LongformerShape, block: int = 32) -> None:
        super().__init__()
        self.shape, self.block = shape, block
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
        seg: Tensor,
        neighbours: Tensor,
        cls: Tensor,
        cls_of_block: Tensor,
        gather: Tensor,
        gather_mask: Tensor,
    ) -> Tensor:
        x = self.longformer.embeddings(ids, pos)  # [T, hidden]
        # Masks depend on the window only, so layers of one window share one.
        bands = {half: self._band(pos, seg, neighbours, half) for half in set(self.half_windows)}
        global_bias = ((1 - gather_mask).to(x.dtype) * MASKED)[:, None]  # [B, 1, N]
        layers = self.longformer.encoder.layer
        for depth, module in enumerate(layers):
            layer = cast(_Layer, module)
            attention = cast(_SelfAttention, layer.attention.self)
            at_cls = x[cls]
            mixed = self._from_cls(attention, at_cls, x[gather], global_bias)
            if depth == len(layers) - 1:  # the classifier reads CLS only
                x = at_cls
            else:
                local = self._banded(attention, x, bands[self.half_windows[depth]], neighbours, cls_of_block)
                mixed = local.scatter(0, cls[:, None].expand(-1, self.hidden), mixed.to(local.dtype))
            x = layer.attention.output(mixed, x)
            x = layer.output(F.gelu(layer.intermediate.dense(x)), x)
        return cast(Tensor, self.classifier(x))

    def _band(self, pos: Tensor, seg: Tensor, neighbours: Tensor, half: int) -> Tensor:
        """0 where a query sees a key and MASKED elsewhere, CLS column first. [NB, 1, b, 1 + M*b]"""
        pos, seg = pos.view(-1, self.block), seg.view(-1, self.block)
        none = torch.full_like(pos[:1], -1)
        rows = neighbours.shape[0]
        key_pos = torch.cat([pos, none])[neighbours].reshape(rows, 1, -1)
        key_seg = torch.cat([seg, none])[neighbours].reshape(rows, 1, -1)
        near = (key_pos - pos[:, :, None]).abs() <= half
        # CLS (position 0) has its own column; padding is -1.
        hidden = ~(near & (key_seg == seg[:, :, None]) & (key_pos > 0))
        bias = hidden.to(torch.float32) * MASKED
        return torch.cat([torch.zeros_like(bias[:, :, :1]), bias], -1)[:, None]

    def _banded(
        self, attention: _SelfAttention, x: Tensor, band: Tensor, neighbours: Tensor, cls_of_block: Tensor
    ) -> Tensor:
        """Sliding-window attention. [T, hidden] -> [T, hidden]"""
        q = (attention.query(x) / math.sqrt(self.head_dim)).view(-1, self.block, self.heads, self.head_dim)
        k = self._seen(attention.key(x), neighbours, cls_of_block)
        v = self._seen(attention.value(x), neighbours, cls_of_block)
        weights = F.softmax(q.transpose(1, 2) @ k.transpose(-1, -2) + band, -1)
        return (weights.to(v.dtype) @ v).transpose(1, 2).reshape(-1, self.hidden)

    def _seen(self, t: Tensor, neighbours: Tensor, cls_of_block: Tensor) -> Tensor:
        """Keys or values that each block sees: CLS, then its neighbours. [NB, heads, 1 + M*b, head_dim]"""
        blocks = t.view(-1, self.block * self.hidden)
        rows = torch.cat([blocks, torch.zeros_like(blocks[:1])])
        count = neighbours.shape[0]
        seen = rows[neighbours].view(count, -1, self.heads, self.head_dim)
        cls = t[cls_of_block].view(count, 1, self.heads, self.head_dim)
        return torch.cat([cls, seen], 1).transpose(1, 2)

    def _from_cls(self, attention: _SelfAttention, at_cls: Tensor, tokens: Tensor, bias: Tensor) -> Tensor:
        """CLS attends to its whole sequence; key and value projections are folded into the one query.

        The key bias is constant in the softmax and drops out. [B, hidden]
        """
        h, d, hidden = self.heads, self.head_dim, self.hidden
        q = (attention.query_global(at_cls) / math.sqrt(d)).view(-1, h, 1, d)
        key = attention.key_global.weight.view(1, h, d, hidden)
        folded = (q @ key).squeeze(2)  # [B, heads, hidden]
        weights = F.softmax(folded @ tokens.transpose(1, 2) + bias, -1)
        context = weights.to(tokens.dtype) @ tokens  # [B, heads, hidden]
        value = attention.value_global.weight.view(1, h, d, hidden)
        out = (value @ context[..., None]).squeeze(-1)
        return out.reshape(-1, hidden) + attention.value_global.bias
