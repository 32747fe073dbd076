"""Peak memory of one large batch on a CPU, resident, the process included.

    python benchmarks/memory.py BUNDLE [--device cpu|openvino] [--threads N]

32 pairs of 512 tokens, 16,384 tokens in one batch, scored twice; prints GiB. Linux only.
"""

import argparse
import resource
from pathlib import Path

from gapo_core.bundle import load
from gapo_server.engine.base import Device, EngineOptions
from gapo_server.engine.devices import open_engine

PAIRS, TOKENS = 32, 512


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--device", choices=["cpu", "openvino"], default="cpu")
    parser.add_argument("--threads", type=int, default=0, help="0 takes the usable physical cores")
    given = parser.parse_args()
    options = EngineOptions(Device(given.device), given.threads, max_batch_tokens=PAIRS * TOKENS)
    engine = open_engine(load(given.bundle), 0, options)
    for _ in range(2):
        engine.score([[5] * TOKENS] * PAIRS)
    print(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB")


if __name__ == "__main__":
    main()
