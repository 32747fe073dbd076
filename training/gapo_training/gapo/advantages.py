"""The arithmetic of PPO on [B, R] tensors: rewards, advantages, clipped losses, KL coefficients."""

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from gapo_training.gapo.config import PpoConfig


def token_rewards(scores: Tensor, log_probs: Tensor, reference: Tensor, mask: Tensor, kl: float) -> Tensor:
    """-kl * (log pi - log pi_ref) at each token, and the score [B] at the last one. [B, R]

    Raises `ValueError` for a row without tokens.
    """
    lengths = mask.sum(1).long()
    if (lengths == 0).any():
        raise ValueError("mask: a response without tokens cannot carry its score")
    rewards = -kl * (log_probs - reference) * mask
    rewards[torch.arange(len(rewards)), lengths - 1] += scores
    return rewards


def relative(scores: Tensor, group: int) -> Tensor:
    """Scores [B] minus the mean score of the other responses to the same prompt, `group` of which stand in a row
    (Ahmadian et al. 2024, Back to basics, section 3.2). Groups of one keep theirs.

    Responses to one prompt share most of their tokens, whose gradients then cancel.
    """
    if group == 1:
        return scores
    rows = scores.view(-1, group)
    others = (rows.sum(1, keepdim=True) - rows) / (group - 1)
    return (rows - others).flatten()


def gae(rewards: Tensor, values: Tensor, mask: Tensor, discount: float, decay: float) -> tuple[Tensor, Tensor]:
    """Generalised advantage estimation (Schulman et al. 2016) and returns, both [B, R], zero where masked.

    A_t = sum_l (discount * decay)^l delta_{t+l}, delta_t = r_t + discount * V_{t+1} - V_t, V = 0 after the end.
    """
    advantages = torch.zeros_like(rewards)
    following_value = torch.zeros_like(rewards[:, 0])
    following_advantage = torch.zeros_like(rewards[:, 0])
    for t in reversed(range(rewards.shape[1])):
        delta = rewards[:, t] + discount * following_value - values[:, t]
        advantages[:, t] = (delta + discount * decay * following_advantage) * mask[:, t]
        following_advantage = advantages[:, t]
        following_value = values[:, t] * mask[:, t]
    return advantages, (advantages + values) * mask


def whiten(values: Tensor, mask: Tensor) -> Tensor:
    """Mean 0 and variance 1 over the unmasked entries, 0 elsewhere."""
    chosen = values[mask > 0]
    return (values - chosen.mean()) / (chosen.std(unbiased=False) + 1e-8) * mask


def policy_loss(log_probs: Tensor, old: Tensor, advantages: Tensor, clip: float) -> Tensor:
    """-min(ratio * A, clamp(ratio, 1 ± clip) * A) for each token. [B, R]"""
    ratio = (log_probs - old).exp()
    return -torch.min(ratio * advantages, ratio.clamp(1 - clip, 1 + clip) * advantages)


def value_loss(values: Tensor, old: Tensor, returns: Tensor, clip: float) -> Tensor:
    """max((V - G)^2, (V clamped to V_old ± clip - G)^2) / 2 for each token. [B, R]"""
    clamped = old + (values - old).clamp(-clip, clip)
    return torch.max((values - returns) ** 2, (clamped - returns) ** 2) / 2


class KlController(Protocol):
    """`coefficient` is the reward lost per nat."""

    coefficient: float

    def update(self, nats: float, responses: int) -> None: ...


@dataclass
class FixedKl:
    coefficient: float

    def update(self, nats: float, responses: int) -> None:
        """A fixed coefficient learns nothing from the mean `nats` of a response."""


@dataclass
class AdaptiveKl:
    """Steers towards `target` nats a response (Ziegler et al. 2019, section 2.2)."""

    coefficient: float
    target: float
    horizon: int

    def update(self, nats: float, responses: int) -> None:
        error = max(-0.2, min(0.2, nats / self.target - 1))
        self.coefficient *= 1 + error * responses / self.horizon


def kl_controller(config: PpoConfig) -> KlController:
    if config.kl_target > 0:
        return AdaptiveKl(config.kl, config.kl_target, config.kl_horizon)
    return FixedKl(config.kl)
