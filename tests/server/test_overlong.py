"""Bodies of megabytes that are wrong: each is refused at its first fault, and everybody else is answered meanwhile."""

import json
import threading
import time

import grpc
import pytest
from gapo.chat import split
from gapo_server.rest.dialects.sglang import TextBody
from gapo_server.rest.dialects.tei import PredictBody, TeiRerankBody
from gapo_server.rest.dialects.vllm_schemas import ClassifyBody, RerankBody, TextPairsBody
from gapo_server.rest.schemas import OpenRLHFBody, ScoreBody
from pydantic import ValidationError

JSON = {"content-type": "application/json"}
KEYS = {str(number): 0 for number in range(200_000)}


@pytest.mark.parametrize(
    ("path", "body", "status", "field"),
    [
        ("/v1/score", {"pairs": [0] * 500_000}, 413, "pairs"),
        ("/v1/score", {"pairs": [{}] * 500_000}, 413, "pairs"),
        ("/v1/score", {"pairs": [{"prompt": "x", "response": "y", **KEYS}]}, 422, "pairs[0].0"),
        ("/get_reward", {"query": [0] * 500_000}, 413, "query"),
        ("/get_reward", {"query": ["x"], "prompts": [0] * 500_000}, 413, "prompts"),
        ("/get_reward", {"query": ["a" * 500_000 + "b"], "prompts": ["a" * 500_000 + "c"]}, 422, "query[0]"),
        ("/rm", {"prompt": [{}] * 500_000, "response": "y"}, 413, "prompt"),
        ("/rm", {"prompt": "<|im_end|>" * 100_000, "response": "y"}, 422, "prompt"),
        ("/classify", {"messages": [{"role": "assistant"}] * 250_000}, 413, "messages"),
        ("/score", {"text_1": "x", "text_2": [0] * 500_000}, 413, "text_2"),
        ("/rerank", {"query": "x", "documents": [0] * 500_000}, 413, "documents"),
    ],
    ids=[
        "numbers",
        "empty pairs",
        "unknown keys",
        "queries",
        "prompts",
        "a prompt that repeats itself",
        "a long talk",
        "marks alone",
        "many turns",
        "many responses",
        "many documents",
    ],
)
def test_others_are_answered_meanwhile(server, path, body, status, field) -> None:
    replies = []
    content = json.dumps(body, separators=(",", ":")).encode()
    asking = threading.Thread(target=lambda: replies.append(server.post(path, content=content, headers=JSON)))
    asking.start()
    longest = 0.0
    while asking.is_alive():
        started = time.monotonic()
        assert server.get("/healthz").status_code == 200
        longest = max(longest, time.monotonic() - started)
    assert (replies[0].status_code, replies[0].json()["error"]["field"]) == (status, field)
    assert longest < 4  # parsing the JSON holds the loop, for a fraction of this


def test_too_many_pairs_are_counted_before_they_are_looked_at(server) -> None:
    reply = server.post(content=b'{"pairs":[' + b"0," * 1024 + b"0]}", headers=JSON)
    assert reply.status_code == 413
    assert reply.json()["error"] == {
        "reason": "too_large",
        "field": "pairs",
        "message": "holds 1025; send at most 1024 a request",
    }
    with grpc.insecure_channel(server.grpc.removeprefix("grpc://")) as channel, pytest.raises(grpc.RpcError) as caught:
        channel.unary_unary("/gapo.v1.RewardService/Score")(b"\x0a\x00" * 500_000, timeout=60)
    assert caught.value.details() == "pairs: holds 500000; send at most 1024 a request"


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (ScoreBody, {"pairs": [0] * 1000}),
        (ScoreBody, {"pairs": [], **KEYS}),
        (ScoreBody, {"pairs": [KEYS] * 1000}),
        (OpenRLHFBody, {"query": [0] * 1000, "prompts": [0] * 1000}),
        (ClassifyBody, {"input": [0] * 1000, "messages": [{}] * 1000}),
        (TextPairsBody, {"text_1": [0] * 1000, "text_2": [0] * 1000}),
        (RerankBody, {"query": "x", "documents": [0] * 1000}),
        (TextBody, {"text": [0] * 1000}),
        (PredictBody, {"inputs": [[0]] * 1000}),
        (TeiRerankBody, {"query": "x", "texts": [0] * 1000}),
    ],
)
def test_few_faults_are_looked_for(kind, body) -> None:
    with pytest.raises(ValidationError) as caught:
        kind.model_validate(body)
    assert caught.value.error_count() <= 3


def test_the_body_is_described_to_clients(server) -> None:
    described = server.get("/openapi.json").json()
    for path, name in (
        ("/v1/score", "ScoreBody"),
        ("/get_reward", "OpenRLHFBody"),
        ("/rm", "SlimeBody"),
    ):
        content = described["paths"][path]["post"]["requestBody"]["content"]
        assert content["application/json"]["schema"]["$ref"] == f"#/components/schemas/{name}"


@pytest.mark.parametrize("cut", [0, 1, 5, 21, 22, 37])
def test_the_end_of_a_repetitive_prompt_is_found(cut) -> None:
    prompt = "ab" * 10 + "aab" * 6
    expected = (prompt[cut:], "x y") if len(prompt) - cut >= 16 else None
    assert split(prompt[cut:] + "x y", prompt) == expected
