"""verl's reward function: `reward.custom_reward_function.path=pkg://gapo.integrations.verl`.

It is awaited, one sample a call, many at once. Of verl's reward managers `rate_limited` is not for it (every error
becomes a reward of 0 there), nor `remote`, which takes no coroutine.
"""

import asyncio
from collections.abc import Mapping
from typing import Any
from weakref import WeakKeyDictionary

from gapo import chat
from gapo.aio import AsyncClient
from gapo.integrations import environment
from gapo.retry import Retry

RETRY = Retry(attempts=10)
"""Half a minute: a batch comes all at once, and a server that is full for a while should end no run."""
CONCURRENCY = 32
"""Requests that one of verl's reward workers has underway; of the others no time is counted yet."""

_Underway = tuple[AsyncClient, asyncio.Semaphore]
_clients: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[tuple[Any, ...], _Underway]] = WeakKeyDictionary()


async def compute_score(
    data_source: Any,
    solution_str: str,
    ground_truth: Any,
    extra_info: Mapping[str, Any] | None = None,
    *,
    url: str | None = None,
    api_key: str | None = None,
    timeout: float = 60.0,
    prompt_key: str = "prompt",
    empty_reward: float = -10.0,
    reward_router_address: Any = None,
    reward_model_tokenizer: Any = None,
    **options: Any,
) -> dict[str, float]:
    """`score` is the reward, the raw logit, `probability` and `truncated_tokens` are logged: keys of every sample.

    verl passes no prompt: it is `extra_info[prompt_key]`, a text or messages, which the data set must hold. (With
    `trainer.use_v1=False` the manager `naive` puts it there, under `raw_prompt`.) The keywords are verl's
    `reward_kwargs`: `timeout` is of one attempt, in seconds, `url` and `api_key` are by default GAPO_URL and
    GAPO_API_KEY, `options` those of `gapo.AsyncClient.score`; a long pair loses its middle unless they say otherwise. A
    completion without visible text gets `empty_reward`, as the server's `--empty-reward`, and the probability 0.
    Raises a `GapoError`, and `ValueError` for a prompt that is missing or holds more than text.
    """
    known = extra_info or {}
    if prompt_key not in known:
        raise ValueError(
            f"extra_info has no {prompt_key!r}; put each row's prompt there, or name its key in "
            "reward.custom_reward_function.reward_kwargs.prompt_key"
        )
    prompt, response = chat.conversation(known[prompt_key]), chat.conversation(solution_str)
    if not chat.visible(response):
        return {"score": empty_reward, "probability": 0.0, "truncated_tokens": 0.0}
    client, places = _client(*environment.server(url, api_key), timeout)
    async with places:
        score = await client.score(prompt, response, **{"truncation": "keep_both_ends"} | options)
    return {
        "score": score.score,
        "probability": score.probability,
        "truncated_tokens": float(score.truncated_tokens),
    }


def _client(url: str, api_key: str | None, timeout: float) -> _Underway:
    """The client of this event loop, made once: connections are of one loop."""
    ours = _clients.setdefault(asyncio.get_running_loop(), {})
    key = (url, api_key, timeout)
    if key not in ours:
        client = AsyncClient(url, api_key=api_key, timeout=timeout, retry=RETRY)
        ours[key] = client, asyncio.Semaphore(CONCURRENCY)
    return ours[key]


async def close() -> None:
    """Closes the clients of this event loop. verl calls nothing of the kind: its workers end with their connections."""
    for client, _ in _clients.pop(asyncio.get_running_loop(), {}).values():
        await client.close()
