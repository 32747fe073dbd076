"""AReaL's reward function: `workflow_kwargs=dict(reward_fn=RewardFunction("http://HOST:8080"), …)`.

Where only a path can be named, `"gapo.integrations.areal.reward_fn"` asks the server of GAPO_URL.
"""

import atexit
import os
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from gapo import chat
from gapo.client import Client
from gapo.integrations import environment
from gapo.retry import Retry

RETRY = Retry(attempts=3, max_delay=1.0)  # AReaL itself tries an error three times more


@dataclass(frozen=True)  # AReaL sends dataclasses to its workers as their fields, and pickles them for every call
class RewardFunction:
    """The raw score of one completion. AReaL calls it in processes of its own, each of which has one connection.

    AReaL makes a reward of 0 of what takes longer than 15 seconds, so an error comes before that: an answer may take
    `timeout` seconds, and few more are for other attempts where the server is full. AReaL calls three times more and
    then drops the trajectory. A completion without visible text gets `empty_reward`, as the server's `--empty-reward`.
    `url` and `api_key` are `gapo.Client`'s, by default GAPO_URL and GAPO_API_KEY, the others are those of its `score`;
    what a long pair loses is told by the server's `gapo_truncated_tokens_total` alone.
    """

    url: str | None = None
    api_key: str | None = field(default=None, repr=False)
    timeout: float = 10.0
    empty_reward: float = -10.0
    model: str = ""
    truncation: str = "keep_both_ends"
    prompt_budget: int | None = None
    response_budget: int | None = None

    def __call__(
        self, prompt: str, completions: str, prompt_ids: Any = None, completion_ids: Any = None, **data: Any
    ) -> float:
        """`prompt` and `completions` are texts in the actor's chat template; ids and columns are not looked at.

        Raises a `GapoError`.
        """
        response = chat.plain(completions)
        if not chat.visible(response):
            return self.empty_reward
        client = _client(os.getpid(), *environment.server(self.url, self.api_key), self.timeout)
        return client.score(
            chat.plain(prompt),
            response,
            model=self.model,
            truncation=self.truncation,
            prompt_budget=self.prompt_budget,
            response_budget=self.response_budget,
        ).score


@lru_cache
def _client(process: int, url: str, api_key: str | None, timeout: float) -> Client:
    """The client of this process, made once: one that a parent had opened is not used behind a fork."""
    client = Client(url, api_key=api_key, timeout=timeout, retry=RETRY)
    atexit.register(client.close)  # trainers close nothing
    return client


reward_fn = RewardFunction()
