"""The CPU cores that this process may use."""

import os
from math import ceil
from pathlib import Path

SYSTEM = Path("/sys")


def usable_cores(system: Path = SYSTEM) -> int:
    """Physical cores in this process's affinity mask, no more than its cgroup's CPU quota; at least 1.

    ONNX Runtime's own default counts the machine's cores, also inside a container with a quota of two.
    """
    if not hasattr(os, "sched_getaffinity"):  # outside Linux
        return os.cpu_count() or 1
    cpus = os.sched_getaffinity(0)
    cores = {_siblings(system, cpu) for cpu in cpus}
    return max(1, min(len(cores), ceil(_quota(system, len(cpus)))))


def pin_to_node(node: int, system: Path = SYSTEM) -> set[int]:
    """Keeps every thread of this process, present and future, on the CPUs of one NUMA node.

    Linux places memory on the node that first touches it, so weights and activations follow. Returns the CPUs.
    Raises `ValueError` naming the nodes that exist.
    """
    folder = system / "devices/system/node"
    nodes = sorted(int(path.name.removeprefix("node")) for path in folder.glob("node[0-9]*"))
    if node not in nodes:
        raise ValueError(f"numa_node: {node} does not exist; this machine has {', '.join(map(str, nodes)) or 'none'}")
    cpus = _list(folder / f"node{node}/cpulist") & os.sched_getaffinity(0)
    if not cpus:
        raise ValueError(f"numa_node: {node} has no CPU that this process may use; choose another or widen its cpuset")
    for thread in Path("/proc/self/task").iterdir():
        os.sched_setaffinity(int(thread.name), cpus)
    return cpus


def _siblings(system: Path, cpu: int) -> frozenset[int]:
    """The hardware threads of the core that `cpu` belongs to."""
    try:
        return frozenset(_list(system / f"devices/system/cpu/cpu{cpu}/topology/thread_siblings_list"))
    except OSError:
        return frozenset({cpu})


def _quota(system: Path, default: float) -> float:
    """CPUs that the cgroup grants: `cpu.max` (version 2) or `cpu.cfs_quota_us` (version 1)."""
    try:
        quota, period = (system / "fs/cgroup/cpu.max").read_text().split()
    except (OSError, ValueError):
        try:
            folder = system / "fs/cgroup/cpu"
            quota, period = ((folder / f"cpu.cfs_{name}_us").read_text().strip() for name in ("quota", "period"))
        except OSError:
            return default
    if quota in ("max", "-1"):
        return default
    return int(quota) / int(period)


def _list(file: Path) -> set[int]:
    """Numbers of a kernel list such as `0-3,8`."""
    numbers: set[int] = set()
    for part in file.read_text().strip().split(","):
        if part:
            first, _, last = part.partition("-")
            numbers |= set(range(int(first), int(last or first) + 1))
    return numbers
