"""The served model over real REST and gRPC, with good and hostile clients."""

import asyncio
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import gapo
import grpc
import httpx
import pytest
from gapo_server import EMBEDDED
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.server.running import BAD, GOOD, PROMPT


def post(server, path="/v1/score", **kwargs) -> httpx.Response:
    return server.post(path, **kwargs)


def test_a_response_that_keeps_the_constraints_scores_higher(server) -> None:
    with gapo.Client(server.rest) as client:
        good, bad = client.score_batch([(PROMPT, GOOD), (PROMPT, BAD)])
    assert good.score > bad.score
    assert good.probability > 0.5 > bad.probability


def test_protocols_and_batch_compositions_agree(server) -> None:
    pairs = [(PROMPT, GOOD), (PROMPT, BAD), (PROMPT, GOOD * 50), ("name: x", "x")] * 5
    with gapo.Client(server.rest) as rest, gapo.Client(server.grpc) as rpc:
        together = rest.score_batch(pairs)
        assert [s.score for s in rpc.score_batch(pairs)] == pytest.approx([s.score for s in together], abs=1e-4)
        for pair, expected in zip(pairs[:4], together, strict=False):
            assert rpc.score(*pair).score == pytest.approx(expected.score, abs=1e-4)


def test_many_asyncio_clients_at_once(server) -> None:
    async def main() -> list[float]:
        async with gapo.AsyncClient(server.rest) as rest, gapo.AsyncClient(server.grpc) as rpc:
            calls = [(rest, rpc)[i % 2].score(PROMPT, (GOOD, BAD)[i % 2]) for i in range(40)]
            return [result.score for result in await asyncio.gather(*calls)]

    scores = asyncio.run(main())
    assert scores == pytest.approx(scores[:2] * 20, abs=1e-4)


def test_the_clients_raise_typed_errors(server) -> None:
    for url in (server.rest, server.grpc):
        with gapo.Client(url) as client:
            with pytest.raises(gapo.InvalidInput, match="response") as caught:
                client.score("x", " ")
            assert caught.value.field == "pairs[0].response"
            with pytest.raises(gapo.UnknownModel):
                client.score("x", "y", model="absent")
    with gapo.Client("http://127.0.0.1:9") as client, pytest.raises(gapo.Unavailable, match="gapo serve"):
        client.score("x", "y")
    with gapo.Client(server.grpc) as client, pytest.raises(gapo.TooLarge):
        client.score("x", "y" * 10_000_000)


def test_health_metrics_and_docs(server) -> None:
    assert all(httpx.get(server.rest + path).status_code == 200 for path in ("/healthz", "/readyz", "/docs"))
    with gapo.Client(server.rest) as client:
        client.score(PROMPT, GOOD)
    assert "gapo_scored_pairs_total{" in httpx.get(server.rest + "/metrics").text
    with grpc.insecure_channel(server.grpc.removeprefix("grpc://")) as channel:
        reply = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=20)
    assert reply.status == health_pb2.HealthCheckResponse.SERVING


def test_a_corrupted_bundle_is_refused_by_name(tmp_path) -> None:
    source = next(EMBEDDED.glob("*/*/manifest.json")).parent
    shutil.copytree(source, tmp_path / "b")
    with (tmp_path / "b/model.onnx").open("r+b") as stream:
        stream.seek(5000)
        stream.write(b"\0\1\2\3")
    command = [sys.executable, "-c", "from gapo.cli import main; main()", "serve", "--bundle", str(tmp_path / "b")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "model.onnx: its sha256 differs" in done.stderr


def test_the_readme_snippets_run(server) -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    python = re.search(r"```python\n(.*?)```", readme, re.S)[1]
    exec(python.replace("http://127.0.0.1:8080", server.rest), {})
    curl = re.search(r"-d '(\{.*?\})'\n", readme, re.S)[1]
    scored = post(server, json=json.loads(curl)).json()["results"]
    assert scored[0]["score"] > scored[1]["score"]
