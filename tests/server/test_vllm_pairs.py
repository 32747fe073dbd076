"""vLLM's `/score`, `/rerank` and `/pooling` over the real server."""

import json
import math

import pytest

from tests.server.running import BAD, GOOD, MANIFEST, PROMPT
from tests.server.test_openrlhf import EMPTY, PLAIN, TEMPLATES

BEFORE, AFTER, _ = TEMPLATES["ChatML, Qwen"]
QUERY = BEFORE.format(p=PROMPT) + AFTER.format(r=GOOD)
OTHER = "Describe a laptop. memory: 4 gb, price range: expensive"
JSON = {"content-type": "application/json"}


@pytest.fixture(scope="module")
def results(server):
    """Of (PROMPT, GOOD), (PROMPT, BAD) and (OTHER, BAD)."""
    return [*server.score(GOOD, BAD).json()["results"], *server.score(BAD, prompt=OTHER).json()["results"]]


def near(results, key="score"):
    return [pytest.approx(result[key], abs=1e-4) for result in results]


def scores(server, body: dict) -> list[float]:
    reply = server.post("/score", json=body)
    assert reply.status_code == 200, reply.text
    assert [row["index"] for row in reply.json()["data"]] == list(range(len(reply.json()["data"])))
    return [row["score"] for row in reply.json()["data"]]


@pytest.mark.parametrize(
    "names", [("text_1", "text_2"), ("queries", "documents"), ("queries", "items"), ("data_1", "data_2")]
)
def test_scores_are_of_one_prompt_or_of_pairs(server, results, names) -> None:
    good, bad, other = near(results)
    first, second = names
    assert scores(server, {first: PROMPT, second: GOOD, "user": "x"}) == [good]
    assert scores(server, {first: [PROMPT], second: [BAD, GOOD]}) == [bad, good]
    assert scores(server, {first: [PROMPT, OTHER], second: [GOOD, BAD]}) == [good, other]


def test_the_answer_is_vllms(server, results) -> None:
    reply = server.post("/score", json={"model": MANIFEST["name"], "text_1": PROMPT, "text_2": [GOOD, BAD]})
    body = reply.json()
    tokens = sum(result["prompt_tokens"] + result["response_tokens"] for result in results[:2])
    assert body["usage"]["prompt_tokens"] == body["usage"]["total_tokens"] == tokens
    assert (body["id"], body["object"], body["model"]) == (
        f"score-{reply.headers['x-request-id']}",
        "list",
        MANIFEST["name"],
    )
    assert body["data"][0] == {"index": 0, "object": "score", "score": near(results)[0]}


@pytest.mark.parametrize("switch", ["use_activation", "activation", "softmax"])
def test_an_activation_gives_probabilities(server, results, switch) -> None:
    chances = near(results[:2], "probability")
    assert scores(server, {"text_1": PROMPT, "text_2": [GOOD, BAD], switch: True}) == chances
    assert scores(server, {"text_1": PROMPT, "text_2": [GOOD, BAD], switch: False}) == near(results[:2])
    ranked = server.post("/rerank", json={"query": PROMPT, "documents": [BAD, GOOD], switch: True}).json()["results"]
    assert [row["relevance_score"] for row in ranked] == chances


@pytest.mark.parametrize("path", ["/rerank", "/v1/rerank", "/v2/rerank"])
def test_reranking_puts_the_best_first(server, results, path) -> None:
    good, bad, _ = near(results)
    reply = server.post(path, json={"query": PROMPT, "documents": [BAD, GOOD, BAD], "return_documents": True})
    body = reply.json()
    assert body.pop("usage").keys() == {"prompt_tokens", "total_tokens"}
    assert body == {
        "id": f"rerank-{reply.headers['x-request-id']}",
        "model": MANIFEST["name"],
        "results": [
            {"index": 1, "document": {"text": GOOD, "multi_modal": None}, "relevance_score": good},
            {"index": 0, "document": {"text": BAD, "multi_modal": None}, "relevance_score": bad},
            {"index": 2, "document": {"text": BAD, "multi_modal": None}, "relevance_score": bad},
        ],
    }
    best = server.post(path, json={"query": PROMPT, "documents": [BAD, GOOD, BAD], "top_n": 1}).json()["results"]
    assert [row["index"] for row in best] == [1]
    assert len(server.post(path, json={"query": PROMPT, "documents": [BAD], "top_n": 9}).json()["results"]) == 1


