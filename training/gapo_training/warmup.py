"""Warm-up of the reward model: binary cross-entropy on preferential prompts (GAPO paper, section 3)."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import Literal

import numpy as np
import torch
from accelerate import Accelerator
from gapo_core.pairs import PairEncoder, TruncationPolicy
from torch.nn import functional as F

from gapo_training import discriminator
from gapo_training.discriminator import Discriminator, thaw
from gapo_training.distributed import accumulating, clip, full_optimizer_state, prepare, restore, share_of
from gapo_training.evaluate import report, score
from gapo_training.preferential import Preference, PreferentialPrompt

Progress = Callable[[int, float], None]
Figures = Callable[[int, dict[str, float]], None]


@dataclass(frozen=True)
class WarmupConfig:
    """`gapo train rm`; one field a setting."""

    steps: int = 600  # optimiser steps
    pairs_per_step: int = 16  # each pair gives one accepted and one rejected row
    accumulate: int = 1  # micro-batches a step
    optimizer: Literal["adamw", "muon"] = "adamw"  # muon: a model from random weights learns in a third of the steps
    learning_rate: float = 8e-5  # peak, reached after the warm-up
    warmup_steps: int = 50
    weight_decay: float = 0.01
    clip_norm: float = 1.0
    max_tokens: int = 512  # longest training row; longer ones keep both ends
    checkpoint_every: int = 200
    evaluate_every: int = 200  # steps between evaluations on the held-out pairs; 0 for none
    seed: int = 0

    def __post_init__(self) -> None:
        """Raises `ValueError` naming the field."""
        for name, least in (("steps", 0), ("pairs_per_step", 1), ("accumulate", 1), ("checkpoint_every", 1)):
            if (number := getattr(self, name)) < least:
                raise ValueError(f"{name}: {number} is below {least}")

    def for_processes(self, count: int) -> None:
        """Raises `ValueError` where some of `count` processes would have no row of a batch."""
        if 2 * self.pairs_per_step < count:
            raise ValueError(f"pairs_per_step: {self.pairs_per_step} leave some of {count} processes no row; raise it")


def learning_rate_factor(config: WarmupConfig, step: int) -> float:
    """Linear warm-up, then linear decay to zero."""
    if step < config.warmup_steps:
        return (step + 1) / config.warmup_steps
    return max(0.0, (config.steps - step) / max(1, config.steps - config.warmup_steps))


def batch_of(pairs: Sequence[Preference], config: WarmupConfig, number: int) -> list[Preference]:
    """Pairs of micro-batch `number`: every epoch a new order, drawn from (seed, epoch) alone.

    A resumed run, and one that splits a step into micro-batches, thus sees the same pairs.
    """
    size = min(config.pairs_per_step, len(pairs))
    epoch, place = divmod(number, len(pairs) // size)
    order = _epoch_order(len(pairs), f"{config.seed}/{epoch}")
    return [pairs[index] for index in order[place * size : (place + 1) * size]]


@lru_cache(maxsize=2)
def _epoch_order(count: int, seed: str) -> list[int]:
    return Random(seed).sample(range(count), count)


def train(
    accelerator: Accelerator,
    model: Discriminator,
    tokenizer_file: Path,
    pairs: Sequence[Preference],
    config: WarmupConfig,
    out: Path,
    resume: bool = False,
    progress: Progress = lambda step, loss: None,
    held_out: Sequence[PreferentialPrompt] = (),
    evaluated: Figures = lambda step, figures: None,
) -> list[float]:
    """Trains in place, writes `out/checkpoint`, and returns the loss of every step of this call.

    Several processes share out each batch; the first one writes, and every `evaluate_every` steps its `evaluated` gets
    the figures of `evaluate.report` on the held-out pairs. Raises `FloatingPointError` when the loss is not finite.
    """
    encoder = PairEncoder(tokenizer_file, min(config.max_tokens, model.shape.max_tokens))
    thaw(model.to(accelerator.device))
    prepared, optimizer = prepare(
        accelerator, model, config.learning_rate, config.weight_decay, "ddp", muon=config.optimizer == "muon"
    )
    state_file, first = out / "training_state.pt", 0
    if resume and state_file.exists():
        state = torch.load(state_file, map_location=accelerator.device, weights_only=True)
        restore(prepared, optimizer, state["model"], state["optimizer"])
        first = state["step"]
    if accelerator.is_main_process:
        out.mkdir(parents=True, exist_ok=True)
        (out / "config.json").write_text(json.dumps(asdict(config), indent=2) + "\n", encoding="utf-8")
    bf16 = accelerator.device.type == "cuda" and torch.cuda.is_bf16_supported()
    losses = []
    for step in range(first, config.steps):
        # The place is the whole state of the generator, which dropout alone draws from.
        torch.manual_seed(Random(f"{config.seed}/{step}/{accelerator.process_index}").getrandbits(48))
        for group in optimizer.param_groups:
            group["lr"] = config.learning_rate * learning_rate_factor(config, step)
        mean = torch.zeros((), device=accelerator.device)
        for micro in range(config.accumulate):
            batch = batch_of(pairs, config, step * config.accumulate + micro)
            rows = [(pair.rows[0], 1.0) for pair in batch] + [(pair.rows[1], 0.0) for pair in batch]
            mine = share_of(accelerator, rows)
            texts = [pair for pair, _ in mine]
            ids = [pair.ids for pair in encoder.encode_batch(texts, TruncationPolicy.KEEP_BOTH_ENDS)]
            labels = torch.tensor([label for _, label in mine], device=accelerator.device)
            with torch.autocast(accelerator.device.type, torch.bfloat16, enabled=bf16):
                logits = prepared(*discriminator.tensors(model, ids, accelerator.device))[:, 0]
            loss = F.binary_cross_entropy_with_logits(logits.float(), labels, reduction="sum")
            # A mean over the rows of all processes; gradients are averaged over processes.
            loss = loss / len(rows) / config.accumulate * accelerator.num_processes
            with accumulating(accelerator, prepared, micro == config.accumulate - 1):
                accelerator.backward(loss)
            mean += loss.detach()
        total = accelerator.reduce(mean, "mean").item()
        if not np.isfinite(total):
            raise FloatingPointError(f"step {step}: the loss is {total}; lower learning_rate and resume")
        clip(prepared, config.clip_norm)
        optimizer.step()
        optimizer.zero_grad()
        losses.append(total)
        if not accelerator.is_main_process:
            continue
        progress(step + 1, total)
        last = step + 1 == config.steps
        if (step + 1) % config.checkpoint_every == 0 or last:
            # Before the state, which says that the checkpoint is made: a resumed run makes it again.
            discriminator.save(model, out / "checkpoint", tokenizer_file.read_text(encoding="utf-8"))
            state = {"model": model.state_dict(), "optimizer": full_optimizer_state(prepared, optimizer)}
            # Written beside and renamed, so that a crash leaves the last good state.
            torch.save(state | {"step": step + 1}, out / "training_state.tmp")
            (out / "training_state.tmp").replace(state_file)
        if held_out and config.evaluate_every and ((step + 1) % config.evaluate_every == 0 or last):
            evaluated(step + 1, report(held_out, lambda texts: score(model, encoder, texts)))
    return losses
