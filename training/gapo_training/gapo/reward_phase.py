"""The adversarial phase of the reward model: cross-entropy on preferential prompts and generator outputs."""

from collections.abc import Sequence
from random import Random

import numpy as np
import torch
from accelerate import Accelerator
from gapo_core.pairs import PairEncoder, TruncationPolicy
from torch import nn
from torch.nn import functional as F

from gapo_training.discriminator import Discriminator, freeze, tensors, thaw
from gapo_training.distributed import accumulating, clip, share_of, total
from gapo_training.gapo.buffer import LabelledRow, class_weights
from gapo_training.gapo.config import RewardPhaseConfig
from gapo_training.gapo.ppo import TrainingStopped


def train(
    accelerator: Accelerator,
    prepared: nn.Module,
    optimizer: torch.optim.Optimizer,
    encoder: PairEncoder,
    rows: Sequence[LabelledRow],
    config: RewardPhaseConfig,
    key: str,
) -> dict[str, float]:
    """`epochs` passes over `rows`; `prepared` is the reward model as `distributed.prepare` gives it.

    Returns the mean loss of each kind of row and the tokens seen. Raises `TrainingStopped` for a gradient that is not
    finite.
    """
    model: Discriminator = accelerator.unwrap_model(prepared)
    thaw(model)
    pairs = [(row.prompt, row.response) for row in rows]
    texts = [pair.ids for pair in encoder.encode_batch(pairs, TruncationPolicy.KEEP_BOTH_ENDS)]
    # Early outputs nearly all break a rule: unweighted, the model would learn to call everything broken.
    weights = class_weights(rows) if config.balanced else {0.0: 1.0, 1.0: 1.0}
    sums: dict[str, float] = {}
    for epoch in range(config.epochs):
        order = Random(f"{key}/{epoch}").sample(range(len(rows)), len(rows))
        for start in range(0, len(order), config.rows):
            batch = order[start : start + config.rows]
            mine = share_of(accelerator, batch)
            for first in range(0, len(mine), config.micro_batch):
                part = mine[first : first + config.micro_batch]
                labels = torch.tensor([rows[i].label for i in part], device=accelerator.device)  # [b]
                with accelerator.autocast():
                    logits = prepared(*tensors(model, [texts[i] for i in part], accelerator.device))[:, 0]
                losses = F.binary_cross_entropy_with_logits(logits.float(), labels, reduction="none")  # [b]
                weight = torch.tensor([weights[rows[i].label] for i in part], device=accelerator.device)  # [b]
                # A mean over the rows of all processes; gradients are averaged over processes.
                with accumulating(accelerator, prepared, first + config.micro_batch >= len(mine)):
                    accelerator.backward((losses * weight).sum() / len(batch) * accelerator.num_processes)
                for i, value in zip(part, losses.tolist(), strict=True):
                    for name, amount in ((f"loss_{rows[i].source}", value), (f"seen_{rows[i].source}", 1.0)):
                        sums[name] = sums.get(name, 0.0) + amount
            norm = clip(prepared, config.clip_norm)
            if not np.isfinite(norm):
                raise TrainingStopped(f"{key}: the reward model's gradient is {norm}; lower reward_phase.learning_rate")
            optimizer.step()
            optimizer.zero_grad()
    freeze(model)
    sources = sorted({row.source for row in rows})
    names = [f"{kind}_{source}" for source in sources for kind in ("loss", "seen")]
    summed = total(accelerator, {name: sums.get(name, 0.0) for name in names})
    found = {f"loss_{s}": summed[f"loss_{s}"] / summed[f"seen_{s}"] for s in sources}
    loss = sum(summed[f"loss_{s}"] for s in sources) / sum(summed[f"seen_{s}"] for s in sources)
    return found | {"loss": loss, "tokens": float(sum(map(len, texts)) * config.epochs)}
