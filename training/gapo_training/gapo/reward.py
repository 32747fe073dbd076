"""Scores for the PPO phase: the frozen module in process, or a running gapo server through its client."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import gapo
import numpy as np
from gapo_core.pairs import PairEncoder, TruncationPolicy

from gapo_training.discriminator import Discriminator
from gapo_training.evaluate import Scores, score

Texts = Sequence[tuple[str, str]]


class RewardBackend(Protocol):
    """`score` gives the raw logit of each (prompt, response), NaN where the response holds no word at all; `version`
    says which reward model answers, and a PPO phase stops where that changes."""

    def score(self, texts: Texts) -> Scores: ...

    def version(self) -> str: ...


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
