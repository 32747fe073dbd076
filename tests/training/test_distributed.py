"""Processes that end together, without the shutdown in which gloo's threads abort the interpreter."""

import os
import socket
import subprocess
import sys

import pytest

PROGRAM = """
import atexit, os, pathlib, time
from gapo_training.distributed import accelerator_of, finish
accelerator = accelerator_of("no", cpu=True)
atexit.register(os.abort)  # runs where Python shuts down
if accelerator.is_main_process:
    time.sleep(2)
    pathlib.Path("written").touch()
print("done", accelerator.process_index)
finish()
"""


@pytest.mark.timeout(300)
def test_no_process_leaves_before_the_first_has_written(tmp_path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free.getsockname()[1]), "WORLD_SIZE": "2"}
    address |= {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", PROGRAM],
            cwd=tmp_path,
            env=os.environ | address | {"RANK": str(rank), "LOCAL_RANK": str(rank)},
            stdout=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    second, _ = processes[1].communicate(timeout=250)
    assert (tmp_path / "written").exists()
    first, _ = processes[0].communicate(timeout=30)
    assert [first, second] == ["done 0\n", "done 1\n"]
    assert [process.returncode for process in processes] == [0, 0]
