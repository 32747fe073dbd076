"""Tokens a second of the engine alone, from ids to logits, by the tokens that it may take at once.

    python benchmarks/batches.py BUNDLE --device cuda

Each figure is the median of seven calls after three.
"""

import argparse
import statistics
import time
from pathlib import Path

import numpy as np
from gapo_core.bundle import load
from gapo_server.engine.base import Device, EngineOptions
from gapo_server.engine.devices import open_engine
from workloads import GPU_WORKLOADS, WORKLOADS

BATCHES = (2048, 8192, 16384, 32768, 131072)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--device", type=Device, default=Device.CUDA)
    given = parser.parse_args()
    bundle, rng = load(given.bundle), np.random.default_rng(0)
    workloads = WORKLOADS | GPU_WORKLOADS
    print("tokens at once", *workloads, sep=" | ")
    for tokens in BATCHES:
        engine = open_engine(bundle, 0, EngineOptions(given.device, max_batch_tokens=tokens))
        row = [f"{tokens:,}"]
        for lengths in workloads.values():
            ids = [rng.integers(1000, 20000, length).tolist() for length in lengths]
            seconds = []
            for _ in range(10):
                start = time.perf_counter()
                engine.score(ids)
                seconds.append(time.perf_counter() - start)
            row.append(f"{sum(lengths) / statistics.median(seconds[3:]):,.0f}")
        print(*row, sep=" | ", flush=True)


if __name__ == "__main__":
    main()
