"""Scores for the PPO phase: the frozen module in process, or a running gapo server through its client."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import gapo
import numpy as np
from gapo_core.pairs import PairEncoder, TruncationPolicy

from gapo_training.discriminator import DecoderRewardModel, Discriminator
from gapo_training.evaluate import Scores, score

Texts = Sequence[tuple[str, str]]


class RewardBackend(Protocol):
    """`score` gives the raw logit of each (prompt, response), NaN where the response holds no word at all; `version`
    says which reward model answers, and a PPO phase stops where that changes."""

    def score(self, texts: Texts) -> Scores: ...

    def version(self) -> str: ...


def constant_in_loss(model: Discriminator) -> list[str]:
    """Names of parameters that no logit depends on, so that no gradient can reach them.

    The encoder's last layer needs CLS alone, not its local attention; key biases of its global attention cancel in the
    softmax. A decoder has none.
    """
    if isinstance(model, DecoderRewardModel):
        return []
    last = model.shape.num_hidden_layers - 1
    local = tuple(f"encoder.layer.{last}.attention.self.{part}." for part in ("query", "key", "value"))
    return [
        name
        for name, _ in model.named_parameters()
        if any(part in name for part in local) or name.endswith("key_global.bias")
    ]


def freeze(model: Discriminator) -> None:
    """For the PPO phase: no gradients, no dropout."""
    model.requires_grad_(False)
    model.eval()


def thaw(model: Discriminator) -> None:
    """For the reward model's phase: gradients wherever the loss can reach."""
    constant = set(constant_in_loss(model))
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(name not in constant)
    model.train()


@dataclass(frozen=True)
class ModuleReward:
    """The reward model in this process. Texts are encoded by `gapo_core.pairs` alone, never by the actor's ids."""

    model: Discriminator
    encoder: PairEncoder
    stamp: str = ""  # its version

    def version(self) -> str:
        return self.stamp

    def score(self, texts: Texts) -> Scores:
        kept = _with_words(texts)
        result = np.full(len(texts), np.nan)
        if kept:
            result[kept] = score(self.model, self.encoder, [texts[i] for i in kept])
        return result


@dataclass(frozen=True)
class ServerReward:
    """A running gapo server. Raises the client's `GapoError`: a failed call never becomes a score."""

    client: gapo.Client
    model: str = ""
    pairs_per_request: int = 256

    def version(self) -> str:
        """NAME/VERSION of the served model. Raises `gapo.UnknownModel` where the server has no `model`."""
        for served in self.client.models():
            if self.model in ("", served.name):  # the default one comes first
                return f"{served.name}/{served.version}"
        raise gapo.UnknownModel(f"reward.model: {self.model!r} is not served at reward.url")

    def score(self, texts: Texts) -> Scores:
        kept = _with_words(texts)
        result = np.full(len(texts), np.nan)
        for start in range(0, len(kept), self.pairs_per_request):
            rows = kept[start : start + self.pairs_per_request]
            policy = TruncationPolicy.KEEP_BOTH_ENDS.value
            answers = self.client.score_batch([texts[i] for i in rows], model=self.model, truncation=policy)
            result[rows] = [answer.score for answer in answers]
        return result


def _with_words(texts: Texts) -> list[int]:
    """Rows whose response holds a word; `gapo_core.pairs` refuses empty fields, and a generator may write one."""
    return [i for i, (_, response) in enumerate(texts) if re.search(r"\w", response)]
