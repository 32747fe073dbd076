"""One PPO iteration: rollouts, scores, advantages, clipped updates of actor and critic.

Rollouts are token ids and a few floats a token, so every process holds the whole batch: statistics, advantages and the
choice of minibatches are the same everywhere, and a run does not depend on the number of processes.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

import numpy as np
import torch
from accelerate import Accelerator
from torch import Tensor, nn

from gapo_training.distributed import accumulating, clip, full_weights, gather, share_of, total
from gapo_training.gapo.advantages import KlController, gae, policy_loss, relative, token_rewards, value_loss, whiten
from gapo_training.gapo.config import GapoConfig, PpoConfig
from gapo_training.gapo.generator import Sequences, Speech, micro_batches
from gapo_training.gapo.reward import RewardBackend
from gapo_training.gapo.rollout import RolloutBackend
from gapo_training.gapo.tasks import Task


class TrainingStopped(RuntimeError):
    """A run that would only get worse; the message says where, what was seen and which setting to change."""


@dataclass(frozen=True)
class Draft:
    """One response and its score."""

    task: Task
    prompt: list[int]
    response: list[int]
    text: str
    score: float  # raw logit of the reward model; NaN where the text holds no word
    log_probs: list[float] | None  # of the response's tokens, where the sampler tells them


@dataclass(frozen=True)
class Sample(Draft):
    """A response that the actor learns from. The lists hold one float for each response token."""

    log_probs: list[float]
    reference: list[float]
    values: list[float]


@dataclass
class Learner:
    """What an iteration reads and changes. `actor` and `critic` are prepared; `reference` never changes."""

    accelerator: Accelerator
    actor: nn.Module
    critic: nn.Module
    reference: nn.Module
    actor_optimizer: torch.optim.Optimizer
    critic_optimizer: torch.optim.Optimizer
    speech: Speech
    rollout: RolloutBackend
    kl: KlController


def learning_rate_factor(count: int, total: int, config: PpoConfig) -> float:
    """Of the actor in rollout batch `count` of `total`: a rise, as Adam's first steps have the size of later ones and
    the direction of noise, times, where asked, a linear fall towards 0."""
    risen = (count - config.critic_warmup + 1) / (config.warmup + 1)
    left = 1 - count / total if config.anneal else 1.0
    return max(0.0, min(1.0, risen)) * left


def policy_weights(actor: nn.Module) -> dict[str, Tensor]:
    """The language model's weights by its own names, as rollout backends take them."""
    return {name.removeprefix("language_model."): value for name, value in full_weights(actor).items()}


def collect(
    learner: Learner, tasks: Sequence[Task], reward: RewardBackend, config: GapoConfig, key: str
) -> tuple[list[Draft], dict[str, float]]:
    """Samples a response for each task and scores it; every process returns all of them. Also the seconds spent."""
    accelerator, speech = learner.accelerator, learner.speech
    start = time.perf_counter()
    mine = share_of(accelerator, list(enumerate(tasks)))
    prompts = speech.prompts([task.prompt for _, task in mine], config.max_prompt_tokens)
    seeds = [Random(f"{key}/{row}").getrandbits(48) for row, _ in mine]
    learner.rollout.sync(policy_weights(learner.actor))
    accelerator.wait_for_everyone()  # a server's weights are sent by one process
    responses, log_probs = learner.rollout.sample(prompts, seeds)
    texts = [speech.text(response) for response in responses]
    generated = time.perf_counter()
    scores = reward.score([(task.prompt, text) for (_, task), text in zip(mine, texts, strict=True)])
    seconds = {"rollout_seconds": generated - start, "score_seconds": time.perf_counter() - generated}
    told: Sequence[list[float] | None] = log_probs or [None] * len(mine)
    fields = zip([task for _, task in mine], prompts, responses, texts, scores.tolist(), told, strict=True)
    return gather(accelerator, [Draft(*row) for row in fields]), seconds


