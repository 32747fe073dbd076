"""vLLM's `/classify` over the real server, posted by verl's own reward loop where verl is installed."""

import asyncio
import json
import math
import time
from types import SimpleNamespace

import pytest

from tests.server.running import BAD, GOOD, MANIFEST, PROMPT, running
from tests.server.test_openrlhf import EMPTY, PLAIN, TEMPLATES

BEFORE, AFTER, PAD = TEMPLATES["ChatML, Qwen"]
QUERY = BEFORE.format(p=PROMPT) + AFTER.format(r=GOOD)
TALK = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": [{"type": "text", "text": PROMPT}]},
    {"role": "assistant", "content": GOOD},
]


def probs(server, body: dict) -> list[list[float]]:
    return [row["probs"] for row in server.post("/classify", json=body).json()["data"]]


def test_the_answer_is_vllms(server) -> None:
    reply = server.post("/classify", json={"model": None, "input": QUERY, "use_activation": False, "priority": 0})
    result = server.score(GOOD, prompt=PLAIN, headers={"x-request-id": "ours"}).json()["results"][0]
    body = reply.json()
    assert abs(body.pop("created") - time.time()) < 60
    tokens = result["prompt_tokens"] + result["response_tokens"]
    assert body == {
        "id": f"classify-{reply.headers['x-request-id']}",
        "object": "list",
        "model": MANIFEST["name"],
        "data": [
            {"index": 0, "label": "LABEL_0", "probs": [pytest.approx(result["score"], abs=1e-4)], "num_classes": 1}
        ],
        "usage": {
            "prompt_tokens": tokens,
            "total_tokens": tokens,
            "completion_tokens": 0,
            "prompt_tokens_details": None,
        },
    }


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_template_and_messages_have_their_scores(server, name) -> None:
    before, after, pad = TEMPLATES[name]
    texts = [before.format(p=PROMPT) + after.format(r=response) + pad for response in (GOOD, BAD)]
    results = server.score(GOOD, BAD, prompt=PLAIN).json()["results"]
    logits = [pytest.approx(result["score"], abs=1e-4) for result in results]
    chances = [pytest.approx(result["probability"], abs=1e-4) for result in results]
    assert probs(server, {"input": texts}) == [[logit] for logit in logits]
    assert probs(server, {"input": texts, "use_activation": None})[0] == [logits[0]]
    assert probs(server, {"input": texts, "use_activation": True}) == [[chance] for chance in chances]
    assert probs(server, {"input": texts[0], "truncate_prompt_tokens": -1}) == [[logits[0]]]
    assert probs(server, {"messages": TALK}) == [[logits[0]]]


def test_a_completion_without_visible_text_gets_its_reward(server) -> None:
    texts = [BEFORE.format(p=PROMPT) + text for text in EMPTY]
    assert probs(server, {"input": [*texts, QUERY]})[:-1] == [[-10.0]] * len(EMPTY)
    silent = [*TALK[:-1], {"role": "assistant", "content": None, "tool_calls": []}]
    assert probs(server, {"messages": silent}) == [[-10.0]]


def test_truncation_is_told(server) -> None:
    reply = server.post("/classify", json={"input": BEFORE.format(p=PROMPT) + "word " * 9000})
    assert math.isfinite(reply.json()["data"][0]["probs"][0])
    assert int(reply.headers["x-gapo-truncated"]) > 4000


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({}, 422, "input"),
        ({"input": QUERY, "messages": TALK}, 422, "input"),
        ({"input": []}, 422, "input"),
        ({"input": ["no template"]}, 422, "input[0]"),
        ({"input": [QUERY, ""]}, 422, "input[1]"),
        ({"input": [QUERY, "<|im_start|>assistant\nNo prompt."]}, 422, "input[1]"),
        ({"input": [[1, 2]]}, 422, "input[0]"),
        ({"input": 3}, 422, "input"),
        ({"input": "\ud800"}, 422, "input[0]"),
        ({"input": [QUERY] * 2000}, 413, "input"),
        ({"input": QUERY + "y" * 2_000_000}, 413, "input[0]"),
        ({"input": QUERY, "model": "absent"}, 404, "model"),
        ({"input": QUERY, "use_activation": "yes"}, 422, "use_activation"),
        ({"input": QUERY, "truncate_prompt_tokens": 512}, 422, "truncate_prompt_tokens"),
        ({"messages": []}, 422, "messages"),
        ({"messages": TALK[:-1]}, 422, "messages"),
        ({"messages": TALK[-1:]}, 422, "messages"),
        ({"messages": [3]}, 422, "messages[0]"),
        ({"messages": [{"role": "user", "content": [{"type": "image"}]}]}, 422, "messages[0].content"),
        ({"messages": [{"role": "user", "content": "\ud800"}, TALK[-1]]}, 422, "messages"),
    ],
)
def test_what_is_wrong_is_named(server, body, status, field) -> None:
    content = json.dumps(body)
    reply = server.post("/classify", content=content, headers={"content-type": "application/json"})
    assert (reply.status_code, reply.json()["error"]["field"]) == (status, field)
    assert len(reply.content) < 1000


def test_the_key_is_asked_for() -> None:
    with running("--api-key", "s3cret") as server:
        for headers, status in (({}, 401), ({"authorization": "Bearer s3cret"}, 200)):
            assert server.post("/classify", json={"input": QUERY}, headers=headers).status_code == status


class _Sample(dict):
    """What verl's `DataProto` of one sample is asked for."""

    def __len__(self) -> int:
        return 1

    def __getitem__(self, at: object) -> "_Sample":
        return self


def test_verls_own_reward_loop_gets_its_rewards(server, verl) -> None:
    """`RewardLoopWorker.compute_score` as it is published, without Ray and the vLLM that verl would start."""
    import torch

    loop = verl("verl.experimental.reward_loop.reward_loop")
    worker = object.__new__(loop.RewardLoopWorker)
    worker.reward_router_address = server.rest.removeprefix("http://")
    reward_model = SimpleNamespace(enable=True, model_path=MANIFEST["name"], rollout=SimpleNamespace(name="vllm"))
    worker.config = SimpleNamespace(
        reward=SimpleNamespace(reward_model=reward_model, custom_reward_function=SimpleNamespace(path=None))
    )
    worker.input_tokenizer = SimpleNamespace(decode=lambda ids: "".join(map(chr, ids)), eos_token="\0")

    def template(chat: list[dict[str, str]], **_: object) -> str:
        return "<s>" + BEFORE.format(p=PROMPT) + AFTER.format(r=chat[-1]["content"])

    worker.reward_model_tokenizer = SimpleNamespace(apply_chat_template=template, bos_token="<s>")

    def sample(response: str) -> _Sample:
        ids = torch.tensor([ord(character) for character in response + "\0"])
        data = _Sample()
        data.batch = {"responses": ids, "attention_mask": torch.ones(len(ids) + 4, dtype=torch.long)}
        data.non_tensor_batch = {"raw_prompt": [{"role": "user", "content": PROMPT}]}
        return data

    async def main() -> list[dict]:
        return await asyncio.gather(*(worker.compute_score(sample(text)) for text in (GOOD, BAD, "")))

    scores = [result["score"] for result in server.score(GOOD, BAD, prompt=PLAIN).json()["results"]]
    assert [row["reward_score"] for row in asyncio.run(main())] == pytest.approx([*scores, -10], abs=1e-4)
