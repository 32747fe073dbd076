"""Hostile and unlucky clients over both protocols: each gets a clear error, and the server answers afterwards."""

import gzip
import json
import signal
import socket
import subprocess
import sys
import time

import grpc
import httpx
import pytest
from gapo.v1 import reward_pb2

from tests.server.running import GOOD, PROMPT, running

JSON = {"content-type": "application/json"}
ONE = {"prompt": "x", "response": "y"}


def _pairs(**changes: object) -> bytes:
    return json.dumps({"pairs": [ONE | changes]}).encode()


REST = {
    "no body": (b"", 422, "body"),
    "not JSON": (b"{", 422, "body"),
    "not UTF-8": (b'{"pairs": "\xff"}', 422, "body"),
    "UTF-16": (json.dumps({"pairs": [ONE]}).encode("utf-16"), 422, "body"),
    "a list": (b"[]", 422, "body"),
    "null": (b"null", 422, "body"),
    "no pairs": (b"{}", 422, "pairs"),
    "empty pairs": (b'{"pairs": []}', 422, "pairs"),
    "pairs of a wrong type": (b'{"pairs": {"prompt": "x"}}', 422, "pairs"),
    "a pair of a wrong type": (b'{"pairs": [3]}', 422, "pairs[0]"),
    "a number as text": (_pairs(response=3), 422, "pairs[0].response"),
    "null as text": (_pairs(prompt=None), 422, "pairs[0].prompt"),
    "an empty prompt": (_pairs(prompt=""), 422, "pairs[0].prompt"),
    "white space": (_pairs(response=" \n\t\u2003"), 422, "pairs[0].response"),
    "only control characters": (_pairs(response="\0\0"), 422, "pairs[0].response"),
    "a lone surrogate": (_pairs(response="\ud800"), 422, "pairs[0].response"),
    "an unknown key": (b'{"pairs": [{"prompt": "x", "response": "y", "x": 1}]}', 422, "pairs[0].x"),
    "an unknown policy": (b'{"pairs": [{"prompt":"x","response":"y"}], "truncation": "cut"}', 422, "truncation"),
    "a budget of nothing": (b'{"pairs": [{"prompt":"x","response":"y"}], "prompt_budget": 0}', 422, "prompt_budget"),
    "a budget beyond the model": (
        b'{"pairs": [{"prompt":"x","response":"y"}], "response_budget": 5000}',
        422,
        "response_budget",
    ),
    "deep nesting": (b'{"pairs": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", 422, None),
    "deep objects": (b'{"a":' * 100_000, 422, None),
    "a huge number": (b'{"pairs": ' + b"9" * 1_000_000 + b"}", 422, None),
    "NaN": (b'{"pairs": NaN}', 422, "pairs"),
    "ten megabytes": (b"x" * 10_000_000, 413, "body"),
    "a text of two megabytes": (_pairs(response="y" * 2_000_000), 413, "pairs[0].response"),
    "too many pairs": (json.dumps({"pairs": [ONE] * 2000}).encode(), 413, "pairs"),
    "too many tokens": (json.dumps({"pairs": [{"prompt": "x", "response": "y " * 2000}] * 200}).encode(), 413, "pairs"),
    "too long": (_pairs(response="y " * 9000), 422, "pairs[0].response"),
    "too long a prompt": (_pairs(prompt="y " * 9000), 422, "pairs[0].prompt"),
}


@pytest.mark.parametrize("case", REST)
def test_rest(server, case) -> None:
    content, status, field = REST[case]
    reply = server.post(content=content, headers=JSON)
    assert reply.status_code == status, reply.text[:500]
    error = reply.json()["error"]
    assert field is None or error["field"] == field
    assert error["message"]
    assert len(reply.content) < 1000
    server.assert_answers()


def test_malformed_json_is_told_with_its_place_and_reason(server) -> None:
    error = server.post(content=b'{"pairs":[', headers=JSON).json()["error"]
    assert error == {
        "reason": "invalid_input",
        "field": "body",
        "message": "is not JSON at character 10: Expecting value",
    }


def test_a_nul_inside_a_text_is_only_a_character(server) -> None:
    reply = server.score(GOOD, GOOD.replace("laptop", "lap\0top"))
    assert reply.status_code == 200
    first, second = reply.json()["results"]
    assert first == second  # the tokenizer leaves control characters out


@pytest.mark.parametrize(
    ("method", "path", "status", "reason", "allow"),
    [
        ("GET", "/absent", 404, "not_found", None),
        ("GET", "/v1/score", 405, "method_not_allowed", "POST"),
        ("DELETE", "/get_reward", 405, "method_not_allowed", "POST"),
        ("POST", "/healthz", 405, "method_not_allowed", "GET, HEAD"),
        ("PUT", "/v1/models", 405, "method_not_allowed", "GET, HEAD"),
    ],
)
def test_wrong_paths_and_methods(server, method, path, status, reason, allow) -> None:
    reply = httpx.request(method, server.rest + path)
    assert (reply.status_code, reply.json()["error"]["reason"]) == (status, reason)
    assert reply.headers.get("allow") == allow


@pytest.mark.parametrize("path", ["/", "/healthz", "/readyz", "/metrics", "/v1/models", "/docs"])
def test_head_is_answered_as_get_without_a_body(server, path) -> None:
    with httpx.Client(base_url=server.rest) as client:  # one connection: a body would be read as the next answer
        head, got = client.head(path), client.get(path)
    assert (head.status_code, head.content, got.status_code) == (200, b"", 200)
    assert head.headers["content-type"] == got.headers["content-type"]
    assert int(head.headers["content-length"]) > 0


def test_a_forgotten_content_type_is_named(server) -> None:
    reply = server.post(content=_pairs(), headers={"content-type": "application/x-www-form-urlencoded"})
    assert reply.status_code == 422
    assert "content-type: application/json" in reply.json()["error"]["message"]


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "br", "identity, gzip"])
def test_a_compressed_body_is_told_as_such(server, encoding) -> None:
    for content in (gzip.compress(_pairs()), _pairs()):
        reply = server.post(content=content, headers=JSON | {"content-encoding": encoding})
        error = reply.json()["error"]
        assert (reply.status_code, error["reason"], error["field"]) == (415, "unsupported_encoding", "content-encoding")
        assert error["message"].endswith("send it uncompressed")
    assert server.post(content=_pairs(), headers=JSON | {"content-encoding": "Identity"}).status_code == 200