def most_telling(drafts: Sequence[Draft], config: GapoConfig, end: int) -> list[Draft]:
    """The responses to the prompts whose scores differ most, `ppo.rollouts` of them, in their order.

    Where all responses to a prompt score alike there is nothing to prefer, and their gradients are noise
    (Yu et al. 2025, DAPO, section 3.2).
    """
    ppo = config.ppo
    scores = np.array([reward_of(draft, config, end) for draft in drafts]).reshape(-1, ppo.group)
    groups = np.argsort(-scores.std(axis=1), kind="stable")[: ppo.rollouts // ppo.group]
    return [drafts[group * ppo.group + i] for group in sorted(groups.tolist()) for i in range(ppo.group)]


def complete(learner: Learner, drafts: Sequence[Draft], micro_batch: int) -> list[Sample]:
    """Adds what the sampler did not tell; every process returns all samples."""
    accelerator = learner.accelerator
    mine = share_of(accelerator, drafts)
    told = [draft.log_probs for draft in mine if draft.log_probs is not None]
    # Row by row: log-probabilities of the reference, values, and, where the sampler was silent, of the policy.
    wanted: list[nn.Module] = [learner.reference, learner.critic] + ([learner.actor] if len(told) < len(mine) else [])
    found: list[list[list[float]]] = [[[]] * len(mine) for _ in wanted]
    lengths = [len(draft.prompt) + len(draft.response) for draft in mine]
    for part in micro_batches(range(len(mine)), lengths, micro_batch):
        rows = [mine[i] for i in part]
        batch = Sequences.of(
            [d.prompt for d in rows], [d.response for d in rows], learner.speech.pad, accelerator.device
        )
        for kept, model in zip(found, wanted, strict=True):
            with torch.no_grad(), accelerator.autocast():
                output = model(batch)  # [b, R]; an actor gives the entropy too
            for i, row in zip(part, (output if isinstance(output, Tensor) else output[0]).tolist(), strict=True):
                kept[i] = row[: len(mine[i].response)]
    reference, values, *computed = found
    samples = [
        Sample(d.task, d.prompt, d.response, d.text, d.score, *measured)
        for d, *measured in zip(mine, computed[0] if computed else told, reference, values, strict=True)
    ]
    return gather(accelerator, samples)


def padded(rows: Sequence[Sequence[float]]) -> Tensor:
    """[B, R], zero on the right."""
    return nn.utils.rnn.pad_sequence([torch.tensor(row) for row in rows], batch_first=True)


def reward_of(draft: Draft, config: GapoConfig, end: int) -> float:
    """The clamped logit; a text without words gets the lowest, an unfinished response a penalty."""
    score = -config.reward.clamp if np.isnan(draft.score) else draft.score
    score = max(-config.reward.clamp, min(config.reward.clamp, score))
    return score - (0.0 if draft.response[-1] == end else config.ppo.unfinished_penalty)


def check(samples: Sequence[Sample], config: GapoConfig, where: str) -> float:
    """Mean nats by which a response left the reference. Raises `TrainingStopped`."""
    nats = np.array([sum(s.log_probs) - sum(s.reference) for s in samples])
    if not np.isfinite(nats).all():
        raise TrainingStopped(f"{where}: log-probabilities are not finite; lower ppo.learning_rate and resume")
    if nats.mean() > config.ppo.kl_limit:
        raise TrainingStopped(
            f"{where}: responses left the reference by {nats.mean():.0f} nats on average, ppo.kl_limit is "
            f"{config.ppo.kl_limit:.0f}; raise ppo.kl, set ppo.kl_target, or lower ppo.learning_rate"
        )
    return float(nats.mean())


def iteration(
    learner: Learner, tasks: Sequence[Task], reward: RewardBackend, config: GapoConfig, key: str, critic_only: bool
) -> tuple[list[Draft], dict[str, float]]:
    """Rollouts of `tasks`, then passes of minibatches over the most telling of them: `ppo.epochs` of the actor,
    `ppo.critic_epochs` of the critic.

    Returns all responses and what was seen.
    `key` names the place in the run; all random draws come from it. Raises `TrainingStopped`.
    """
    ppo, accelerator = config.ppo, learner.accelerator
    learner.actor.eval()
    learner.critic.eval()
    drafts, seen = collect(learner, tasks, reward, config, key)
    begin = time.perf_counter()
    samples = complete(learner, most_telling(drafts, config, learner.speech.end), ppo.micro_batch)
    seen["forward_seconds"] = time.perf_counter() - begin
    nats = check(samples, config, key)
    begin = time.perf_counter()

    # Advantages of the whole batch. All [B, R] on the CPU.
    mask = padded([[1.0] * len(s.response) for s in samples])
    old, old_values = padded([s.log_probs for s in samples]), padded([s.values for s in samples])
    scores = torch.tensor([reward_of(s, config, learner.speech.end) for s in samples])  # [B]
    rewards = token_rewards(
        relative(scores, ppo.group), old, padded([s.reference for s in samples]), mask, learner.kl.coefficient
    )
    raw, returns = gae(rewards, old_values, mask, ppo.discount, ppo.gae_lambda)
    advantages = whiten(raw, mask)

    lengths = [len(s.prompt) + len(s.response) for s in samples]
    sums: dict[str, float] = {}
    norms: dict[str, list[float]] = {"actor": [], "critic": []}
    tokens_seen = {"actor": 0.0, "critic": 0.0}
    learner.actor.train()
    learner.critic.train()
    for epoch in range(max(ppo.epochs, ppo.critic_epochs)):
        actor_learns = epoch < ppo.epochs and not critic_only
        critic_learns = epoch < ppo.critic_epochs
        order = Random(f"{key}/{epoch}").sample(range(len(samples)), len(samples))
        for start in range(0, len(order), ppo.minibatch):
            minibatch = order[start : start + ppo.minibatch]
            tokens = float(mask[minibatch].sum())  # of all processes: the loss is a mean over these
            mine = share_of(accelerator, minibatch)
            parts = micro_batches(mine, lengths, ppo.micro_batch)
            for number, part in enumerate(parts):
                last = number == len(parts) - 1
                batch = Sequences.of(
                    [samples[i].prompt for i in part],
                    [samples[i].response for i in part],
                    learner.speech.pad,
                    accelerator.device,
                )
                width = batch.mask.shape[1]
                was, gain, was_value, target = (
                    t[part, :width].to(accelerator.device) for t in (old, advantages, old_values, returns)
                )
                scale = accelerator.num_processes / tokens  # gradients are averaged over processes
                found: dict[str, Tensor] = {}
                if critic_learns:
                    with accelerator.autocast():
                        values = learner.critic(batch)  # [b, R]
                    critic_loss = (value_loss(values, was_value, target, ppo.value_clip) * batch.mask).sum()
                    with accumulating(accelerator, learner.critic, last):
                        accelerator.backward(critic_loss * scale)
                    found["value_loss"] = critic_loss.detach()
                if actor_learns:
                    with accelerator.autocast():
                        log_probs, entropy = learner.actor(batch)  # [b, R] each
                    actor_loss = (policy_loss(log_probs, was, gain, ppo.clip) * batch.mask).sum()
                    with accumulating(accelerator, learner.actor, last):
                        accelerator.backward(actor_loss * scale)
                    found |= _monitors(log_probs.detach(), was, entropy, batch.mask, ppo.clip)
                    found["policy_loss"] = actor_loss.detach()
                for name, value in found.items():
                    sums[name] = sums.get(name, 0.0) + float(value)
            for name, learns in (("actor", actor_learns), ("critic", critic_learns)):
                if learns:
                    norms[name].append(_step(learner, name, ppo.clip_norm, key))
                    tokens_seen[name] += tokens
    for name, amount in total(accelerator, sums).items():
        seen[name] = amount / tokens_seen["critic" if name == "value_loss" else "actor"]
    learner.kl.update(nats, len(samples))
    unexplained = (returns - old_values)[mask > 0].var() / returns[mask > 0].var().clamp(min=1e-8)
    seen |= {
        "update_seconds": time.perf_counter() - begin,
        "reward": float(np.mean([reward_of(d, config, learner.speech.end) for d in drafts])),
        "logit": float(np.nanmean([d.score for d in drafts])) if any(d.score == d.score for d in drafts) else 0.0,
        "kl_nats": nats,
        "kl_coefficient": learner.kl.coefficient,
        "explained_variance": 1 - float(unexplained),
        "finished": float(np.mean([d.response[-1] == learner.speech.end for d in drafts])),
        "response_tokens": float(np.mean([len(d.response) for d in drafts])),
        "tokens": float(sum(len(d.prompt) + len(d.response) for d in drafts)),
        **{f"{name}_gradient_norm": float(np.mean(found)) for name, found in norms.items() if found},
    }
    return drafts, seen


def _monitors(log_probs: Tensor, old: Tensor, entropy: Tensor, mask: Tensor, clip_range: float) -> dict[str, Tensor]:
    """Sums over tokens: entropy, KL(old, new) by the k3 estimator, how often the ratio was clipped."""
    difference = log_probs - old
    return {
        "entropy": (entropy * mask).sum(),
        "update_kl": ((difference.exp() - 1 - difference) * mask).sum(),
        "clipped": (((difference.exp() - 1).abs() > clip_range) * mask).sum(),
    }


def _step(learner: Learner, name: str, clip_norm: float, where: str) -> float:
    """Clips the gradient of `name` (actor, critic), then applies it; returns its norm. Raises `TrainingStopped`."""
    optimizer: torch.optim.Optimizer = getattr(learner, f"{name}_optimizer")
    norm = clip(getattr(learner, name), clip_norm)
    if not np.isfinite(norm):
        raise TrainingStopped(f"{where}: the {name}'s gradient is {norm}; lower its learning rate and resume")
    optimizer.step()
    optimizer.zero_grad()
    return norm
