"""Lists of token ids -> the arrays of the packed graph, and back.

Tokens of all sequences stand in one row without padding. Attention alone works on blocks: a block is up to
`block` consecutive tokens of one sequence, with the keys that they may see.
"""

from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

Arrays = dict[str, NDArray[np.int64]]
INPUT_NAMES = ("ids", "pos", "queries", "query_pos", "keys", "key_pos", "slots", "cls", "owner", "member")


def pack(sequences: Sequence[Sequence[int]], block: int, half_window: int) -> Arrays:
    """Packs B sequences, T tokens in all, for attention in G blocks of b queries and K keys.

    ids, pos [T] token id and its position in its sequence · queries [G, b], keys [G, K] index of a token in ids,
    0 for "none" · query_pos [G, b], key_pos [G, K] its position, -1 for "none" · slots [T] where each token is in
    queries, flattened · cls [B] index of each CLS · owner [G] the sequence of each block · member [B, G] 1 where a
    block is a sequence's. b and K are no larger than this batch needs: b = `block` or the longest sequence's even
    share, K = the longest sequence or b + 2 * `half_window` + 1 (CLS is every token's key).
    """
    if not sequences or any(len(tokens) == 0 for tokens in sequences):
        raise ValueError("sequences: pack takes at least one sequence, none of them empty")
    lengths = np.array([len(tokens) for tokens in sequences], np.int64)
    starts = np.cumsum(lengths) - lengths
    longest = int(lengths.max())
    b = -(-longest // -(-longest // block))
    width = min(longest, b + 2 * half_window + 1)
    blocks = -(-lengths // b)
    owner = np.repeat(np.arange(len(lengths)), blocks)
    first = (np.arange(len(owner)) - np.repeat(np.cumsum(blocks) - blocks, blocks)) * b  # position of a block's start
    n, start = lengths[owner][:, None], starts[owner][:, None]
    query_pos = first[:, None] + np.arange(b)
    # CLS, then a window that is slid inwards at the ends of its sequence, so that no other key appears twice.
    low = np.clip(first - half_window, 1, np.maximum(1, lengths[owner] - width + 1))
    key_pos = np.concatenate([np.zeros_like(low)[:, None], low[:, None] + np.arange(width - 1)], 1)
    real = query_pos < n
    query_pos, key_pos = np.where(real, query_pos, -1), np.where(key_pos < n, key_pos, -1)
    return {
        "ids": np.concatenate([np.asarray(tokens, np.int64) for tokens in sequences]),
        "pos": query_pos[real],
        "queries": np.where(real, start + query_pos, 0),
        "query_pos": query_pos,
        "keys": np.where(key_pos >= 0, start + key_pos, 0),
        "key_pos": key_pos,
        "slots": np.flatnonzero(real),
        "cls": starts,
        "owner": owner,
        "member": (owner == np.arange(len(lengths))[:, None]).astype(np.int64),
    }


def runs(lengths: Sequence[int], max_tokens: int) -> list[list[int]]:
    """Parts a batch by length: indices of each run, at most `max_tokens` tokens of it (a longer one comes alone).

    Sequences of like length share a run, so that blocks and key widths fit them all.
    """
    parted: list[list[int]] = []
    used = 0
    for index in sorted(range(len(lengths)), key=lengths.__getitem__):
        if not parted or used + lengths[index] > max_tokens:
            parted.append([])
            used = 0
        parted[-1].append(index)
        used += lengths[index]
    return parted


def shares(lengths: Sequence[int], workers: int, tokens: int) -> list[list[int]]:
    """Parts a batch by length for `workers` that run at once: indices of each run, the run of most tokens first.

    The number of runs is a multiple of `workers`, or less for want of sequences, that brings a run nearest to
    `tokens`. One of several sequences holds less than three times `tokens`.
    """
    order = sorted(range(len(lengths)), key=lengths.__getitem__)
    ends = np.cumsum([lengths[index] for index in order])
    total = int(ends[-1])
    count = workers * max(1, round(total / (workers * tokens)))
    parted: dict[int, list[int]] = {}
    for index, end in zip(order, ends.tolist(), strict=True):
        # A sequence belongs to the share that holds its middle.
        parted.setdefault((2 * end - lengths[index]) * count // (2 * total), []).append(index)
    return sorted(parted.values(), key=lambda run: -sum(lengths[index] for index in run))


def score_runs(
    forward: Callable[[Arrays], NDArray[np.float32]],
    sequences: Sequence[Sequence[int]],
    block: int,
    half_window: int,
    max_tokens: int,
) -> NDArray[np.float32]:
    """Logits [B, labels] of B sequences, in order; `forward` sees one of their `runs` after the other, packed."""
    return score_parted(forward, sequences, block, half_window, runs(list(map(len, sequences)), max_tokens))


def score_parted(
    forward: Callable[[Arrays], NDArray[np.float32]],
    sequences: Sequence[Sequence[int]],
    block: int,
    half_window: int,
    parted: Sequence[Sequence[int]],
    apply: Callable[..., Iterable[NDArray[np.float32]]] = map,
) -> NDArray[np.float32]:
    """The same for runs that are parted already; `apply` is a `map`, such as that of a pool of threads."""

    def score(run: Sequence[int]) -> NDArray[np.float32]:
        return forward(pack([sequences[i] for i in run], block, half_window))

    return np.concatenate(list(apply(score, parted)))[np.argsort(np.concatenate(parted))]


def unpack(arrays: Arrays) -> list[list[int]]:
    """The token ids that were packed, in order."""
    return [ids.tolist() for ids in np.split(arrays["ids"], arrays["cls"][1:])]