def test_grpcs_own_compression_is_read(server) -> None:
    with server.stub() as stub:
        request = reward_pb2.ScoreRequest(pairs=[reward_pb2.Pair(**ONE)])
        assert stub.Score(request, timeout=60, compression=grpc.Compression.Gzip).results


GRPC = {
    "no pairs": (reward_pb2.ScoreRequest(), "INVALID_ARGUMENT", "pairs"),
    "an empty prompt": (
        reward_pb2.ScoreRequest(pairs=[reward_pb2.Pair(response="y")]),
        "INVALID_ARGUMENT",
        "pairs[0].prompt",
    ),
    "an unknown policy": (
        reward_pb2.ScoreRequest(pairs=[reward_pb2.Pair(**ONE)], truncation=77),
        "INVALID_ARGUMENT",
        "truncation",
    ),
    "a negative budget": (
        reward_pb2.ScoreRequest(pairs=[reward_pb2.Pair(**ONE)], prompt_budget=-1),
        "INVALID_ARGUMENT",
        "prompt_budget",
    ),
    "an unknown model": (
        reward_pb2.ScoreRequest(pairs=[reward_pb2.Pair(**ONE)], model="\u00e4bsent\0"),
        "NOT_FOUND",
        "model",
    ),
    "ten megabytes": (
        reward_pb2.ScoreRequest(pairs=[reward_pb2.Pair(prompt="x", response="y" * 10_000_000)]),
        "RESOURCE_EXHAUSTED",
        None,
    ),
    "two megabytes": (
        reward_pb2.ScoreRequest(pairs=[reward_pb2.Pair(prompt="x", response="y" * 2_000_000)]),
        "RESOURCE_EXHAUSTED",
        "pairs[0].response",
    ),
    "too many pairs": (reward_pb2.ScoreRequest(pairs=[reward_pb2.Pair(**ONE)] * 2000), "RESOURCE_EXHAUSTED", "pairs"),
}


