"""Processes that end together, without the shutdown in which gloo's threads abort the interpreter."""

import os
import subprocess
import sys

import pytest

PROGRAM = """
import atexit, os, pathlib, time
from gapo_training.distributed import accelerator_of, finish
accelerator = accelerator_of("no", cpu=True)
atexit.register(os.abort)  # runs where Python shuts down
leave, written = os._exit, pathlib.Path("written")
def told(code):
    os.write(1, f"{accelerator.process_index} leaves, {written.exists()}\\n".encode())
    leave(code)
os._exit = told
if accelerator.is_main_process:
    time.sleep(2)
    written.touch()
print(accelerator.process_index, "is done")
finish()
"""


@pytest.mark.timeout(300)
def test_no_process_leaves_before_the_first_has_written(tmp_path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM, encoding="utf-8")
    done = subprocess.run(
        [*(sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"), "program.py"],
        cwd=tmp_path,
        env=os.environ | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "", "PYTHONUNBUFFERED": ""},
        capture_output=True,
        text=True,
        timeout=250,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert sorted(done.stdout.splitlines()) == ["0 is done", "0 leaves, True", "1 is done", "1 leaves, True"]
