"""The reward function in AReaL's own wrapper, in its processes, against the real server."""

import asyncio
import json
import logging
import multiprocessing
import pickle
import socket
import time
from concurrent.futures import ProcessPoolExecutor

import pytest
from gapo import DeadlineExceeded, InvalidInput, TooLarge, Unauthenticated, Unavailable, UnknownModel
from gapo.integrations.areal import RewardFunction, reward_fn

from tests.published import published
from tests.server.running import BAD, GOOD, PROMPT, running
from tests.server.test_openrlhf import EMPTY, PLAIN, TEMPLATES

BEFORE, AFTER, _ = TEMPLATES["ChatML, Qwen"]
ASKED = BEFORE.format(p=PROMPT)


@pytest.fixture(scope="module")
def server():
    with running() as server:
        yield server


@pytest.mark.parametrize("protocol", ["rest", "grpc"])
def test_the_reward_is_the_score_of_the_plain_texts(server, protocol) -> None:
    wanted = [row["score"] for row in server.score(GOOD, BAD, prompt=PLAIN).json()["results"]]
    reward = RewardFunction(getattr(server, protocol))
    columns = {"messages": [], "answer": "8", "url": "http://127.0.0.1:9", "model": "absent"}
    found = [reward(ASKED, AFTER.format(r=response), [1, 2], [3], **columns) for response in (GOOD, BAD)]
    assert found == pytest.approx(wanted, abs=1e-3)
    assert [reward(ASKED, empty, [1], []) for empty in EMPTY] == [-10.0] * len(EMPTY)
    assert RewardFunction(server.rest, empty_reward=-2.5)(ASKED, "", [1], []) == -2.5
    assert RewardFunction(server.rest, timeout=60)(ASKED, "word " * 9000, [1], [3]) < 10


def test_the_server_of_a_path_is_the_environments(server, monkeypatch) -> None:
    monkeypatch.setenv("GAPO_URL", server.rest)
    assert pickle.loads(pickle.dumps(reward_fn))(PROMPT, GOOD, [], []) > 0


@pytest.mark.parametrize(
    ("prompt", "response", "options", "kind"),
    [
        ("<|im_start|>user\n<|im_end|>", GOOD, {}, InvalidInput),
        (ASKED, "\ud800x", {}, InvalidInput),
        (ASKED, "y" * 2_000_000, {}, TooLarge),
        (ASKED, GOOD, {"model": "absent"}, UnknownModel),
        (ASKED, GOOD, {"truncation": "never"}, InvalidInput),
        (ASKED, "word " * 9000, {"truncation": "error"}, InvalidInput),
    ],
)
def test_a_failure_is_no_reward(server, prompt, response, options, kind) -> None:
    with pytest.raises(kind) as caught:
        RewardFunction(server.rest, **options)(prompt, response, [], [])
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)  # or it would break AReaL's pool


def test_an_error_comes_before_areal_would_make_it_a_reward_of_0() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        started = time.monotonic()
        with pytest.raises(DeadlineExceeded):
            RewardFunction(f"http://127.0.0.1:{silent.getsockname()[1]}")(ASKED, GOOD, [], [])
    assert time.monotonic() - started < 15


def test_the_key_is_told_to_the_server_alone() -> None:
    with running("--api-key", "s3cret") as server:
        with pytest.raises(Unauthenticated):
            RewardFunction(server.rest, "wrong")(ASKED, GOOD, [], [])
        reward = RewardFunction(server.rest, "s3cret")
        assert reward(ASKED, GOOD, [], []) > 0
        assert "s3cret" not in repr(reward)


def test_areals_own_wrapper_gets_its_rewards(server) -> None:
    """`AsyncRewardWrapper` as it is published, with processes that inherit nothing."""
    given = {"areal.utils": {"logging": logging}}
    with published("areal==1.0.4", ["areal.api.reward_api"], given=given) as load:
        wrapper = load("areal.api.reward_api").AsyncRewardWrapper
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
            wrapper._executors[1] = pool

            async def rewards(reward: RewardFunction, *responses: str) -> list[float]:
                call = wrapper(reward, max_workers=1)
                return await asyncio.gather(*(call(ASKED, text, [1, 2], [3], answer="8") for text in responses))

            found = asyncio.run(rewards(RewardFunction(server.rest), AFTER.format(r=GOOD), BAD, "<|im_end|>"))
            with pytest.raises(Unavailable):
                asyncio.run(rewards(RewardFunction("http://127.0.0.1:9"), GOOD))
            wrapper._executors.clear()
    wanted = [row["score"] for row in server.score(GOOD, BAD, prompt=PLAIN).json()["results"]]
    assert found == pytest.approx([*wanted, -10], abs=1e-3)


def test_areal_sends_it_to_its_workers(server) -> None:
    """`serialize_value`, JSON and back, as workflows' arguments travel to rollout workers."""
    given = {"areal.utils": {"logging": logging}, "ray": {"ObjectRef": type("ObjectRef", (), {})}}
    with published("areal==1.0.4", ["areal.infra.rpc.serialization"], given=given) as load:
        wire = load("areal.infra.rpc.serialization")
        reward = RewardFunction(server.rest, response_budget=100)
        sent = json.loads(json.dumps(wire.serialize_value({"reward_fn": reward})))
        assert wire.deserialize_value(sent) == {"reward_fn": reward}