def test_pooling_gives_the_logit_of_conversations(server) -> None:
    result = server.score(GOOD, prompt=PLAIN).json()["results"][0]
    reply = server.post("/pooling", json={"input": [QUERY, BEFORE.format(p=PROMPT) + EMPTY[0]], "task": "classify"})
    assert [row["data"] for row in reply.json()["data"]] == [near([result]), [-10.0]]
    assert reply.json()["data"][0]["object"] == "pooling"
    talk = [{"role": "user", "content": PLAIN}, {"role": "assistant", "content": GOOD}]
    told = server.post("/pooling", json={"messages": talk, "use_activation": True}).json()["data"]
    assert [row["data"] for row in told] == [near([result], "probability")]


def test_truncation_is_told_and_can_be_chosen(server) -> None:
    body = {"text_1": PROMPT, "text_2": "word " * 9000}
    for extra in ({}, {"truncation_side": "left"}, {"truncation_side": "right", "truncate_prompt_tokens": -1}):
        reply = server.post("/score", json=body | extra)
        assert math.isfinite(reply.json()["data"][0]["score"])
        assert int(reply.headers["x-gapo-truncated"]) > 4000
    refused = server.post("/score?truncation=error", json=body)
    assert (refused.status_code, refused.json()["error"]["field"]) == (422, "text_2[0]")


WRONG = {
    "nothing": ("/score", {}, 422, "text_1"),
    "half": ("/score", {"text_1": "x"}, 422, "text_1"),
    "names of two kinds": ("/score", {"text_1": "x", "documents": ["y"]}, 422, "text_1"),
    "three for two": ("/score", {"text_1": ["x"] * 3, "text_2": ["y"] * 2}, 422, "text_1"),
    "no prompts": ("/score", {"text_1": [], "text_2": ["y"]}, 422, "text_1"),
    "no responses": ("/score", {"text_1": "x", "text_2": []}, 422, "text_2"),
    "an empty response": ("/score", {"queries": "x", "documents": ["y", " "]}, 422, "documents[1]"),
    "an empty prompt of many": ("/score", {"data_1": ["x", ""], "data_2": ["y", "z"]}, 422, "data_1[1]"),
    "an empty prompt of all": ("/score", {"data_1": "", "data_2": ["y", "z"]}, 422, "data_1"),
    "half a character": ("/score", {"text_1": "x", "text_2": ["\ud800"]}, 422, "text_2[0]"),
    "token ids": ("/score", {"text_1": "x", "text_2": [[1, 2]]}, 422, "text_2[0]"),
    "too many": ("/score", {"text_1": "x", "text_2": ["y"] * 2000}, 413, "text_2"),
    "a huge text": ("/score", {"text_1": "x", "text_2": ["y" * 2_000_000]}, 413, "text_2[0]"),
    "an absent model": ("/score", {"text_1": "x", "text_2": "y", "model": "absent"}, 404, "model"),
    "a number of tokens": (
        "/score",
        {"text_1": "x", "text_2": "y", "truncate_prompt_tokens": 9},
        422,
        "truncate_prompt_tokens",
    ),
    "no documents": ("/v1/rerank", {"query": "x", "documents": []}, 422, "documents"),
    "documents of a wrong type": ("/v2/rerank", {"query": "x", "documents": {"text": "y"}}, 422, "documents"),
    "a document of a wrong type": ("/rerank", {"query": "x", "documents": ["y", 3]}, 422, "documents[1]"),
    "no query": ("/rerank", {"documents": ["y"]}, 422, "query"),
    "an empty query": ("/rerank", {"query": " ", "documents": ["y"]}, 422, "query"),
    "a negative number": ("/rerank", {"query": "x", "documents": ["y"], "top_n": -1}, 422, "top_n"),
    "too many documents": ("/rerank", {"query": "x", "documents": ["y"] * 2000}, 413, "documents"),
    "a list": ("/rerank", [], 422, "body"),
    "nothing to pool": ("/pooling", {}, 422, "input"),
    "another task": ("/pooling", {"input": QUERY, "task": "embed"}, 422, "task"),
    "base64": ("/pooling", {"input": QUERY, "encoding_format": "base64"}, 422, "encoding_format"),
    "dimensions": ("/pooling", {"input": QUERY, "dimensions": 8}, 422, "dimensions"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_named_in_vllms_form(server, case) -> None:
    path, body, status, field = WRONG[case]
    reply = server.post(path, content=json.dumps(body), headers=JSON)
    error = reply.json()["error"]
    assert (reply.status_code, error["field"], error["param"], error["code"]) == (status, field, field, status)
    assert error["type"] == ("NotFoundError" if status == 404 else "BadRequestError")
    assert error["message"]
    assert len(reply.content) < 1000
