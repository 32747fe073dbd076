"""The client is light and its names are stable; the committed stubs equal the protos."""

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import gapo
import pytest
from gapo.cli import build
from typer.testing import CliRunner

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


def test_the_program_tells_its_version() -> None:
    shown = CliRunner().invoke(build("--version"), ["--version"]).stdout
    assert f'\nversion = "{shown.removeprefix("gapo ").strip()}"\n' in (ROOT / "pyproject.toml").read_text("utf-8")


def test_a_missing_extra_is_named_in_the_help_and_in_the_error(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "gapo_server.cli", None)
    for arguments in (["serve", "--help"], ["--help"], ["serve", "--store", "x"]):
        assert "pip install 'gapo[server]'" in CliRunner().invoke(build("serve"), arguments).output


def test_a_server_without_its_runtime_names_the_extra(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "gapo_server.app", None)
    done = CliRunner().invoke(build("serve"), ["serve"])
    assert done.exit_code == 1
    assert "pip install 'gapo[server]'" in done.stderr
    assert done.stderr.count("\n") == 1


STUBS = {
    "gapo/v1": ("clients/python", ("python", "grpc_python", "mypy")),
    "inference": ("server/gapo_server", ("python", "mypy")),
}
"""Of each folder of protos, where its stubs lie, and their kinds."""


@pytest.mark.parametrize("folder", STUBS)
def test_the_committed_stubs_equal_the_protos(tmp_path, folder) -> None:
    """The .pyi too: mypy-protobuf's plugin must stand beside this Python for protoc to find it."""
    root, kinds = STUBS[folder]
    out = [f"--{kind}_out={tmp_path}" for kind in kinds]
    command = [sys.executable, "-m", "grpc_tools.protoc", "-I", str(ROOT / "protos"), *out]
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    env = os.environ | {"PATH": path}
    protos = sorted(map(str, (ROOT / "protos" / folder).glob("*.proto")))
    subprocess.run([*command, *protos], check=True, env=env, capture_output=True)
    made, committed = tmp_path / folder, ROOT / root / folder
    assert {file.name for file in made.iterdir()} == {file.name for file in committed.glob("*_pb2*")}
    for file in made.iterdir():
        assert file.read_bytes() == (committed / file.name).read_bytes()


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    """A folder with the sdist and the wheel."""
    out = tmp_path_factory.mktemp("dist")
    for kind in ("build_wheel", "build_sdist"):
        program = f"import hatchling.build; hatchling.build.{kind}({str(out)!r})"
        subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, capture_output=True)
    return out


PACKAGES = {"gapo", "gapo_core", "gapo_model", "gapo_training", "gapo_export", "gapo_server"}


def test_the_wheel_holds_the_six_packages_and_nothing_else(built) -> None:
    (wheel,) = built.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names if ".dist-info" not in name} == PACKAGES
    assert {f"{package}/py.typed" for package in PACKAGES} <= set(names)
    assert any(name.startswith("gapo_server/bundles/") and name.endswith("/model.onnx") for name in names)
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_the_sdist_holds_what_builds_and_tests_it(built) -> None:
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"pyproject.toml", "README.md", "LICENSE", "NOTICE", "protos/gapo/v1/reward.proto"} <= names
    assert not [name for name in names if name.startswith((".venv", ".ci", "runs", "store"))]


@pytest.mark.slow
def test_the_base_wheel_alone_is_a_client_that_names_missing_extras(built, tmp_path) -> None:
    """Installs the wheel without extras in an environment of its own (from the package index)."""
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "venv")], check=True)
    python = tmp_path / "venv/bin/python"
    (wheel,) = built.glob("*.whl")
    install = [python, "-m", "pip", "install", "--quiet", "-c", ROOT / "constraints.txt", wheel]
    subprocess.run(install, check=True, capture_output=True, cwd=tmp_path)
    program = "import gapo, sys; assert 'numpy' not in sys.modules; gapo.Client('http://x').close()"
    subprocess.run([python, "-c", program], check=True, cwd=tmp_path)
    shown = subprocess.run(
        [tmp_path / "venv/bin/gapo", "--help"], check=True, capture_output=True, text=True, cwd=tmp_path
    ).stdout
    assert "score" in shown
    for command, extra in (("serve", "server"), ("train", "training"), ("export", "export")):
        done = subprocess.run([tmp_path / "venv/bin/gapo", command], capture_output=True, text=True, cwd=tmp_path)
        assert done.returncode == 1
        assert f"pip install 'gapo[{extra}]'" in done.stderr
