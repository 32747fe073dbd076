"""Supervised start of the generator: cross-entropy on the texts that people wrote."""

from collections.abc import Callable, Mapping, Sequence
from random import Random

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from gapo_training.distributed import accumulating, clip
from gapo_training.gapo.config import SftConfig
from gapo_training.gapo.generator import Sequences, Speech, micro_batches
from gapo_training.gapo.tasks import Task, reworded, rewritten, values_asked


def learning_rate_factor(step: int, steps: int, warmup_steps: int) -> float:
    """Linear warm-up, then linear decay to zero."""
    if step < warmup_steps:
        return (step + 1) / warmup_steps
    return (steps - step) / max(1, steps - warmup_steps)


def step_rows(
    tasks: Sequence[Task], values: Mapping[tuple[str, str], Sequence[str]], config: SftConfig, seed: int, step: int
) -> list[Task]:
    """The rows of one step, drawn from (seed, step) alone: a resumed run sees the same. Each has a fresh wording, and
    `config.exchanged` of them other `values` in prompt and text."""
    rng, key = Random(f"{seed}/sft/{step}"), f"{seed}/sft/{step}"
    chosen = rng.sample(tasks, min(config.rows, len(tasks)))
    return [reworded(rewritten(t, values, key) if rng.random() < config.exchanged else t, key) for t in chosen]


def train(
    accelerator: Accelerator,
    actor: nn.Module,
    optimizer: torch.optim.Optimizer,
    speech: Speech,
    tasks: Sequence[Task],
    config: SftConfig,
    seed: int,
    first: int,
    after_step: Callable[[int, float], None],
) -> None:
    """Steps `first` … `config.steps`; `after_step(done, loss)` reports and checkpoints.

    `actor` is a prepared `Actor`. Raises `ConfigError` where the rows of a step do not divide over the processes, and
    `FloatingPointError` when the loss is not finite.
    """
    rank, world = accelerator.process_index, accelerator.num_processes
    config.for_processes(world, len(tasks))
    values = values_asked(tasks)
    actor.train()
    for step in range(first, config.steps):
        for group in optimizer.param_groups:
            group["lr"] = config.learning_rate * learning_rate_factor(step, config.steps, config.warmup_steps)
        batch = step_rows(tasks, values, config, seed, step)
        prompts = [speech.prompt(task.prompt) for task in batch]
        responses = [speech.response(task.reference) for task in batch]
        tokens = sum(map(len, responses))  # of all processes
        lengths = [len(p) + len(r) for p, r in zip(prompts, responses, strict=True)]
        parts = micro_batches(range(rank, len(batch), world), lengths, config.micro_batch)
        loss = torch.zeros((), device=accelerator.device)
        for part in parts:
            rows = Sequences.of(
                [prompts[i] for i in part], [responses[i] for i in part], speech.pad, accelerator.device
            )
            with accelerator.autocast():
                log_probs, _ = actor(rows)  # [b, R]
            share: Tensor = -log_probs.sum() / tokens * world  # gradients are averaged over processes
            with accumulating(accelerator, actor, part is parts[-1]):
                accelerator.backward(share)
            loss += share.detach()
        clip(actor, config.clip_norm)
        optimizer.step()
        optimizer.zero_grad()
        total = accelerator.reduce(loss, "mean").item()
        if not total < float("inf"):
            raise FloatingPointError(f"supervised step {step}: the loss is {total}; lower sft.learning_rate")
        after_step(step + 1, total)
