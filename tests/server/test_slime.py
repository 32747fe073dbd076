"""slime's dialect over the real server, asked as slime's own client asks."""

import asyncio
import json
import subprocess
from typing import Any

import httpx
import pytest

from tests.server.running import BAD, GOOD, PROMPT, publish, running
from tests.server.test_openrlhf import EMPTY, PLAIN, TEMPLATES

MESSAGES = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": [{"type": "text", "text": PROMPT}]}]


def expected(server, *responses: str, prompt: str = PLAIN) -> list[float]:
    return [result["score"] for result in server.score(*responses, prompt=prompt).json()["results"]]


@pytest.mark.parametrize("name", TEMPLATES)
def test_the_reward_is_the_score_in_every_template(server, name) -> None:
    before, after, pad = TEMPLATES[name]
    body = {"prompt": before.format(p=PROMPT), "response": after.format(r=GOOD) + pad, "label": None}
    reply = server.post("/rm", json=body)
    assert type(reply.json()) is float
    assert reply.json() == pytest.approx(expected(server, GOOD)[0], abs=1e-4)


@pytest.mark.parametrize("prompt", [PLAIN, MESSAGES], ids=["plain", "messages"])
@pytest.mark.parametrize("label", [None, "", {"answer": [1]}])
def test_prompts_without_a_template_are_taken_too(server, prompt, label) -> None:
    rewards = [server.post("/rm", json={"prompt": prompt, "response": r, "label": label}).json() for r in (GOOD, BAD)]
    assert rewards == pytest.approx(expected(server, GOOD, BAD), abs=1e-4)


@pytest.mark.parametrize("response", EMPTY)
def test_a_completion_without_visible_text_gets_its_reward(server, response) -> None:
    assert server.post("/rm", json={"prompt": PROMPT, "response": response}).json() == -10


def test_truncation_is_told(server) -> None:
    reply = server.post("/rm", json={"prompt": PROMPT, "response": "word " * 9000})
    assert type(reply.json()) is float
    assert int(reply.headers["x-gapo-truncated"]) > 4000
    error = server.post("/rm?truncation=error", json={"prompt": PROMPT, "response": "word " * 9000}).json()["error"]
    assert (error["reason"], error["field"]) == ("too_long", "response")


@pytest.mark.parametrize(
    ("change", "status", "field"),
    [
        ({"prompt": ""}, 422, "prompt"),
        ({"prompt": "<|im_start|>user\n<|im_end|>"}, 422, "prompt"),
        ({"prompt": None}, 422, "prompt"),
        ({"prompt": 3}, 422, "prompt"),
        ({"prompt": [3]}, 422, "prompt"),
        ({"prompt": [{"role": "user", "content": 3}]}, 422, "prompt"),
        ({"prompt": [{"role": "user", "content": [{"type": "image"}]}]}, 422, "prompt"),
        ({"prompt": [{"role": "user", "content": "\ud800"}]}, 422, "prompt"),
        ({"prompt": "\ud800"}, 422, "prompt"),
        ({"response": "\ud800"}, 422, "response"),
        ({"response": None}, 422, "response"),
        ({"response": [GOOD]}, 422, "response"),
        ({"response": "y" * 2_000_000}, 413, "response"),
        ({"model": "absent"}, 404, "model"),
    ],
)
def test_what_is_wrong_is_named(server, change, status, field) -> None:
    content = json.dumps({"prompt": PROMPT, "response": GOOD} | change)
    reply = server.post("/rm", content=content, headers={"content-type": "application/json"})
    assert (reply.status_code, reply.json()["error"]["field"]) == (status, field)
    assert len(reply.content) < 1000


def test_the_model_and_the_key_stand_in_the_url(tmp_path) -> None:
    for name in ("apt", "bold"):
        publish(tmp_path, name, "1")
    with running("--store", str(tmp_path), "--api-key", "s3/cret", stderr=subprocess.PIPE) as server:
        body = {"prompt": PROMPT, "response": GOOD}
        for path, status in (
            ("/rm", 401),
            ("/rm/wrong", 401),
            ("/rm/s3/cret", 200),
            ("/rm/s3/cret?model=bold", 200),
            ("/rm/s3/cret?model=absent", 404),
        ):
            assert server.post(path, json=body).status_code == status
        key = {"authorization": "Bearer s3/cret"}
        reply = httpx.post(server.rest + "/typing/rm/s3/cret", headers=key, timeout=60)
        assert (reply.status_code, "cret" in reply.text) == (404, False)
        server.process.terminate()
        assert "cret" not in server.process.communicate(timeout=30)[1]


def test_slimes_client_gets_its_rewards(server) -> None:
    """What `remote_rm` of slime 0.3.1 does (slime/rollout/rm_hub/__init__.py), which is on no package index."""
    aiohttp = pytest.importorskip("aiohttp", reason="slime's client needs aiohttp")
    before, after, _ = TEMPLATES["ChatML, Qwen"]

    async def rollout() -> list[Any]:
        async def remote_rm(response: str) -> Any:
            payload = {"prompt": before.format(p=PROMPT), "response": response, "label": "8"}
            async with session.post(server.rest + "/rm", json=payload) as reply:
                reply.raise_for_status()
                return await reply.json()

        connector = aiohttp.TCPConnector(limit=64)
        async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=120)) as session:
            return await asyncio.gather(*(remote_rm(after.format(r=response)) for response in (GOOD, BAD, "")))

    assert asyncio.run(rollout()) == pytest.approx([*expected(server, GOOD, BAD), -10], abs=1e-4)
