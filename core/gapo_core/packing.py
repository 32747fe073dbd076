"""Lists of token ids -> the arrays of the packed graph, and back.

Sequences are laid out as blocks of `block` tokens; each is padded to a multiple of the block only.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Arrays = dict[str, NDArray[np.int64]]
INPUT_NAMES = ("ids", "pos", "seg", "neighbours", "cls", "cls_of_block", "gather", "gather_mask")


def pack(sequences: Sequence[Sequence[int]], block: int, half_window: int, pad_id: int) -> Arrays:
    """Packs B sequences into NB blocks, T = NB * block tokens.

    ids [T] token ids · pos [T] position in the sequence, -1 for padding · seg [T] sequence number ·
    neighbours [NB, M] visible blocks, NB for "none", M = the widest row of this batch · cls [B] flat
    index of each CLS · cls_of_block [NB] the CLS of the block's sequence · gather, gather_mask [B, N]
    flat index of each token of a sequence and 1 where it is real, N the longest sequence.
    """
    if not sequences or any(len(tokens) == 0 for tokens in sequences):
        raise ValueError("sequences: pack takes at least one sequence, none of them empty")
    lengths = np.array([len(tokens) for tokens in sequences], np.int64)
    blocks = -(-lengths // block)
    first = np.concatenate([[0], np.cumsum(blocks)])
    total = int(first[-1])
    starts = first[:-1] * block
    columns = np.arange(int(lengths.max()), dtype=np.int64)
    mask = columns[None] < lengths[:, None]
    gather = np.where(mask, starts[:, None] + columns, starts[:, None])
    flat = gather[mask]
    ids = np.full(total * block, pad_id, np.int64)
    ids[flat] = np.concatenate([np.asarray(tokens, np.int64) for tokens in sequences])
    pos = np.full(total * block, -1, np.int64)
    pos[flat] = np.broadcast_to(columns, mask.shape)[mask]
    owner = np.repeat(np.arange(len(sequences)), blocks)
    reach = -(-half_window // block)
    width = min(int(blocks.max()), 2 * reach + 1)
    # A row is slid inwards at the ends of its sequence so that `width` columns hold every visible block.
    number = np.arange(total)
    low = np.maximum(np.minimum(number - reach, first[owner + 1] - width), first[owner])
    neighbours = low[:, None] + np.arange(width)
    neighbours = np.where(neighbours < first[owner + 1][:, None], neighbours, total)
    return {
        "ids": ids,
        "pos": pos,
        "seg": np.repeat(owner, block),
        "neighbours": neighbours,
        "cls": starts,
        "cls_of_block": starts[owner],
        "gather": gather,
        "gather_mask": mask.astype(np.int64),
    }


def unpack(arrays: Arrays) -> list[list[int]]:
    """The token ids that were packed, in order."""
    rows = zip(arrays["gather"], arrays["gather_mask"], strict=True)
    return [arrays["ids"][row[mask > 0]].tolist() for row, mask in rows]
