"""Cores are counted as the process may use them: affinity, hyper-threads and cgroup quotas."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from gapo_server.engine.cpu import pin_to_node, usable_cores

pytestmark = pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="Linux only")


@pytest.fixture
def system(tmp_path, monkeypatch) -> Path:
    """Eight hardware threads of four cores; CPU n and n + 4 are siblings."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(8)))
    for cpu in range(8):
        folder = tmp_path / f"devices/system/cpu/cpu{cpu}/topology"
        folder.mkdir(parents=True)
        (folder / "thread_siblings_list").write_text(f"{cpu % 4},{cpu % 4 + 4}\n")
    (tmp_path / "fs/cgroup/cpu").mkdir(parents=True)
    return tmp_path


def test_siblings_count_once(system) -> None:
    assert usable_cores(system) == 4


@pytest.mark.parametrize(("quota", "cores"), [("max 100000", 4), ("150000 100000", 2), ("5000 100000", 1)])
def test_a_cgroup_quota_caps_them(system, quota, cores) -> None:
    (system / "fs/cgroup/cpu.max").write_text(quota)
    assert usable_cores(system) == cores


@pytest.mark.parametrize(("quota", "cores"), [("-1", 4), ("300000", 3)])
def test_an_old_cgroup_quota_caps_them(system, quota, cores) -> None:
    (system / "fs/cgroup/cpu/cpu.cfs_quota_us").write_text(quota)
    (system / "fs/cgroup/cpu/cpu.cfs_period_us").write_text("100000\n")
    assert usable_cores(system) == cores


def test_an_affinity_mask_caps_them(system, monkeypatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1, 4, 5})
    assert usable_cores(system) == 2


def test_a_node_that_does_not_exist_is_named_with_those_that_do(system) -> None:
    for node in (0, 1):
        (system / f"devices/system/node/node{node}").mkdir(parents=True)
    with pytest.raises(ValueError, match="numa_node: 7 does not exist; this machine has 0, 1"):
        pin_to_node(7, system)


def test_pinning_holds_for_present_and_future_threads(tmp_path) -> None:
    cpu = min(os.sched_getaffinity(0))
    (tmp_path / "devices/system/node/node0").mkdir(parents=True)
    (tmp_path / "devices/system/node/node0/cpulist").write_text(f"{cpu}\n")
    program = f"""
import os, threading
from pathlib import Path
from gapo_server.engine.cpu import pin_to_node
go, seen = threading.Event(), []
def look(): go.wait(); seen.append(os.sched_getaffinity(0))
early = threading.Thread(target=look); early.start()
assert pin_to_node(0, Path({str(tmp_path)!r})) == {{{cpu}}}
late = threading.Thread(target=look); late.start()
go.set(); early.join(); late.join()
assert seen == [{{{cpu}}}] * 2, seen
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
