"""Warm-up of the reward model: binary cross-entropy on preferential prompts (GAPO paper, section 3)."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from random import Random

import numpy as np
import torch
from gapo_core.pairs import PairEncoder, TruncationPolicy
from torch.nn import functional as F

from gapo_training import discriminator
from gapo_training.discriminator import Discriminator
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
    learning_rate: float = 8e-5  # peak, reached after the warm-up
    warmup_steps: int = 50
    weight_decay: float = 0.01
    clip_norm: float = 1.0
    max_tokens: int = 512  # longest training row; longer ones keep both ends
    checkpoint_every: int = 200
    evaluate_every: int = 200  # steps between evaluations on the held-out pairs; 0 for none
    seed: int = 0


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

    Every `evaluate_every` steps `evaluated` gets the figures of `evaluate.report` on the held-out pairs.
    Raises `FloatingPointError` when the loss is not finite.
    """
    out.mkdir(parents=True, exist_ok=True)
    (out / "config.json").write_text(json.dumps(asdict(config), indent=2) + "\n", encoding="utf-8")
    encoder = PairEncoder(tokenizer_file, config.max_tokens)
    device = next(model.parameters()).device
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay, fused=True
    )
    state_file, first = out / "training_state.pt", 0
    torch.manual_seed(config.seed)
    if resume and state_file.exists():
        state = torch.load(state_file, map_location=device, weights_only=True)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        torch.set_rng_state(state["rng"].cpu())
        first = state["step"]
    bf16 = device.type == "cuda" and torch.cuda.is_bf16_supported()
    losses = []
    model.train()
    for step in range(first, config.steps):
        for group in optimizer.param_groups:
            group["lr"] = config.learning_rate * learning_rate_factor(config, step)
        total = 0.0
        for micro in range(config.accumulate):
            batch = batch_of(pairs, config, step * config.accumulate + micro)
            texts = [pair.rows[0] for pair in batch] + [pair.rows[1] for pair in batch]
            ids = [encoder.encode(p, r, TruncationPolicy.KEEP_BOTH_ENDS).ids for p, r in texts]
            labels = torch.tensor([1.0] * len(batch) + [0.0] * len(batch), device=device)
            with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
                logits = model(*discriminator.tensors(model, ids, device))[:, 0]
            loss = F.binary_cross_entropy_with_logits(logits.float(), labels) / config.accumulate
            loss.backward()  # type: ignore[no-untyped-call]
            total += loss.item()
        if not np.isfinite(total):
            raise FloatingPointError(f"step {step}: the loss is {total}; lower learning_rate and resume")
        torch.nn.utils.clip_grad_norm_(model.parameters(), config.clip_norm)
        optimizer.step()
        optimizer.zero_grad()
        losses.append(total)
        progress(step + 1, total)
        last = step + 1 == config.steps
        if (step + 1) % config.checkpoint_every == 0 or last:
            state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "step": step + 1}
            # Written beside and renamed, so that a crash leaves the last good state.
            torch.save(state | {"rng": torch.get_rng_state()}, out / "training_state.tmp")
            (out / "training_state.tmp").replace(state_file)
            discriminator.save(model, out / "checkpoint", tokenizer_file.read_text(encoding="utf-8"))
        if held_out and config.evaluate_every and ((step + 1) % config.evaluate_every == 0 or last):
            evaluated(step + 1, report(held_out, lambda texts: score(model, encoder, texts)))
    return losses
