"""Constraint checks per second on one core, over real responses; one JSON object.

    python benchmarks/constraints.py --data DIR [--mode strict|compat|compat_loose] [--out FILE]

DIR holds ifeval/responses/*.jsonl. One thread; every pass starts without cached documents and languages, as if no
response had been seen. Processor time counts, since a shared machine takes the wall clock elsewhere.
"""

import argparse
import json
import statistics
import time
from collections import defaultdict
from pathlib import Path

from gapo_core.constraints import Constraint, languages
from gapo_core.constraints.agreement import rows
from gapo_core.constraints.document import forget
from peak import machine

Work = list[tuple[str, tuple[Constraint, ...]]]


def measure(work: Work, mode: str) -> tuple[float, dict[str, float]]:
    """Seconds of processor time of one pass, and those of each id."""
    forget()
    languages.identify.cache_clear()
    languages.reference_accepts.cache_clear()
    ids: dict[str, float] = defaultdict(float)
    begun = time.process_time()
    for response, constraints in work:
        for constraint in constraints:
            start = time.process_time()
            constraint.check(response, mode=mode)
            ids[constraint.id] += time.process_time() - start
    return time.process_time() - begun, ids


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--mode", choices=("strict", "compat", "compat_loose"), default="strict")
    parser.add_argument("--passes", type=int, default=5)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()

    read = [row for _, row in rows(arguments.data / "ifeval/responses")]
    work = [(row["response"], Constraint.from_ifeval(row["instruction_id_list"], row["kwargs"])) for row in read]
    checks = sum(len(constraints) for _, constraints in work)
    before = machine()
    measure(work, arguments.mode)  # models and patterns are loaded
    passes = [measure(work, arguments.mode) for _ in range(arguments.passes)]
    seconds = [total for total, _ in passes]
    counts: dict[str, int] = defaultdict(int)
    for _, constraints in work:
        for constraint in constraints:
            counts[constraint.id] += 1
    result = {
        "machine": before,
        "mode": arguments.mode,
        "responses": len(work),
        "checks": checks,
        "passes": arguments.passes,
        "checks_per_second": {
            "median": round(checks / statistics.median(seconds)),
            "lowest": round(checks / max(seconds)),
            "highest": round(checks / min(seconds)),
        },
        "microseconds_per_check": {
            id: round(1e6 * statistics.median(ids[id] for _, ids in passes) / count, 1)
            for id, count in sorted(counts.items())
        },
    }
    text = json.dumps(result, indent=2)
    print(text)
    if arguments.out:
        arguments.out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
