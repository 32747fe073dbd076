"""The real server in a process of its own, with the embedded default model."""

import re
import signal
import subprocess
import sys
from dataclasses import dataclass

import pytest


@dataclass
class Running:
    rest: str
    grpc: str
    process: subprocess.Popen[str]


def start(*options: str) -> Running:
    program = "from gapo.cli import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", program, "serve", "--http-port", "0", "--grpc-port", "0", *options],
        stdout=subprocess.PIPE,
        text=True,
    )
    line = process.stdout.readline()
    found = re.search(r"REST (\S+), gRPC (\S+);", line)
    assert found, line
    return Running(f"http://{found[1]}", f"grpc://{found[2]}", process)


@pytest.fixture(scope="session")
def server():
    running = start()
    yield running
    running.process.send_signal(signal.SIGTERM)
    running.process.wait(30)
    running.process.stdout.close()
