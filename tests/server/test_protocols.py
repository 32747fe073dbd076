"""What both protocols say beside scores: models, budgets, truncation, keys, request ids, errors, metrics, logs."""

import json
import logging
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import gapo
import grpc
import httpx
import pytest
from gapo.v1 import reward_pb2
from gapo_server.logs import TextFormatter
from gapo_server.rest.schemas import ErrorBody, TeiErrorBody, VllmErrorBody
from google.rpc import error_details_pb2, status_pb2
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from tests.server.running import BAD, GAPO, GOOD, PROMPT, running

SERVER = Path(__file__).parents[2] / "docs/server.md"


def test_models_and_limits_are_told_alike(server) -> None:
    body = server.get("/v1/models").json()
    assert body["models"][0]["default"] is True
    assert body["models"][0]["template"] == "cls-prompt-sep-response-sep/1"
    for url in (server.rest, server.grpc):
        with gapo.Client(url) as client:
            (model,) = client.models()
            assert (model.max_tokens, model.truncation) == (4096, "error")
            assert vars(model) | {"default": True} == body["models"][0]
            assert vars(client.limits()) == body["limits"]


@pytest.mark.parametrize("protocol", ["rest", "grpc"])
def test_budgets_bound_each_field_and_truncation_is_told_by_field(server, protocol) -> None:
    with gapo.Client(getattr(server, protocol)) as client:
        got = client.score("a b c d", "e f g h i", truncation="keep_head", prompt_budget=3, response_budget=2)
        assert (got.prompt_tokens, got.response_tokens) == (3, 2)
        assert (got.prompt_truncated_tokens, got.response_truncated_tokens, got.truncated_tokens) == (1, 3, 4)
        with pytest.raises(gapo.TooLong, match="keep_head") as caught:
            client.score("a b c d", "e f", prompt_budget=3)
        assert caught.value.field == "pairs[0].prompt"
        with pytest.raises(gapo.InvalidInput, match="response_budget"):
            client.score("a", "b", prompt_budget=4000, response_budget=4000)


