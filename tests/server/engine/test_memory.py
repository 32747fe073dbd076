"""A large batch's memory is returned when the engine rests."""

import subprocess
import sys

import pytest

PROGRAM = """
import sys, time
from gapo_core.bundle import load
from gapo_server.engine.base import Device, EngineOptions
from gapo_server.engine.onnxruntime import IDLE, OnnxRuntimeEngine

def resident():
    line = next(line for line in open("/proc/self/status") if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024

engine = OnnxRuntimeEngine(load(sys.argv[1]), 0, EngineOptions(Device.CPU, max_batch_tokens=8192))
small = engine.score([[2, 9, 3]])
before = resident()
engine.score([[2, *[9] * 510, 3]] * 16)
held = resident()
end = time.monotonic() + 30
while resident() > before + (held - before) / 4 and time.monotonic() < end:
    time.sleep(IDLE / 4)
assert engine.score([[2, 9, 3]]) == small
print(before, held, resident())
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_the_memory_of_a_large_batch_is_returned(bundle) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(bundle.path)], capture_output=True, text=True, check=True, timeout=200
    )
    before, held, after = map(float, done.stdout.split())
    assert held - before > 150, "a batch of 8,192 tokens ought to take hundreds of MiB"
    assert after - before < (held - before) / 4, done.stdout
