"""A large batch's memory is returned when the engine rests."""

import subprocess
import sys

import pytest
from gapo_server.engine import onnxruntime
from gapo_server.engine.base import Device, EngineOptions

PROGRAM = """
import sys, time
from gapo_core.bundle import load
from gapo_server import EMBEDDED
from gapo_server.engine.base import Device, EngineOptions
from gapo_server.engine.onnxruntime import IDLE, OnnxRuntimeEngine

def resident():
    line = next(line for line in open("/proc/self/status") if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024

options = EngineOptions(Device.CPU, threads=2)
engine = OnnxRuntimeEngine(load(next(EMBEDDED.glob("*/*/manifest.json")).parent), 0, options)
small = engine.score([[101, 2000, 102]])
before = resident()
engine.score([[101, *[2000] * 4094, 102]] * 2)
held = resident()
end = time.monotonic() + 60
while resident() > before + (held - before) / 4 and time.monotonic() < end:
    time.sleep(IDLE / 20)
assert engine.score([[101, 2000, 102]]) == small
print(before, held, resident())
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_the_memory_of_a_large_batch_is_returned() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, timeout=200)
    before, held, after = map(float, done.stdout.split())
    assert held - before > 150, "two pairs of 4,096 tokens side by side ought to take hundreds of MiB"
    assert after - before < (held - before) / 4, done.stdout


@pytest.mark.parametrize(
    ("lengths", "returns"), [((512,), False), ((200,) * 20, False), ((513,), True), ((9, 513, 9), True)]
)
def test_only_a_pair_longer_than_a_run_has_memory_returned(bundle, monkeypatch, lengths, returns) -> None:
    """However many tokens a batch has: its runs are bounded."""
    waits: list[float] = []
    engine = onnxruntime.OnnxRuntimeEngine(bundle, 0, EngineOptions(Device.CPU, threads=2, max_batch_tokens=512))
    monkeypatch.setattr(engine, "_wait", waits.append)
    engine.score([[3] * length for length in lengths])
    assert waits == [onnxruntime.IDLE] * returns
