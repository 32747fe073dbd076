"""A small corpus in RNNLG's format, and one finished `smoke` run on it."""

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

import httpx
import pytest
from gapo_training.gapo import config, stages

NAMES = ("satellite eurus 65", "tecra pan 29", "portege atlas 59", "erebus 92", "hades 48")
VALUES = {
    "name": NAMES,
    "memory": ("2 gb", "4 gb", "8 gb"),
    "price": ("400 dollars", "900 dollars", "1600 dollars"),
    "weight": ("1.2 kg", "2.3 kg"),
    "pricerange": ("budget", "expensive"),
}


def _row(topic: str, rng: Random) -> list[str]:
    slots = ["name", *rng.sample([s for s in VALUES if s != "name"], 2)]
    facts = {slot: rng.choice(VALUES[slot]) for slot in slots}
    act = ";".join([f"name={facts['name']}", f"type={topic}", *(f"{s}={v}" for s, v in facts.items() if s != "name")])
    text = f"the {facts['name']} is a {topic} with " + " and ".join(v for s, v in facts.items() if s != "name")
    return [f"inform({act})", f"{text} , number {rng.randrange(10**6)} .", text]


@pytest.fixture(scope="session")
def corpus_folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    for topic in ("laptop", "tv"):
        (folder / "rnnlg" / topic).mkdir(parents=True)
        for split, rows in (("train", 60), ("valid", 24)):
            rng = Random(f"{topic}/{split}")
            body = json.dumps([_row("television" if topic == "tv" else topic, rng) for _ in range(rows)], indent=1)
            (folder / "rnnlg" / topic / f"{split}.json").write_text(f"# made for tests\n{body}", encoding="utf-8")
    return folder


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
