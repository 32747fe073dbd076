"""TRL's reward function: `GRPOTrainer(reward_funcs=RewardFunction("grpc://HOST:8081"), …)`, RLOO's trainer alike."""

import weakref
from collections.abc import Callable, Mapping, Sequence
from statistics import fmean
from typing import Any

from gapo import chat
from gapo.client import Client
from gapo.retry import Retry

Text = str | Sequence[Mapping[str, Any]]  # as it is, or a conversation's messages


class RewardFunction:
    """The raw score of each completion, all of a step in as few requests as the server takes.

    `unscored` is what a completion without visible text gets, which no reward model judges; None, TRL's own word for
    it, keeps it out of its group's mean. Every other failure is an error that ends training: a reward of 0 would teach
    something. `url`, `api_key`, `timeout` and `retry` are `gapo.Client`'s, `options` those of its `score_batch`; a long
    pair loses its middle unless they say otherwise. TRL logs `NAME/probability` and `NAME/truncated_tokens`, means over
    completions.
    """

    def __init__(
        self,
        url: str = "http://127.0.0.1:8080",
        *,
        name: str = "gapo",
        unscored: float | None = None,
        api_key: str | None = None,
        timeout: float = 60.0,
        retry: Retry = Retry(),
        **options: Any,
    ) -> None:
        self.__name__ = name  # TRL's logs call it so
        self._unscored = unscored
        self._server: dict[str, Any] = {"url": url, "api_key": api_key, "timeout": timeout, "retry": retry}
        self._options = {"truncation": "keep_both_ends"} | options
        self._connect()

    def _connect(self) -> None:
        self._client = Client(**self._server)
        weakref.finalize(self, self._client.close)  # trainers close nothing

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_client"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__ |= state
        self._connect()  # another process has a connection of its own

    def __call__(
        self,
        prompts: Sequence[Text],
        completions: Sequence[Text],
        log_metric: Callable[[str, float], None] | None = None,
        **_: Any,
    ) -> list[float | None]:
        """Rewards in order. Raises a `GapoError`, and `ValueError` for messages that hold more than text."""
        pairs = [(chat.conversation(p), chat.conversation(c)) for p, c in zip(prompts, completions, strict=True)]
        places = [place for place, (_, completion) in enumerate(pairs) if chat.visible(completion)]
        scores = self._client.score_batch([pairs[place] for place in places], **self._options)
        if log_metric and scores:
            log_metric(f"{self.__name__}/probability", fmean(score.probability for score in scores))
            log_metric(f"{self.__name__}/truncated_tokens", fmean(score.truncated_tokens for score in scores))
        rewards: list[float | None] = [self._unscored] * len(pairs)
        for place, score in zip(places, scores, strict=True):
            rewards[place] = score.score
        return rewards
