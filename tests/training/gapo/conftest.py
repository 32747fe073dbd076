"""One finished `smoke` run on the small corpus."""

import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from gapo_training.gapo import config, stages


@pytest.fixture(scope="session")
def smoke_run(corpus_folder, tmp_path_factory) -> Path:
    """The folder of a finished run of the `smoke` preset."""
    out = tmp_path_factory.mktemp("smoke") / "run"
    stages.run(config.read("smoke"), corpus_folder, out, cpu=True)
    return out


@dataclass
class Running:
    rest: str
    grpc: str


@pytest.fixture(scope="module")
def running_server(smoke_run) -> Iterator[Running]:
    """`gapo serve` in a process of its own, on the last bundle of the finished run."""
    program = [sys.executable, "-c", "from gapo.cli import main; main()", "serve"]
    bundle = smoke_run / "store" / "gapo-run" / "A2"
    options = ["--bundle", str(bundle), "--http-port", "0", "--grpc-port", "0"]
    with subprocess.Popen([*program, *options], stdout=subprocess.PIPE, text=True) as process:
        try:
            line = process.stdout.readline()
            found = re.search(r"REST (\S+), gRPC (\S+);", line)
            assert found, line
            deadline = time.monotonic() + 60
            while not _ready(f"http://{found[1]}/readyz"):
                assert time.monotonic() < deadline, "the server never became ready"
                time.sleep(0.05)
            yield Running(f"http://{found[1]}", f"grpc://{found[2]}")
        finally:
            process.send_signal(signal.SIGTERM)


def _ready(url: str) -> bool:
    """The server names its address before it listens there."""
    try:
        return httpx.get(url, timeout=10).is_success
    except httpx.TransportError:
        return False
