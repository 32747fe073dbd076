"""Starting and stopping: options, IPv6, draining, signals."""

import os
import subprocess
import threading
import time

import grpc
import httpx
import pytest
from gapo.v1 import reward_pb2
from gapo_server.config import Settings
from grpc_health.v1 import health_pb2, health_pb2_grpc
from typer.testing import CliRunner

from tests.server.running import GAPO, GOOD, Running, running

BULK = ("--max-batch-tokens", "128", "--max-queue-tokens", "100000")
"""A server that works long on one request."""
STOPPING = grpc.StatusCode.UNAVAILABLE, "stopping", "1"


def told(error: grpc.RpcError) -> tuple[grpc.StatusCode, str, str]:
    trailing = dict(error.trailing_metadata())
    return error.code(), trailing.get("gapo-reason", ""), trailing.get("gapo-retry-after", "")


def wait_until_stopping(server: Running) -> None:
    end = time.monotonic() + 10
    while server.get("/readyz").status_code != 503:
        assert time.monotonic() < end
        time.sleep(0.02)


def test_every_setting_is_a_flag_with_its_variable_and_a_sentence() -> None:
    from gapo.cli import build

    shown = CliRunner().invoke(build("serve"), ["serve", "--help"], env={"COLUMNS": "300", "TERM": "dumb"}).output
    for name, field in Settings.model_fields.items():
        assert f"--{name.replace('_', '-')}" in shown
        assert f"GAPO_{name.upper()}" in shown
        assert field.description.endswith(".")


@pytest.mark.parametrize(
    ("arguments", "env", "says"),
    [
        (["--http-port", "70000"], {}, "--http-port"),
        (["--overload-status", "500"], {}, "--overload-status"),
        (["--log-format", "xml"], {}, "--log-format"),
        ([], {"GAPO_MAX_PAIRS": "0"}, "--max-pairs"),
        ([], {"GAPO_MAX_PAIRS": "many"}, "GAPO_MAX_PAIRS"),
    ],
)
def test_wrong_settings_are_named(arguments, env, says) -> None:
    done = subprocess.run([*GAPO, "serve", *arguments], capture_output=True, text=True, env=os.environ | env)
    assert done.returncode == 2
    assert says in done.stderr


@pytest.mark.parametrize("key", ["", " ", "s3cret\n", " s3cret", "s3\tcret"])
def test_a_key_that_opens_the_server_or_admits_nobody_is_refused(key) -> None:
    for arguments, env in ((["--api-key", key], {}), ([], {"GAPO_API_KEY": key})):
        done = subprocess.run([*GAPO, "serve", *arguments], capture_output=True, text=True, env=os.environ | env)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith("error: --api-key: api_key ")
        assert "GAPO_API_KEY" in done.stderr
        assert "s3" not in done.stderr
        assert len(done.stderr.splitlines()) == 1


def test_variables_set_what_flags_do_not() -> None:
    with running("--max-pairs", "7", env_extra={"GAPO_MAX_PAIRS": "5", "GAPO_MAX_TEXT_BYTES": "99"}) as server:
        limits = server.get("/v1/models").json()["limits"]
    assert (limits["max_pairs"], limits["max_text_bytes"]) == (7, 99)


def test_ipv6() -> None:
    with running("--host", "::1") as server:
        assert server.rest.startswith("http://[::1]:")
        server.assert_answers()
        assert server.grpc_health() == 1


