"""A large batch's memory is returned when the engine rests."""

import subprocess
import sys

import pytest

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