@pytest.mark.parametrize("case", GRPC)
def test_grpc(server, case) -> None:
    request, code, field = GRPC[case]
    with server.stub() as stub, pytest.raises(grpc.RpcError) as caught:
        stub.Score(request, timeout=60)
    assert caught.value.code().name == code
    assert caught.value.details()
    assert field is None or dict(caught.value.trailing_metadata())["gapo-field"] == field
    server.assert_answers()


@pytest.mark.parametrize(
    "junk",
    [b"\xff" * 100, b"\x0a\x05\x0a\x03\xff\xfe\xfd", b"\x0a\xff\xff\xff\xff\x0f"],
    ids=["no fields", "not UTF-8", "a length of 4 GB"],
)
def test_grpc_bytes_that_are_no_message(server, junk) -> None:
    with grpc.insecure_channel(server.grpc.removeprefix("grpc://")) as channel:
        raw = channel.unary_unary("/gapo.v1.RewardService/Score")
        with pytest.raises(grpc.RpcError) as caught:
            raw(junk, timeout=60)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert caught.value.details().startswith("request: is not a gapo.v1.ScoreRequest of valid UTF-8")
    server.assert_answers()


def test_bytes_of_another_protocol_on_both_ports(server) -> None:
    host, port = server.address
    for number in (port, int(server.grpc.rsplit(":", 1)[1])):
        with socket.create_connection((host, number), timeout=10) as connection:
            connection.sendall(b"\x16\x03\x01\x00\xff" + b"\0" * 500)
    server.assert_answers()


def test_a_slow_head_and_a_slow_body_are_given_up() -> None:
    with running("--body-timeout", "1") as server:
        head = b"POST /v1/score HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n"
        for sent in (b"", b"POST /v1", head, head + b"\r\n{"):
            with socket.create_connection(server.address, timeout=10) as connection:
                connection.sendall(sent)
                answer = b"".join(iter(lambda c=connection: c.recv(4096), b""))
            if sent.endswith(b"{"):
                assert answer.startswith(b"HTTP/1.1 408"), answer
            else:
                assert answer == b""
        for _ in range(200):  # half-open connections left behind do no harm
            connection = socket.create_connection(server.address)
            connection.sendall(head)
            connection.detach()
        server.assert_answers()


CLIENT = """
import sys, gapo
with gapo.Client(sys.argv[1], timeout=600) as client:
    print("asking", flush=True)
    client.score_batch([("a prompt", "a slow response " * 50)] * 64)
"""


@pytest.mark.parametrize("protocol", ["rest", "grpc"])
def test_a_killed_client_is_dropped_from_the_queue(faulty, protocol) -> None:
    server = faulty("--max-batch-tokens", "512")  # about two pairs a batch, a quarter second each
    command = [sys.executable, "-c", CLIENT, getattr(server, protocol)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as client:
        assert client.stdout.readline() == "asking\n"
        _wait(lambda: server.metric("gapo_queue_tokens") > 0)
        client.send_signal(signal.SIGKILL)
    _wait(lambda: server.metric('gapo_dropped_pairs_total{reason="cancelled"}') > 10)
    _wait(lambda: server.metric("gapo_queue_tokens") == 0)
    assert server.metric("gapo_inflight_bytes") == 0
    server.assert_answers()


@pytest.mark.parametrize("sent", [0.5, 1.0])
def test_a_connection_reset_in_the_middle_of_a_request(server, sent) -> None:
    body = json.dumps({"pairs": [{"prompt": PROMPT, "response": GOOD * 100}] * 16}).encode()
    head = f"POST /v1/score HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    with socket.create_connection(server.address) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        connection.sendall(head + body[: int(len(body) * sent)])
    server.assert_answers()


def test_a_grpc_deadline_drops_what_waits(faulty) -> None:
    server = faulty("--max-batch-tokens", "512")
    pairs = [reward_pb2.Pair(prompt="a prompt", response="a slow response " * 50)] * 64
    with server.stub() as stub, pytest.raises(grpc.RpcError) as caught:
        stub.Score(reward_pb2.ScoreRequest(pairs=pairs), timeout=0.8)
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    _wait(lambda: server.metric("gapo_queue_tokens") == 0)
    server.assert_answers()


def _wait(condition, seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "did not happen in time"
        time.sleep(0.05)
