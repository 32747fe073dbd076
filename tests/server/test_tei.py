"""Text Embeddings Inference's `/predict` and `/rerank`, and SGLang's `/classify`, over the real server."""

import json
import math

import pytest

from tests.server.running import BAD, GOOD, MANIFEST, PROMPT
from tests.server.test_openrlhf import EMPTY, PLAIN, TEMPLATES
from tests.server.test_vllm_pairs import JSON, QUERY, near, results

BEFORE, AFTER, PAD = TEMPLATES["Llama 3"]
TALK = BEFORE.format(p=PROMPT) + AFTER.format(r=GOOD) + PAD
__all__ = ["results"]


def told(server, inputs, **more):
    reply = server.post("/predict", json={"inputs": inputs, **more})
    assert reply.status_code == 200, reply.text
    return reply.json()


def test_predictions_come_as_the_inputs_do(server, results) -> None:
    good, bad = ([{"score": score, "label": "LABEL_0"}] for score in near(results[:2]))
    assert told(server, [PROMPT, GOOD], raw_scores=True) == good
    assert told(server, [[PROMPT, BAD], [PROMPT, GOOD]], raw_scores=True) == [bad, good]
    assert told(server, [[PROMPT, GOOD]], raw_scores=True) == [good]
    chance = [{"score": near(results, "probability")[0], "label": "LABEL_0"}]
    assert told(server, [PROMPT, GOOD]) == told(server, [PROMPT, GOOD], raw_scores=False) == chance


def test_one_text_is_a_conversation(server) -> None:
    logits = near(server.score(GOOD, prompt=PLAIN).json()["results"])
    for inputs in (TALK, [TALK]):
        assert [row["score"] for row in told(server, inputs, raw_scores=True)] == logits
    mixed = told(server, [[QUERY], [PLAIN, GOOD]], raw_scores=True)
    assert [row[0]["score"] for row in mixed] == logits * 2
    empty = told(server, [[BEFORE.format(p=PROMPT) + text] for text in EMPTY], raw_scores=True)
    assert [row[0]["score"] for row in empty] == [-10.0] * len(EMPTY)


def test_reranking_puts_the_best_first(server, results) -> None:
    good, bad, _ = near(results)
    body = {"query": PROMPT, "texts": [BAD, GOOD], "raw_scores": True}
    assert server.post("/rerank", json=body).json() == [{"index": 1, "score": good}, {"index": 0, "score": bad}]
    texts = server.post("/rerank", json=body | {"return_text": True}).json()
    assert [row["text"] for row in texts] == [GOOD, BAD]
    chances = server.post("/rerank", json={"query": PROMPT, "texts": [BAD, GOOD]}).json()
    assert [row["score"] for row in chances] == near(results[:2], "probability")


@pytest.mark.parametrize("path", ["/predict", "/rerank"])
def test_truncation_is_chosen_and_told(server, path) -> None:
    long = "4 gb " + "word " * 9000 + "8 gb"
    body = {"inputs": [PROMPT, long]} if path == "/predict" else {"query": PROMPT, "texts": [long]}
    field = "inputs[1]" if path == "/predict" else "texts[0]"
    scores = set()
    for direction in ("Left", "right"):
        reply = server.post(path, json=body | {"truncate": True, "truncation_direction": direction, "raw_scores": True})
        assert int(reply.headers["x-gapo-truncated"]) > 4000
        scores.add(reply.json()[0]["score"])
    assert len(scores) == 2
    assert all(map(math.isfinite, scores))
    assert int(server.post(path, json=body).headers["x-gapo-truncated"]) > 4000
    for refused in (
        server.post(path, json=body | {"truncate": False}),
        server.post(path + "?truncation=error", json=body),
    ):
        assert refused.status_code == 422
        assert refused.json()["error"].startswith(f"{field}: ")


