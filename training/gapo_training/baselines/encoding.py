"""Token rows of preferences: which tokens a method trains on, and the batches that TRL's losses expect."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import torch
from torch import Tensor

from gapo_training.baselines.config import BaselineConfig, Form
from gapo_training.gapo.config import ConfigError
from gapo_training.gapo.generator import Speech
from gapo_training.preferential import Preference

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Branch:
    """`ids` of prompt and response; the loss is over the tokens from place `start` on."""

    ids: list[int]
    start: int


def branches(pair: Preference, speech: Speech, form: Form) -> tuple[Branch, Branch]:
    """The accepted and the rejected branch.

    `masked`: each branch's loss begins at its own response. `naive`: it begins where the token rows part, as in a
    trainer that takes their common prefix for the prompt, so prompt tokens behind that place are trained on.
    """
    starts, rows = [], []
    for prompt, response in pair.rows:
        ids = speech.prompt(prompt)
        starts.append(len(ids))
        rows.append([*ids, *speech.response(response)])
    if form == "naive":
        shared = next((i for i, (a, b) in enumerate(zip(*rows, strict=False)) if a != b), min(map(len, rows)))
        starts = [shared, shared]
    return Branch(rows[0], starts[0]), Branch(rows[1], starts[1])


def order(count: int, config: BaselineConfig) -> list[int]:
    """Which pair each place of the run takes: a new permutation every epoch, `steps` times `rows` places in all."""
    places: list[int] = []
    epoch = 0
    while len(places) < config.steps * config.rows:
        places += Random(f"{config.seed}/baseline/{epoch}").sample(range(count), count)
        epoch += 1
    return places[: config.steps * config.rows]


def encode(
    pairs: Sequence[Preference], speech: Speech, config: BaselineConfig, positions: int
) -> list[tuple[Branch, Branch]]:
    """All pairs as branches. Raises `ConfigError` where a row is longer than the generator's `positions`."""
    encoded = [branches(pair, speech, config.form) for pair in pairs]
    longest = max(len(branch.ids) for both in encoded for branch in both)
    if longest > positions:
        raise ConfigError(
            f"generator: a row of {longest} tokens does not fit its {positions} positions; lower data.most_attributes "
            "or start from a generator with more"
        )
    return encoded


def unpaired(both: Sequence[tuple[Branch, Branch]], places: Sequence[int], rows: int) -> Iterator[dict[str, Any]]:
    """KTO's rows in order: those of a step are its accepted branches, then its rejected ones.

    KTO estimates its reference point from mismatched prompts and responses of the batch. TRL gives each prompt its
    neighbour's response; were a pair's branches neighbours, half of those would be the matching response.
    """
    for first in range(0, len(places), rows):
        step = [both[i] for i in places[first : first + rows]]
        batch = [(b, True) for b, _ in step] + [(b, False) for _, b in step]
        for place, (branch, label) in enumerate(batch):
            other = batch[place - 1][0]
            yield {
                "prompt_ids": branch.ids[: branch.start],
                "completion_ids": branch.ids[branch.start :],
                "KL_completion_ids": other.ids[other.start :],
                "label": label,
            }


def paired(both: Sequence[tuple[Branch, Branch]], places: Sequence[int]) -> Iterator[dict[str, Any]]:
    """Rows of the pairwise methods in order, for `Concatenated` or `Separate`."""
    for accepted, rejected in (both[i] for i in places):
        yield {
            "accepted_ids": accepted.ids,
            "accepted_start": accepted.start,
            "rejected_ids": rejected.ids,
            "rejected_start": rejected.start,
        }


def padded(ids: Sequence[Sequence[int]], starts: Sequence[int], pad: int) -> tuple[Tensor, Tensor, Tensor]:
    """B rows padded on the right: ids [B, L], mask [B, L] of real tokens, mask [B, L] of tokens in the loss."""
    longest = max(map(len, ids))
    tokens = torch.tensor([[*row, *[pad] * (longest - len(row))] for row in ids])
    place = torch.arange(longest)[None]
    real = place < torch.tensor([len(row) for row in ids])[:, None]
    return tokens, real.long(), (real & (place >= torch.tensor(starts)[:, None])).long()


@dataclass(frozen=True)
class Concatenated:
    """Batches of TRL's DPO: all accepted branches above all rejected ones, [2B, L] each."""

    pad: int

    def __call__(self, rows: Sequence[Row]) -> dict[str, Tensor]:
        ids = [row[f"{side}_ids"] for side in ("accepted", "rejected") for row in rows]
        starts = [row[f"{side}_start"] for side in ("accepted", "rejected") for row in rows]
        tokens, real, trained = padded(ids, starts, self.pad)
        return {"input_ids": tokens, "attention_mask": real, "completion_mask": trained}


@dataclass(frozen=True)
class Separate:
    """Batches of TRL's CPO and ORPO: `chosen_…` and `rejected_…`, [B, L] each; labels are -100 outside the loss."""

    pad: int

    def __call__(self, rows: Sequence[Row]) -> dict[str, Tensor]:
        batch: dict[str, Tensor] = {}
        for side, name in (("accepted", "chosen"), ("rejected", "rejected")):
            tokens, real, trained = padded(
                [row[f"{side}_ids"] for row in rows], [row[f"{side}_start"] for row in rows], self.pad
            )
            batch |= {f"{name}_input_ids": tokens, f"{name}_attention_mask": real}
            batch[f"{name}_labels"] = tokens.masked_fill(trained == 0, -100)
        return batch
