"""Health tells the truth: red when the batcher or the engine cannot score, green again when they can."""

import subprocess
import threading
import time

import pytest
from grpc_health.v1 import health_pb2

from tests.server.running import GAPO, GOOD, running

SERVING, NOT_SERVING = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING
QUICK = ("--health-interval", "0.3")


def wait_until(condition, seconds: float = 15) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "did not happen in time"
        time.sleep(0.05)


def test_green_with_the_real_model_and_probes_are_scored() -> None:
    with running(*QUICK) as server:
        before = server.metric("gapo_batch_pairs_count")
        wait_until(lambda: server.metric("gapo_batch_pairs_count") > before)
        assert server.get("/healthz").text == "ok"
        assert server.get("/readyz").text == "ready"
        assert server.grpc_health() == SERVING
        assert server.metric("gapo_healthy") == 1


def test_a_dead_batcher_turns_health_red_and_fails_requests_at_once(faulty) -> None:
    server = faulty(*QUICK)
    reply = server.score("die")
    assert reply.status_code == 500
    assert reply.json()["error"]["reason"] == "engine_failed"
    assert "the batcher has stopped" in server.get("/healthz").text
    assert server.get("/healthz").status_code == server.get("/readyz").status_code == 503
    assert server.score(GOOD, timeout=5).json()["error"]["message"].endswith("restart the server")
    wait_until(lambda: server.grpc_health() == NOT_SERVING)
    wait_until(lambda: server.metric("gapo_healthy") == 0)


def test_a_hanging_engine_turns_health_red_and_neither_blocks_clients_nor_shutdown(faulty) -> None:
    server = faulty(*QUICK, "--engine-timeout", "0.5", "--request-timeout", "1", "--drain-timeout", "1")
    reply = server.score("hang")
    assert (reply.status_code, reply.json()["error"]["reason"]) == (504, "deadline_exceeded")
    wait_until(lambda: "the engine has not answered" in server.get("/healthz").text)
    wait_until(lambda: server.grpc_health() == NOT_SERVING)
    assert server.score(GOOD).status_code == 504
    server.process.terminate()
    assert server.process.wait(15) == 1


@pytest.mark.parametrize(("word", "says"), [("fail", "out of memory"), ("wrong", "the golden pair scores")])
def test_an_engine_that_fails_or_lies_turns_health_red_until_it_recovers(faulty, word, says) -> None:
    server = faulty(*QUICK)
    server.score(word)
    wait_until(lambda: says in server.get("/healthz").text)
    wait_until(lambda: server.grpc_health() == NOT_SERVING)
    assert server.score("heal").status_code == 200
    wait_until(lambda: server.get("/healthz").text == "ok")
    wait_until(lambda: server.grpc_health() == SERVING)


def test_a_pair_that_the_engine_cannot_take_fails_alone_and_health_stays_green(faulty) -> None:
    server = faulty("--health-interval", "60")
    blocker = threading.Thread(target=server.score, args=("slow",))
    blocker.start()
    replies = {}

    def ask(response: str) -> None:
        replies[response] = server.score(response)

    threads = [threading.Thread(target=ask, args=(r,)) for r in ("poison", "nan", *(f"fine {i}" for i in range(8)))]
    time.sleep(0.1)
    for thread in threads:
        thread.start()
    for thread in [blocker, *threads]:
        thread.join()
    for response, reply in replies.items():
        if response in ("poison", "nan"):
            assert reply.status_code == 500
            assert reply.json()["error"]["reason"] == "engine_failed"
        else:
            assert reply.status_code == 200, (response, reply.text)
    assert server.get("/healthz").status_code == 200


def test_a_killed_server_frees_its_port_and_a_taken_one_is_named(server) -> None:
    host, port = server.address
    for flag, what, taken in (
        ("--http-port", "HTTP", port),
        ("--grpc-port", "gRPC", int(server.grpc.rsplit(":", 1)[1])),
    ):
        other = "--grpc-port" if flag == "--http-port" else "--http-port"
        done = subprocess.run(
            [*GAPO, "serve", flag, str(taken), other, "0"], capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 1
        assert done.stderr.startswith(f"error: {what} port {taken} on {host}: Address already in use; choose another")
        assert len(done.stderr.splitlines()) == 1
    server.assert_answers()