WRONG = {
    "nothing": ("/predict", {}, 422, "inputs"),
    "a number": ("/predict", {"inputs": 3}, 422, "inputs"),
    "no inputs": ("/predict", {"inputs": []}, 422, "inputs"),
    "an empty row": ("/predict", {"inputs": [["x", "y"], []]}, 422, "inputs"),
    "three texts": ("/predict", {"inputs": ["x", "y", "z"]}, 422, "inputs"),
    "a text among pairs": ("/predict", {"inputs": [["x", "y"], "z"]}, 422, "inputs"),
    "a number in a pair": ("/predict", {"inputs": ["x", 3]}, 422, "inputs"),
    "half a character": ("/predict", {"inputs": [["x", "\ud800"]]}, 422, "inputs"),
    "no template": ("/predict", {"inputs": "x"}, 422, "inputs"),
    "no template in a batch": ("/predict", {"inputs": [["x", "y"], ["z"]]}, 422, "inputs[1]"),
    "an empty response": ("/predict", {"inputs": [["x", "y"], ["x", " "]]}, 422, "inputs[1][1]"),
    "an empty prompt": ("/predict", {"inputs": ["", "y"]}, 422, "inputs[0]"),
    "too many": ("/predict", {"inputs": [["x", "y"]] * 2000}, 413, "inputs"),
    "a huge text": ("/predict", {"inputs": ["x", "y" * 2_000_000]}, 413, "inputs[1]"),
    "an absent model": ("/predict", {"inputs": ["x", "y"], "model": "absent"}, 404, "model"),
    "a third direction": (
        "/predict",
        {"inputs": ["x", "y"], "truncation_direction": "up"},
        422,
        "truncation_direction",
    ),
    "softmax": (
        "/predict",
        {"inputs": ["x", "y"], "parameters": {"function_to_apply": "softmax"}},
        422,
        "parameters.function_to_apply",
    ),
    "no texts": ("/rerank", {"query": "x", "texts": []}, 422, "texts"),
    "a text of a wrong type": ("/rerank", {"query": "x", "texts": ["y", 3]}, 422, "texts[1]"),
    "an empty text": ("/rerank", {"query": "x", "texts": ["y", ""]}, 422, "texts[1]"),
    "no query": ("/rerank", {"texts": ["x"]}, 422, "query"),
    "too many texts": ("/rerank", {"query": "x", "texts": ["y"] * 2000}, 413, "texts"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_named_in_its_form(server, case) -> None:
    path, body, status, field = WRONG[case]
    reply = server.post(path, content=json.dumps(body), headers=JSON)
    error = reply.json()
    assert (reply.status_code, error["error_type"], sorted(error)) == (status, "Validation", ["error", "error_type"])
    assert error["error"].startswith(f"{field}: ")
    assert len(reply.content) < 1000


def test_failures_of_the_server_and_the_key_have_its_form(faulty) -> None:
    server = faulty("--api-key", "s3cret")
    key = {"authorization": "Bearer s3cret"}
    failed = server.post("/predict", json={"inputs": [["x", "y"], ["x", "nan"]]}, headers=key)
    assert (failed.status_code, failed.json()["error_type"]) == (500, "Backend")
    assert "not finite" in failed.json()["error"]
    told = server.post("/predict", json={"inputs": ["x", "y"]})
    assert (told.status_code, sorted(told.json())) == (401, ["error", "error_type"])
    for path, body in (("/score", {"text_1": "x", "text_2": "nan"}), ("/rerank", {"query": "x", "documents": ["nan"]})):
        assert server.post(path, json=body).status_code == 401
        assert server.post(path, json=body, headers=key).json()["error"]["type"] == "InternalServerError"


def test_huggingface_hubs_client_is_answered(server, results) -> None:
    hub = pytest.importorskip("huggingface_hub", reason="its InferenceClient is a client of /predict")
    client = hub.InferenceClient(model=server.rest + "/predict", token="unused")
    (chance,) = near(server.score(GOOD, prompt=PLAIN).json()["results"], "probability")
    (logit,) = near(server.score(GOOD, prompt=PLAIN).json()["results"])
    assert client.text_classification(TALK).score == chance
    assert client.text_classification(TALK, function_to_apply="none").score == logit
    with pytest.raises(Exception, match=r"cannot be told apart|422"):
        client.text_classification("no template")


def test_sglangs_classification_is_told_apart_by_its_text(server) -> None:
    result = server.score(GOOD, prompt=PLAIN).json()["results"][0]
    tokens = result["prompt_tokens"] + result["response_tokens"]
    silent = BEFORE.format(p=PROMPT) + EMPTY[0]
    reply = server.post("/classify", json={"model": MANIFEST["name"], "text": [TALK, silent], "rid": None})
    first, second = reply.json()
    assert first == {
        "embedding": near([result]),
        "meta_info": {"id": reply.headers["x-request-id"], "prompt_tokens": tokens},
    }
    assert second["embedding"] == [-10.0]
    one = server.post("/classify", json={"text": TALK}).json()
    assert one["embedding"] == near([result])
    both = server.post("/classify", json={"text": TALK, "input": TALK}).json()
    assert both["data"][0]["probs"] == near([result])
    long = server.post("/classify", json={"text": BEFORE.format(p=PROMPT) + "word " * 9000})
    assert int(long.headers["x-gapo-truncated"]) > 4000


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"text": []}, 422, "text"),
        ({"text": None}, 422, "text"),
        ({"text": ["no template"]}, 422, "text[0]"),
        ({"text": [TALK, 3]}, 422, "text[1]"),
        ({"text": "\ud800"}, 422, "text[0]"),
        ({"text": [TALK] * 2000}, 413, "text"),
        ({"text": TALK, "model": "absent"}, 404, "model"),
        ({"text": TALK, "input_ids": [1]}, 422, "input_ids"),
    ],
)
def test_what_is_wrong_is_named_to_sglangs_clients(server, body, status, field) -> None:
    reply = server.post("/classify", content=json.dumps(body), headers=JSON)
    assert (reply.status_code, reply.json()["error"]["field"]) == (status, field)
    assert reply.json()["error"]["message"]
