"""The reward function as verl's reward loop awaits it, against the real server."""

import asyncio
import inspect
from types import SimpleNamespace

import pytest
from gapo import InvalidInput, TooLarge, Unauthenticated, UnknownModel
from gapo.integrations import verl as integration
from gapo.integrations.verl import compute_score

from tests.server.running import BAD, GOOD, PROMPT, running

TASK, ASKED = PROMPT.split(". ")
TALK = [{"role": "system", "content": f"{TASK}."}, {"role": "user", "content": [{"type": "text", "text": ASKED}]}]


@pytest.fixture(scope="module")
def server():
    with running() as server:
        yield server


def rewards(*responses: str, extra_info: dict | None = None, **kwargs: object) -> list[dict[str, float]]:
    """As the managers naive, dapo and gdpo of verl 0.9.1 call it (reward_loop/reward_manager), a batch at once."""

    async def main() -> list[dict[str, float]]:
        try:
            return await asyncio.gather(
                *(
                    compute_score(
                        data_source="laptop",
                        solution_str=response,
                        ground_truth=None,
                        extra_info={"prompt": PROMPT, "num_turns": 2} if extra_info is None else extra_info,
                        **kwargs,
                    )
                    for response in responses
                )
            )
        finally:
            await integration.close()

    return asyncio.run(main())


@pytest.mark.parametrize("protocol", ["rest", "grpc"])
def test_rewards_are_scores_and_every_sample_has_the_same_keys(server, protocol) -> None:
    wanted = server.score(GOOD, BAD).json()["results"]
    found = rewards(
        GOOD, BAD, "", " \ufffd\n", "word " * 9000, url=getattr(server, protocol), reward_router_address="x"
    )
    assert [row["score"] for row in found[:2]] == pytest.approx([row["score"] for row in wanted], abs=1e-3)
    assert [row["probability"] for row in found[:2]] == pytest.approx([row["probability"] for row in wanted], abs=1e-3)
    assert found[2] == found[3] == {"score": -10.0, "probability": 0.0, "truncated_tokens": 0.0}
    assert found[4]["truncated_tokens"] > 4000
    assert all({key: type(value) for key, value in row.items()} == dict.fromkeys(found[0], float) for row in found)


def test_the_server_is_the_environments_where_none_is_given(server, monkeypatch) -> None:
    monkeypatch.setenv("GAPO_URL", server.rest)
    assert rewards("", GOOD, empty_reward=-2.5)[0]["score"] == -2.5


def test_a_conversation_is_the_text_of_its_messages(server) -> None:
    wanted = server.score(GOOD, prompt=f"{TASK}.\n{ASKED}").json()["results"][0]["score"]
    found = rewards(GOOD, extra_info={"raw_prompt": TALK}, prompt_key="raw_prompt", url=server.rest)
    assert found[0]["score"] == pytest.approx(wanted, abs=1e-3)


def test_more_samples_than_requests_underway(server) -> None:
    found = rewards(*[GOOD, BAD] * 60, url=server.rest)
    assert len({round(row["score"], 3) for row in found}) == 2


@pytest.mark.parametrize(
    ("response", "extra_info", "kwargs", "error"),
    [
        (GOOD, {}, {}, (ValueError, "extra_info has no 'prompt'; .*prompt_key")),
        ("", {"prompt": PROMPT}, {"prompt_key": "raw_prompt"}, (ValueError, "extra_info has no 'raw_prompt'")),
        (GOOD, {"prompt": None}, {}, (ValueError, "of type NoneType; give a text or a list of messages")),
        (GOOD, {"prompt": [{"role": "user", "content": [{"type": "image"}]}]}, {}, (ValueError, "type 'image'")),
        (GOOD, {"prompt": ""}, {}, (InvalidInput, r"pairs\[0\]\.prompt")),
        ("\ud800x", {"prompt": PROMPT}, {}, (InvalidInput, "surrogate")),
        ("y" * 2_000_000, {"prompt": PROMPT}, {}, (TooLarge, "shorten")),
        (GOOD, {"prompt": PROMPT}, {"model": "absent"}, (UnknownModel, "absent")),
        (GOOD, {"prompt": PROMPT}, {"truncation": "never"}, (InvalidInput, "truncation")),
        (GOOD, {"prompt": PROMPT}, {"uri": "x"}, (TypeError, "uri")),
    ],
)
def test_a_failure_is_no_reward(server, response, extra_info, kwargs, error) -> None:
    kind, message = error
    with pytest.raises(kind, match=message):
        rewards(response, extra_info=extra_info, url=server.rest, **kwargs)


def test_the_key_is_the_environments(monkeypatch) -> None:
    with running("--api-key", "s3cret") as server:
        with pytest.raises(Unauthenticated):
            rewards(GOOD, url=server.rest, api_key="wrong")
        monkeypatch.setenv("GAPO_API_KEY", "s3cret")
        assert rewards(GOOD, url=server.rest)[0]["score"] > 0


def test_verls_own_manager_gets_its_rewards(server, verl) -> None:
    """verl loads the function by its path, binds `reward_kwargs` to it, and `NaiveRewardManager` awaits it."""
    import torch

    config = {"path": "pkg://gapo.integrations.verl", "name": "compute_score", "reward_kwargs": {"url": server.rest}}
    load = verl("verl.trainer.ppo.reward").get_custom_reward_fn
    function = load(SimpleNamespace(reward={"custom_reward_function": config}))
    assert inspect.iscoroutinefunction(function)
    manager = verl("verl.experimental.reward_loop.reward_manager.naive").NaiveRewardManager

    class Samples(list):
        """What the manager asks of verl's `DataProto`."""

        def __getitem__(self, at: object) -> object:
            found = super().__getitem__(at)
            return Samples(found) if isinstance(at, slice) else found

    def samples(response: str) -> Samples:
        ids = torch.tensor([ord(character) for character in response] + [0] * 3)
        mask = torch.tensor([1] * (5 + len(response)) + [0] * 3)
        fields = {"data_source": "laptop", "reward_model": {"ground_truth": ""}, "extra_info": {"prompt": TALK}}
        batch = {"responses": ids, "attention_mask": mask}
        return Samples([SimpleNamespace(batch=batch, non_tensor_batch=fields)])

    async def main() -> list[dict]:
        tokenizer = SimpleNamespace(decode=lambda ids, skip_special_tokens: "".join(map(chr, ids)))
        naive = manager(SimpleNamespace(), tokenizer, function)
        try:
            return await asyncio.gather(*(naive.run_single(samples(response)) for response in (GOOD, BAD, "")))
        finally:
            await integration.close()

    results = server.score(GOOD, BAD, prompt=f"{TASK}.\n{ASKED}").json()["results"]
    found = asyncio.run(main())
    assert [row["reward_score"] for row in found] == pytest.approx([*(row["score"] for row in results), -10], abs=1e-3)
    assert all(list(row["reward_extra_info"]) == ["score", "probability", "truncated_tokens"] for row in found)