def test_budgets_are_also_settings_and_a_request_overrides_them() -> None:
    with running("--prompt-budget", "3", "--response-budget", "4") as server, gapo.Client(server.grpc) as client:
        with pytest.raises(gapo.TooLong):
            client.score("a b c d", "e")
        assert client.score("a b c d", "e", prompt_budget=4).prompt_tokens == 4
    done = subprocess.run(
        [*GAPO, "serve", "--prompt-budget", "5000", "--http-port", "0", "--grpc-port", "0"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert "prompt_budget: 5000 is outside" in done.stderr


def test_truncation_is_told_in_a_header_and_in_metadata(server) -> None:
    body = {"pairs": [{"prompt": PROMPT, "response": "y " * 9000}] * 2, "truncation": "keep_both_ends"}
    reply = server.post(json=body)
    cut = sum(result["truncated_tokens"] for result in reply.json()["results"])
    assert cut > 8000
    assert reply.headers["x-gapo-truncated"] == str(cut)
    request = reward_pb2.ScoreRequest(
        pairs=[reward_pb2.Pair(**pair) for pair in body["pairs"]],
        truncation=reward_pb2.TRUNCATION_POLICY_KEEP_BOTH_ENDS,
    )
    with server.stub() as stub:
        _, call = stub.Score.with_call(request, timeout=60)
    assert dict(call.trailing_metadata())["x-gapo-truncated"] == str(cut)
    assert server.metric('gapo_truncated_tokens_total{field="response",model="gapo-mini"}') >= 2 * cut


def test_request_ids_are_echoed_or_made(server) -> None:
    assert server.score(GOOD, headers={"x-request-id": "mine-1"}).headers["x-request-id"] == "mine-1"
    made = server.score(GOOD, headers={"x-request-id": "bad id," * 50}).headers["x-request-id"]
    assert re.fullmatch(r"[0-9a-f]{32}", made)
    assert server.get("/absent", headers={"x-request-id": "mine-2"}).headers["x-request-id"] == "mine-2"
    with server.stub() as stub:
        pairs = [reward_pb2.Pair(prompt="x", response="y")]
        _, call = stub.Score.with_call(
            reward_pb2.ScoreRequest(pairs=pairs), metadata=(("x-request-id", "mine-3"),), timeout=60
        )
        assert dict(call.initial_metadata())["x-request-id"] == "mine-3"
    with gapo.Client(server.grpc) as client, pytest.raises(gapo.UnknownModel) as caught:
        client.score("x", "y", model="absent")
    assert re.fullmatch(r"[0-9a-f]{32}", caught.value.request_id)


def test_grpc_errors_carry_standard_details(server) -> None:
    with server.stub() as stub, pytest.raises(grpc.RpcError) as caught:
        stub.Score(reward_pb2.ScoreRequest(pairs=[reward_pb2.Pair(prompt="x")]), timeout=60)
    told = dict(caught.value.trailing_metadata())
    status = status_pb2.Status.FromString(told["grpc-status-details-bin"])
    assert status.code == grpc.StatusCode.INVALID_ARGUMENT.value[0]
    info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    assert status.details[0].Unpack(info)
    assert (info.reason, info.domain) == ("INVALID_INPUT", "gapo")
    assert status.details[1].Unpack(bad)
    assert bad.field_violations[0].field == "pairs[0].response" == told["gapo-field"]


def test_what_nobody_expected_is_told_alike_and_keeps_its_words(faulty) -> None:
    server = faulty(stderr=subprocess.PIPE)
    reply = server.score("crash", headers={"x-request-id": "crash-1"})
    told = reply.json()["error"]
    assert (reply.status_code, told["reason"], reply.headers["x-request-id"]) == (500, "internal", "crash-1")
    request = reward_pb2.ScoreRequest(pairs=[reward_pb2.Pair(prompt="x", response="crash")])
    with server.stub() as stub, pytest.raises(grpc.RpcError) as caught:
        stub.Score(request, metadata=(("x-request-id", "crash-2"),), timeout=60)
    assert caught.value.code() is grpc.StatusCode.INTERNAL
    assert caught.value.details() == told["message"].replace("crash-1", "crash-2")
    trailing = dict(caught.value.trailing_metadata())
    assert (trailing["gapo-reason"], trailing["x-request-id"]) == ("internal", "crash-2")
    for protocol in ("rest", "grpc"):
        assert server.metric(f'gapo_errors_total{{protocol="{protocol}",reason="internal"}}') == 1
    server.assert_answers()
    server.process.terminate()
    log = server.process.communicate(timeout=30)[1]
    for number in (1, 2):
        assert f"request crash-{number} failed\n  Traceback" in log
    assert "the server's own matter" not in told["message"]
    assert "LookupError: the server's own matter" in log


def test_reflection_lists_the_services(server) -> None:
    with grpc.insecure_channel(server.grpc.removeprefix("grpc://")) as channel:
        ask = reflection_pb2.ServerReflectionRequest(list_services="")
        reply = next(reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo(iter([ask]), timeout=20))
    names = {service.name for service in reply.list_services_response.service}
    assert {"gapo.v1.RewardService", "inference.GRPCInferenceService", "grpc.health.v1.Health"} <= names


def test_a_key_guards_everything_but_health_and_docs() -> None:
    with running("--log-level", "info", env_extra={"GAPO_API_KEY": "s3cret-ключ"}, stderr=subprocess.PIPE) as server:
        for kwargs in ({}, {"headers": {"authorization": "Bearer wrong"}}, {"headers": {"authorization": "Basic x"}}):
            reply = server.score(GOOD, **kwargs)
            assert (reply.status_code, reply.json()["error"]["reason"]) == (401, "unauthenticated")
            assert reply.headers["www-authenticate"] == "Bearer"
        assert server.get("/metrics").status_code == 401
        assert all(server.get(path).status_code == 200 for path in ("/healthz", "/readyz", "/docs", "/openapi.json"))
        assert server.grpc_health() == 1
        query = {"query": [f"<|im_start|>user\n{PROMPT}<|im_end|>\n<|im_start|>assistant\n{GOOD}"]}
        assert server.post("/get_reward", json=query).status_code == 401
        assert server.post("/get_reward/wrong", json=query).status_code == 401
        assert server.post("/get_reward/s3cret-ключ", json=query).json()["rewards"]
        for url in (server.rest, server.grpc):
            with gapo.Client(url) as client, pytest.raises(gapo.Unauthenticated):
                client.score(PROMPT, GOOD)
        server.process.terminate()
        log = server.process.communicate(timeout=30)[1]
    assert "s3cret" not in log
    assert "route=/get_reward/{key:path}" in log


def test_a_key_with_slashes_is_taken_from_the_url_and_never_told() -> None:
    with running("--api-key", "s3c/ret/", stderr=subprocess.PIPE) as server:
        assert server.post("/get_reward/s3c/ret/", json={"query": []}).json()["rewards"] == []
        assert server.post("/get_reward/s3c/ret", json={"query": []}).status_code == 401
        key = {"authorization": "Bearer s3c/ret/"}
        for method, path in (("POST", "/get_reward/s3c%0Aret"), ("GET", "/get_reward/s3c/ret/"), ("GET", "/absent/s")):
            reply = httpx.request(method, server.rest + path, headers=key)
            assert reply.json()["error"]["reason"] in ("not_found", "method_not_allowed")
            assert "s3c" not in reply.text
        server.process.terminate()
        log = server.process.communicate(timeout=30)[1]
    assert "no such path: '/get_reward/'" in log
    assert "no such path: '/absent/s'" in log
    assert "s3c" not in log


def test_a_plain_key_opens_both_protocols() -> None:
    with running("--api-key", "s3cret") as server:
        for url in (server.rest, server.grpc):
            with gapo.Client(url, api_key="s3cret") as client:
                good, bad = client.score_batch([(PROMPT, GOOD), (PROMPT, BAD)])
                assert good.score > bad.score


def test_a_full_queue_refuses_with_the_time_to_wait(faulty) -> None:
    server = faulty("--max-batch-tokens", "512", "--max-queue-tokens", "4000", "--overload-status", "429")
    bulk = threading.Thread(target=server.score, args=("slow response " * 80,) * 20)
    bulk.start()
    while not server.metric("gapo_queue_tokens"):
        time.sleep(0.02)
    refused = server.score(*("slow response " * 80,) * 20)
    bulk.join()
    assert (refused.status_code, refused.json()["error"]["reason"]) == (429, "overloaded")
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    server.assert_answers()


def test_metrics_have_the_names_that_the_documents_promise(server) -> None:
    server.score(GOOD)
    server.score(" ")
    text = server.get("/metrics").text
    promised = re.findall(r"`(gapo_\w+)`", SERVER.read_text(encoding="utf-8").partition("| metric |")[2])
    told = re.findall(r"^# TYPE (gapo_\w+)", text, re.MULTILINE)
    assert sorted(promised) == sorted(name for name in told if not name.endswith("_created"))
    assert "\nprocess_resident_memory_bytes" in text
    assert server.metric('gapo_request_seconds_count{outcome="ok",protocol="rest",route="/v1/score"}') >= 1
    assert server.metric('gapo_errors_total{protocol="rest",reason="invalid_input"}') >= 1


def test_logs_as_json_have_one_object_a_request() -> None:
    with running("--log-format", "json", stderr=subprocess.PIPE) as server:
        server.score(GOOD, headers={"x-request-id": "find-me"})
        with gapo.Client(server.grpc) as client, pytest.raises(gapo.InvalidInput):
            client.score("x", " ")
        server.process.terminate()
        lines = [json.loads(line) for line in server.process.communicate(timeout=30)[1].splitlines()]
    requests = [line for line in lines if line["message"] == "request"]
    assert [(r["protocol"], r["outcome"], r["pairs"]) for r in requests] == [
        ("rest", "ok", 1),
        ("grpc", "invalid_input", 1),
    ]
    assert requests[0]["request_id"] == "find-me"
    assert requests[1]["detail"].startswith("pairs[0].response")
    assert {"time", "level", "seconds", "route"} <= set(requests[0])


def test_what_a_client_sends_makes_no_line_of_its_own_in_the_text_log() -> None:
    forged = "x\n2026-11-26 00:00:00,000 ERROR the batcher died\x1b[2J\u2028\x85\r"
    with running(stderr=subprocess.PIPE) as server:
        assert server.post(json={"pairs": [{"prompt": "a", "response": "b", forged: 1}]}).status_code == 422
        assert server.post(json={"pairs": [{"prompt": "a", "response": "b"}], "model": forged}).status_code == 404
        server.process.terminate()
        lines = server.process.communicate(timeout=30)[1].splitlines()
    assert not [line for line in lines if line.startswith("2026-11-26 00:00") or not line.isprintable()]
    assert any(
        "detail=pairs[0].x\\n2026-11-26 00:00:00,000 ERROR the batcher died\\x1b[2J\\u2028" in line for line in lines
    )


def test_a_traceback_in_the_text_log_is_indented_to_its_last_line() -> None:
    try:
        raise LookupError("x\n2026-11-26 00:00:00,000 ERROR the batcher died\x1b[2J")
    except LookupError:
        record = logging.LogRecord("gapo", logging.ERROR, "", 0, "request %s failed", ("a",), sys.exc_info())
    first, *rest = TextFormatter().format(record).splitlines()
    assert first.endswith("ERROR request a failed")
    assert rest[-1] == "  2026-11-26 00:00:00,000 ERROR the batcher died\\x1b[2J"
    assert all(line.startswith("  ") for line in rest)


DIALECTS = {
    "/classify": ("ClassifyBody", "TextBody"),
    "/pooling": ("PoolingBody",),
    "/score": ("TextPairsBody",),
    "/rerank": ("RerankBody", "TeiRerankBody"),
    "/v1/rerank": ("RerankBody",),
    "/v2/rerank": ("RerankBody",),
    "/predict": ("PredictBody",),
}


@pytest.mark.parametrize("path", DIALECTS)
def test_the_examples_of_the_dialects_are_answered(server, path) -> None:
    document = server.get("/openapi.json").json()
    schema = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]
    names = [one["$ref"].rpartition("/")[2] for one in schema.get("oneOf", [schema])]
    assert names == list(DIALECTS[path])
    for name in names:
        (example,) = document["components"]["schemas"][name]["examples"]
        assert server.post(path, json=example).status_code == 200


def test_the_example_of_an_inference_is_answered(server) -> None:
    methods = server.get("/openapi.json").json()["paths"]["/v2/models/{model_name}/infer"]["post"]
    (example,) = methods["requestBody"]["content"]["application/json"]["schema"]["examples"]
    assert server.post("/v2/models/gapo-mini/infer", json=example).json()["id"] == example["id"]


def test_openapi_describes_the_bodies(server) -> None:
    document = server.get("/openapi.json").json()
    assert {"/v1/score", "/v1/models", "/get_reward", "/healthz", "/readyz", "/metrics"} <= set(document["paths"])
    assert "prompt_budget" in document["components"]["schemas"]["ScoreBody"]["properties"]


@pytest.mark.parametrize("key", ["", "s3cret"])
def test_openapi_describes_the_errors_that_come_and_the_key_where_there_is_one(key) -> None:
    options = (
        "--max-body-bytes",
        "1000",
        "--body-timeout",
        "1",
        "--request-timeout",
        "0.001",
        "--overload-status",
        "429",
    )
    with running(*options, env_extra={"GAPO_API_KEY": key} if key else None) as server:
        document = server.get("/openapi.json").json()
        bearer = {"authorization": f"Bearer {key or 'any'}"}
        body = {
            "/v1/score": {"pairs": [{"prompt": "x", "response": "y"}]},
            "/get_reward": {"query": ["<|assistant|>y"]},
            "/rm": {"prompt": "x", "response": "y"},
            "/classify": {"input": "<|user|>x<|assistant|>y"},
            "/pooling": {"input": "<|user|>x<|assistant|>y"},
            "/score": {"text_1": "x", "text_2": "y"},
            "/v1/rerank": {"query": "x", "documents": ["y"]},
            "/v2/rerank": {"query": "x", "documents": ["y"]},
            "/predict": {"inputs": ["x", "y"]},
        }
        kinds = dict.fromkeys(("/classify", "/pooling", "/score", "/v1/rerank", "/v2/rerank"), VllmErrorBody)
        kinds["/predict"] = TeiErrorBody
        seen = set()
        for path, content in body.items():
            for wrong, headers in (
                ({}, bearer),
                (content | {"model": "absent"}, bearer),
                (content | {"model": "x" * 1000}, bearer),
                (content, bearer | {"content-encoding": "br"}),
                (content, {}),
            ):
                reply = server.post(path, json=wrong, headers=headers)
                kind = kinds.get(path, ErrorBody)
                kind.model_validate(reply.json())
                told = document["paths"][path]["post"]["responses"][str(reply.status_code)]
                assert told["content"]["application/json"]["schema"]["$ref"].endswith(f"/{kind.__name__}")
                if kind is not TeiErrorBody:
                    assert reply.json()["error"]["reason"] in told["description"].split(", ")
                seen.add(reply.status_code)
    assert seen >= {422, 404, 413, 415, 401 if key else 504}
    for method in (method for path in body for method in document["paths"][path].values()):
        assert set(method["responses"]) - {"401"} == {"200", "404", "408", "413", "415", "422", "429", "500", "504"}
    assert "HTTPValidationError" not in json.dumps(document)
    guarded = {path for path, methods in document["paths"].items() for told in methods.values() if "security" in told}
    models = [f"/v2/models/{{model_name}}{version}" for version in ("", "/versions/{model_version}")]
    inference = {path + what for path in models for what in ("", "/ready", "/config", "/infer")} | {"/v2"}
    paths = {*body, *inference, "/rerank", "/v1/check", "/v1/gate", "/v1/models", "/v1/policies", "/metrics"}
    assert guarded == (paths if key else set())
    assert document["components"].get("securitySchemes", {}) == (
        {"HTTPBearer": {"type": "http", "scheme": "bearer"}} if key else {}
    )
    for path, methods in document["paths"].items():
        assert ("401" in methods.get("post", methods.get("get"))["responses"]) == (path in guarded)
    assert set(document["paths"]["/readyz"]["get"]["responses"]) == {"200", "503"}
    assert set(document["paths"]["/metrics"]["get"]["responses"]["200"]["content"]) == {"text/plain"}
