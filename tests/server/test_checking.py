"""POST /v1/check and gapo.v1.ConstraintService: rules on pairs, in a process of their own."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import gapo
import grpc
import pytest
from gapo.v1 import constraints_pb2, constraints_pb2_grpc
from gapo_core.constraints import check
from google.protobuf.struct_pb2 import Struct

from tests.server.running import GOOD, running

DEMAND = "Write about tea. Use fewer than 20 words, no commas, and mention “Assam”."
TEA = "Assam is strong, dark tea."
WORDS = ("length_constraints:number_words", {"num_words": 3, "relation": "at least"})
PROTOCOLS = ("rest", "grpc")


@pytest.fixture(scope="module")
def server():
    with running() as server:
        yield server


def nested(levels: int) -> dict:
    value: dict = {}
    for _ in range(levels):
        value = {"a": [value]}
    return value


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]


@pytest.fixture(params=PROTOCOLS)
def client(request, server):
    with gapo.Client(getattr(server, request.param)) as client:
        yield client


def test_a_prompts_own_constraints_are_checked_as_in_core(client) -> None:
    found = client.check(DEMAND, TEA)
    wanted = check(TEA, prompt=DEMAND)
    assert (found.status, found.remainder) == ("violated", wanted.remainder)
    assert len(found.constraints) == 3
    for one, expected in zip(found.constraints, wanted.constraints, strict=True):
        verdict = expected.verdict
        assert (one.id, one.kwargs) == (
            expected.constraint.id,
            json.loads(json.dumps(dict(expected.constraint.kwargs))),
        )
        assert (one.status, one.reason) == (verdict.status, verdict.reason)
        assert (one.span, one.evidence) == (tuple(expected.span), tuple(map(tuple, verdict.evidence)))
    (comma,) = [one for one in found.constraints if one.id == "punctuation:no_comma"]
    assert (comma.status, comma.observed) == ("violated", 1)
    assert TEA[slice(*comma.evidence[0])] == ","


def test_given_constraints_are_checked_instead(client) -> None:
    found = client.check_batch([(DEMAND, TEA), ("", "two words")], constraints=[WORDS])
    assert [one.status for one in found] == ["satisfied", "violated"]
    assert [one.remainder for one in found] == [None, None]
    (verdict,) = found[1].constraints
    assert (verdict.id, verdict.kwargs, verdict.span, verdict.observed) == (*WORDS, None, 2)


def test_the_mode_is_whose_verdict_is_asked_for(client) -> None:
    given = {"constraints": [("detectable_format:json_format", {})]}
    assert client.check("", "42", **given).status == "violated"
    assert client.check("", "42", **given, mode="compat").status == "satisfied"


def test_nothing_checked_is_unknown_and_an_empty_response_is_judged(client) -> None:
    nothing = client.check("Write about tea.", "Coffee.")
    assert (nothing.status, nothing.constraints, nothing.remainder) == ("unknown", (), "Write about tea.")
    assert client.check(DEMAND, "").status == "violated"


def test_many_pairs_keep_their_order_over_several_requests(client) -> None:
    responses = ["word " * (number % 7) for number in range(200)]
    found = client.check_batch((("", response) for response in responses), constraints=[WORDS])
    assert [one.constraints[0].observed for one in found] == [number % 7 for number in range(200)]


@pytest.mark.parametrize(
    ("pair", "options", "field", "told"),
    [
        (("", "x"), {}, "pairs[1].prompt", "is empty"),
        (("p", "x"), {"constraints": [("no:such", {})]}, "pairs[0].constraints[0]", "no:such"),
        (
            ("p", "x"),
            {"constraints": [WORDS, (WORDS[0], {"num_words": "many", "relation": "at least"})]},
            "pairs[0].constraints[1]",
            "num_words",
        ),
        (("p", "x"), {"mode": "lenient"}, "mode", "strict, compat, compat_loose"),
        (("p", "x"), {"constraints": [WORDS[0]]}, "constraints[0]", "keyword arguments"),
        (("p", "x"), {"constraints": [(WORDS[0], {"num_words": {3}})]}, "constraints[0]", "JSON"),
        (("p", "\ud800"), {}, "pairs[1].response", "Unicode"),
    ],
)
def test_what_is_wrong_is_named(client, pair, options, field, told) -> None:
    with pytest.raises(gapo.InvalidInput, match=told.replace(".", r"\.")) as caught:
        client.check_batch([("p", "x"), pair], **options)
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("body", "status", "field", "told"),
    [
        ({"pairs": [{"prompt": "p"}]}, 422, "response", "required"),
        ({"pairs": [{"prompt": "p", "response": "r", "constraints": []}]}, 422, "constraints", "at least 1"),
        ({"pairs": [{"prompt": "p", "response": "r", "constraint": []}]}, 422, "constraint", "Extra"),
        ({"pairs": [{"prompt": "p", "response": "r"}], "mode": "x"}, 422, "mode", "strict"),
        ({"pairs": []}, 422, "pairs", "at least one pair"),
        ({"pairs": [{"prompt": "p", "response": "r"}] * 2000}, 413, "pairs", "at most 1024"),
        (
            {"pairs": [{"response": "r", "constraints": [{"id": "a:b"}] * 65}]},
            413,
            "pairs[0].constraints",
            "at most 64",
        ),
        ({"pairs": [{"prompt": "p", "response": "r" * (2 << 20)}]}, 413, "pairs[0].response", "over 1048576 bytes"),
        (
            {"pairs": [{"response": "r", "constraints": [{"id": "a" * 10**6}]}]},
            422,
            "constraints[0]",
            "known constraint",
        ),
        (
            {"pairs": [{"response": "r", "constraints": [{"id": "a:b", "kwargs": nested(300)}]}]},
            422,
            "constraints[0].kwargs",
            "nested deeper than 64",
        ),
    ],
)
def test_bodies_that_cannot_be_are_refused(server, body, status, field, told) -> None:
    reply = server.post("/v1/check", json=body)
    assert reply.status_code == status, reply.text
    assert reply.json()["error"]["field"].endswith(field)
    assert told in reply.json()["error"]["message"]
    assert len(reply.content) < 1000


def test_a_surrogate_in_the_body_or_in_a_constraint_is_named(server) -> None:
    head = {"content-type": "application/json"}
    for rest, field in (
        ('"response": "\\ud800", "prompt": "p"', "pairs[0].response"),
        ('"response": "r", "constraints": [{"id": "a:b", "kwargs": {"x": "\\ud800"}}]', "pairs[0].constraints"),
    ):
        reply = server.post("/v1/check", content=f'{{"pairs": [{{{rest}}}]}}', headers=head)
        assert (reply.status_code, reply.json()["error"]["field"]) == (422, field)


def test_a_number_of_either_kind_goes_over_grpc(server) -> None:
    """A Struct knows floating numbers only."""
    kwargs = Struct()
    kwargs.update({"num_words": 3, "relation": "at least"})
    request = constraints_pb2.CheckRequest(
        pairs=[constraints_pb2.CheckPair(response="one", constraints=[{"id": WORDS[0], "kwargs": kwargs}])]
    )
    with grpc.insecure_channel(server.grpc.removeprefix("grpc://")) as channel:
        stub = constraints_pb2_grpc.ConstraintServiceStub(channel)
        (result,) = stub.Check(request, timeout=60).results
        assert result.status == constraints_pb2.CHECK_STATUS_VIOLATED
        assert result.constraints[0].observed.number_value == 1
        assert not result.constraints[0].HasField("span")
        with pytest.raises(grpc.RpcError) as caught:
            stub.Check(constraints_pb2.CheckRequest(pairs=request.pairs, mode=17), timeout=60)
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert "17 is none of the CheckMode values" in caught.value.details()


def test_a_megabyte_is_checked_while_scores_go_on(server) -> None:
    long = "a, b. " * 170_000
    given = [
        ("punctuation:no_comma", {}),
        ("length_constraints:number_sentences", {"num_sentences": 3, "relation": "at least"}),
    ]

    async def main() -> tuple[gapo.CheckResult, int]:
        async with gapo.AsyncClient(server.rest) as client:
            checking = asyncio.ensure_future(client.check("", long, constraints=given))
            scores = 0
            while not checking.done():
                await client.score(DEMAND, GOOD)
                scores += 1
            return await checking, scores

    found, scores = asyncio.run(main())
    assert (found.status, len(found.constraints[0].evidence)) == ("violated", 64)
    assert scores > 3


def test_a_server_starts_without_the_parser() -> None:
    """Its patterns take longer to load than the rest of the server."""
    told = "import sys, gapo_server.app; print([m for m in sys.modules if m.startswith('gapo_core.constraints.p')])"
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_metrics_count_what_was_found(server) -> None:
    before = server.metric('gapo_checked_pairs_total{status="violated"}')
    server.post("/v1/check", json={"pairs": [{"prompt": DEMAND, "response": TEA}] * 3})
    assert server.metric('gapo_checked_pairs_total{status="violated"}') == before + 3
    assert server.metric("gapo_check_seconds_count") > 0
    assert server.metric('gapo_request_seconds_count{outcome="ok",protocol="rest",route="/v1/check"}') > 0


def test_a_killed_checking_process_is_replaced_and_its_check_done_again() -> None:
    with running() as server, gapo.Client(server.rest, retry=gapo.Retry(attempts=1)) as client:
        assert children(server.process.pid) == []  # none before the first check
        assert client.check(DEMAND, TEA).status == "violated"
        workers = children(server.process.pid)
        assert workers
        for worker in workers:
            os.kill(worker, signal.SIGKILL)
        assert client.check(DEMAND, TEA).status == "violated"
        server.assert_answers()


def test_a_check_whose_process_always_ends_fails_and_the_next_is_answered() -> None:
    with running() as server, gapo.Client(server.rest, retry=gapo.Retry(attempts=1)) as client:
        failed: list[gapo.GapoError] = []

        def check() -> None:
            try:
                client.check(DEMAND, TEA)
            except gapo.GapoError as error:
                failed.append(error)

        asking = threading.Thread(target=check)
        asking.start()
        while asking.is_alive():
            for child in children(server.process.pid):
                with suppress(ProcessLookupError, FileNotFoundError):
                    if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes():
                        os.kill(child, signal.SIGKILL)
            time.sleep(0.01)
        assert "twice; another one is started" in str(failed[0])
        assert client.check(DEMAND, TEA).status == "violated"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_no_checking_process_outlives_the_server(number) -> None:
    with running() as server:
        server.post("/v1/check", json={"pairs": [{"prompt": DEMAND, "response": TEA}]})
        workers = children(server.process.pid)
        server.process.send_signal(number)
        server.process.wait(30)
        deadline = time.monotonic() + 10
        while any(Path(f"/proc/{worker}/cmdline").exists() for worker in workers) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not [worker for worker in workers if Path(f"/proc/{worker}").exists()]