@pytest.mark.parametrize("signal", [15, 2])
def test_a_signal_drains_what_runs_and_refuses_what_comes(faulty, signal) -> None:
    server = faulty("--max-batch-tokens", "128")
    replies = []
    running_request = threading.Thread(target=lambda: replies.append(server.score(*("slow one " * 40,) * 8)))
    running_request.start()
    while not server.metric("gapo_queue_tokens"):
        time.sleep(0.02)
    with httpx.Client(base_url=server.rest, timeout=60) as keeps_its_connection:
        assert keeps_its_connection.get("/readyz").text == "ready"
        server.process.send_signal(signal)
        wait_until_stopping(server)
        ready = keeps_its_connection.get("/readyz")
    assert (ready.status_code, ready.text, ready.headers["connection"]) == (503, "stopping", "close")
    assert server.get("/healthz").status_code == 200
    assert server.grpc_health() == health_pb2.HealthCheckResponse.NOT_SERVING
    refused = server.score(GOOD)
    assert (refused.status_code, refused.json()["error"]["reason"]) == (503, "stopping")
    assert refused.headers["retry-after"] == "1"
    with server.stub() as stub, pytest.raises(grpc.RpcError) as caught:
        stub.Score(reward_pb2.ScoreRequest(pairs=[reward_pb2.Pair(prompt="x", response="y")]), timeout=60)
    assert told(caught.value) == STOPPING
    assert not replies
    running_request.join()
    assert replies[0].status_code == 200
    assert server.process.wait(20) == 0
    with pytest.raises(Exception, match="refused"):
        server.score(GOOD)


@pytest.mark.parametrize(("drain", "most"), [(3, 5), (0, 0.9)])
def test_both_protocols_have_one_deadline_from_the_signal_on(faulty, drain, most) -> None:
    server = faulty(*BULK, "--drain-timeout", str(drain))
    texts = ("slow one " * 40,) * 200
    ended = {}

    def ask_rest() -> None:
        reply = server.score(*texts)
        ended["rest"] = time.monotonic(), (reply.status_code, reply.json()["error"]["reason"])

    def ask_grpc() -> None:
        pairs = [reward_pb2.Pair(prompt="x", response=text) for text in texts]
        with server.stub() as stub, pytest.raises(grpc.RpcError) as caught:
            stub.Score(reward_pb2.ScoreRequest(pairs=pairs), timeout=60)
        ended["grpc"] = time.monotonic(), told(caught.value)

    asking = [threading.Thread(target=ask) for ask in (ask_rest, ask_grpc)]
    for thread in asking:
        thread.start()
    while server.metric("gapo_queue_tokens") < 20_000:  # one of them alone has fewer
        time.sleep(0.02)
    signalled = time.monotonic()
    server.process.send_signal(15)
    for thread in asking:
        thread.join()
    assert server.process.wait(20) == 0
    assert (ended["rest"][1], ended["grpc"][1]) == ((503, "stopping"), STOPPING)
    for moment, _ in ended.values():
        assert drain - 0.1 < moment - signalled < most


@pytest.mark.parametrize(("delay", "most"), [("0", 4), ("2", 6)])
def test_an_idle_server_stops_promptly_or_after_the_delay_for_balancers(delay, most) -> None:
    with running("--drain-delay", delay) as server, grpc.insecure_channel(server.grpc[len("grpc://") :]) as channel:
        states = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest())  # a stream without end
        assert next(states).status == health_pb2.HealthCheckResponse.SERVING
        signalled = time.monotonic()
        server.process.send_signal(15)
        assert next(states).status == health_pb2.HealthCheckResponse.NOT_SERVING
        if delay != "0":
            wait_until_stopping(server)
            server.assert_answers()  # balancers may not have seen it yet
        assert server.process.wait(20) == 0
    assert float(delay) <= time.monotonic() - signalled < most


def test_a_second_signal_stops_at_once_and_tells_who_waits(faulty) -> None:
    server = faulty(*BULK, "--drain-delay", "60")
    replies = []
    waiting = threading.Thread(target=lambda: replies.append(server.score(*("slow one " * 40,) * 200)))
    waiting.start()
    while not server.metric("gapo_queue_tokens"):
        time.sleep(0.02)
    server.process.send_signal(15)
    wait_until_stopping(server)
    server.process.send_signal(15)
    assert server.process.wait(20) == 0
    waiting.join()
    assert (replies[0].status_code, replies[0].json()["error"]["reason"]) == (503, "stopping")
    assert replies[0].headers["retry-after"] == "1"
