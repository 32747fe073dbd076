"""Starts the real server in a process of its own, with the embedded model or an engine that misbehaves."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc
import httpx
from gapo.v1 import reward_pb2_grpc
from gapo_server import EMBEDDED
from grpc_health.v1 import health_pb2, health_pb2_grpc

MODEL = next(EMBEDDED.glob("*/*/manifest.json")).parent
MANIFEST = json.loads((MODEL / "manifest.json").read_text())
PROMPT = "Describe a laptop. memory: 8 gb, price range: budget"
GOOD = "a budget laptop with 8 gb of memory ."
BAD = "an expensive laptop with 4 gb of memory ."
GAPO = [sys.executable, "-c", "from gapo.cli import main; main()"]
FAULTY = [sys.executable, str(Path(__file__).with_name("faulty_server.py"))]


def publish(store: Path, name: str, version: str, **changes: object) -> Path:
    """The embedded model once more, in the store's folder of this name and version."""
    folder = store / name / version
    shutil.copytree(MODEL, folder)
    manifest = MANIFEST | {"name": name, "version": version} | changes
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


@dataclass
class Running:
    rest: str
    grpc: str
    process: "subprocess.Popen[str]"

    @property
    def address(self) -> tuple[str, int]:
        host, port = self.rest.removeprefix("http://").rsplit(":", 1)
        return host, int(port)

    def post(self, path: str = "/v1/score", **kwargs) -> httpx.Response:
        return httpx.post(self.rest + path, **{"timeout": 60} | kwargs)

    def score(self, *responses: str, prompt: str = PROMPT, **kwargs) -> httpx.Response:
        return self.post(json={"pairs": [{"prompt": prompt, "response": r} for r in responses]}, **kwargs)

    def get(self, path: str, **kwargs) -> httpx.Response:
        return httpx.get(self.rest + path, timeout=60, **kwargs)

    @contextmanager
    def stub(self) -> Iterator[reward_pb2_grpc.RewardServiceStub]:
        with grpc.insecure_channel(self.grpc.removeprefix("grpc://")) as channel:
            yield reward_pb2_grpc.RewardServiceStub(channel)

    def grpc_health(self) -> int:
        with grpc.insecure_channel(self.grpc.removeprefix("grpc://")) as channel:
            return health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=20).status

    def metric(self, line: str) -> float:
        found = re.search(rf"^{re.escape(line)} (\S+)$", self.get("/metrics").text, re.MULTILINE)
        return float(found[1]) if found else 0.0

    def assert_answers(self) -> None:
        reply = self.score(GOOD, BAD)
        assert reply.status_code == 200, reply.text
        assert len(reply.json()["results"]) == 2


@contextmanager
def running(
    *options: str, program: list[str] = GAPO, env_extra: dict[str, str] | None = None, **kwargs
) -> Iterator[Running]:
    """A server on free ports; stopped at the end."""
    kwargs["env"] = os.environ | (env_extra or {})
    command = [*program, "serve", "--http-port", "0", "--grpc-port", "0", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **kwargs) as process:
        try:
            line = process.stdout.readline()
            found = re.search(r"REST (\S+), gRPC (\S+);", line)
            assert found, line
            yield Running(f"http://{found[1]}", f"grpc://{found[2]}", process)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
