"""The client is light and its names are stable; the committed stubs equal the protos."""

import subprocess
import sys
from pathlib import Path

import gapo
import pytest

ROOT = Path(__file__).parents[2]


def test_exported_names_are_sorted_and_exist() -> None:
    assert gapo.__all__ == sorted(gapo.__all__)
    assert all(hasattr(gapo, name) for name in gapo.__all__)


def test_importing_the_client_imports_nothing_heavy() -> None:
    program = (
        "import sys, gapo; print([m for m in ('torch', 'onnxruntime', 'numpy', 'transformers') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_committed_stubs_equal_the_protos(tmp_path) -> None:
    out = [f"--{kind}_out={tmp_path}" for kind in ("python", "grpc_python")]
    command = [sys.executable, "-m", "grpc_tools.protoc", "-I", str(ROOT / "protos"), *out]
    subprocess.run([*command, str(ROOT / "protos/gapo/v1/reward.proto")], check=True)
    for name in ("reward_pb2.py", "reward_pb2_grpc.py"):
        assert (tmp_path / "gapo/v1" / name).read_bytes() == (ROOT / "clients/python/gapo/v1" / name).read_bytes()


def test_a_url_without_a_known_scheme_is_refused() -> None:
    with pytest.raises(ValueError, match="url"):
        gapo.Client("127.0.0.1:8080")
