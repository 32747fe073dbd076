"""What the benchmarks score: lengths of packed pairs, and pairs of words that have those lengths."""

import re
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

SPECIAL_TOKENS = 3
"""[CLS], and [SEP] after the prompt and after the response."""


def ragged() -> list[int]:
    """16 lengths of 20 to 2,000 tokens, log-normal around 270."""
    drawn = np.exp(np.random.default_rng(0).normal(5.6, 1.1, 16))
    return [int(n) for n in np.clip(drawn, 20, 2000)]


def group() -> list[int]:
    """One prompt of 48 tokens with 16 responses of 20 to 200, as a trainer sends them."""
    return [48 + int(n) for n in np.random.default_rng(1).integers(20, 201, 16)]


WORKLOADS = {
    "8 x 128": [128] * 8,
    "8 x 512": [512] * 8,
    "32 x 100": [100] * 32,
    "1 x 4096": [4096],
    "ragged": ragged(),
    "uniform as ragged": [sum(ragged()) // 16] * 16,
    "group of 16": group(),
}
GPU_WORKLOADS = {
    "512 x 128": [128] * 512,
    "64 x 512": [512] * 64,
    "16 x 4096": [4096] * 16,
    "ragged x 8": ragged() * 8,
}
"""Batches that fill a GPU."""


def one_token_words(tokenizer_file: Path) -> list[str]:
    """Words of the vocabulary that the tokenizer takes whole."""
    tokenizer = Tokenizer.from_file(str(tokenizer_file))
    tokenizer.no_padding()  # some files pad every text to a length of their own
    words = sorted(word for word in tokenizer.get_vocab() if re.fullmatch(r"[a-z]{4,8}", word))
    return [word for word in words if len(tokenizer.encode(word, add_special_tokens=False).ids) == 1]


def pairs(lengths: list[int], words: list[str], seed: int) -> list[tuple[str, str]]:
    """Pairs of such words; with their special tokens they have the lengths."""
    rng = np.random.default_rng(seed)
    made = []
    for length in lengths:
        text = [words[number] for number in rng.integers(0, len(words), length - SPECIAL_TOKENS)]
        made.append((" ".join(text[:8]), " ".join(text[8:])))
    return made


def required_flops(lengths: list[int], layers: int, hidden: int, inner: int, heads: int, window: int) -> int:
    """Floating-point operations that the function itself needs: no padding, no masked key, the last layer for CLS
    alone. Multiplications and additions of matrix products, two a multiply-add; softmax, norms and GELU left out.
    """
    half, total = window // 2, 0
    for n in lengths:
        position = np.arange(n)
        keys = np.minimum(n - 1, position + half) - np.maximum(0, position - half) + 1 + (position > half)
        per_token = 2 * (4 * hidden * hidden + 2 * hidden * inner)
        total += (layers - 1) * (n * per_token + int(keys.sum()) * 4 * hidden)
        # Global attention: its folded query and value over every token, then one row of dense layers in the last.
        total += layers * (n * 4 * heads * hidden + 2 * 4 * hidden * hidden) + per_token
    return total
