"""Bundles: whole or not at all, and everything hostile is refused with a sentence."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from gapo_core.bundle import Architecture, BundleError, Golden, Manifest, load, publish

MANIFEST = Manifest(
    name="tiny",
    version="1",
    created_at="2026-01-01T00:00:00+00:00",
    architecture=Architecture(layers=1, hidden=8, heads=2, window=64, block=32, max_tokens=128),
    golden=Golden(prompt="p", response="r", score=0.5),
    files={},
)


def write(work: Path) -> None:
    (work / "model.onnx").write_bytes(b"graph" * 1000)
    (work / "tokenizer.json").write_text("{}")


@pytest.fixture
def bundle(tmp_path) -> Path:
    return publish(tmp_path / "store", MANIFEST, write)


def edit(bundle: Path, **changes: object) -> None:
    file = bundle / "manifest.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


def test_a_published_bundle_loads_and_lists_its_files(bundle) -> None:
    manifest = load(bundle).manifest
    assert sorted(manifest.files) == ["model.onnx", "tokenizer.json"]
    assert manifest.model_copy(update={"files": {}}) == MANIFEST
    assert [p.name for p in bundle.parent.iterdir()] == ["1"]


HOSTILE = {
    "newer": ({"schema_version": 2}, "upgrade gapo"),
    "no version": ({"schema_version": None}, "schema_version"),
    "version of a wrong type": ({"schema_version": [1] * 1000}, "schema_version"),
    "unknown field": ({"extra": 1}, "extra"),
    "unknown template": ({"template": "x" * 1000}, "template"),
    "NaN calibration": ({"calibration": {"scale": float("nan")}}, "calibration.scale"),
    "infinite shift": ({"calibration": {"shift": float("inf")}}, "calibration.shift"),
    "NaN golden": ({"golden": {"prompt": "p", "response": "r", "score": float("nan")}}, "golden.score"),
    "any golden passes": ({"golden": {"prompt": "p", "response": "r", "score": 0, "tolerance": 1e9}}, "tolerance"),
    "huge number": ({"architecture": MANIFEST.architecture.model_dump() | {"layers": 10**400}}, "architecture.layers"),
    "a path as name": ({"name": "../other"}, "name"),
    "files of a wrong type": ({"files": ["model.onnx"]}, "files"),
    "no files": ({"files": {}}, "model.onnx is missing"),
    "not a hash": ({"files": {"model.onnx": "x", "tokenizer.json": "y"}}, "files.model.onnx"),
    "many files": ({"files": {f"f{i}": "0" * 64 for i in range(1001)}}, "files"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_manifests_are_refused_with_a_short_sentence(bundle, case) -> None:
    changes, words = HOSTILE[case]
    edit(bundle, **changes)
    with pytest.raises(BundleError, match=r"manifest\.json: ") as caught:
        load(bundle)
    assert words in str(caught.value)
    assert len(str(caught.value)) < 600 + len(str(bundle))


@pytest.mark.parametrize(
    "text",
    [b"", b"[]", b"null", b"\xff", b'{"a":' * 100_000, b"[" * 1_000_000, b" " * (2 << 20), b'{"provenance": NaN}'],
)
def test_hostile_bytes_as_manifest_are_refused(bundle, text) -> None:
    (bundle / "manifest.json").write_bytes(text)
    with pytest.raises(BundleError, match=r"manifest\.json: "):
        load(bundle)


def test_deep_json_inside_a_valid_manifest_is_refused_or_read_but_never_crashes(bundle) -> None:
    file = bundle / "manifest.json"
    deep = "[" * 5000 + "]" * 5000
    file.write_text(file.read_text().replace('"provenance": {}', f'"provenance": {{"x": {deep}}}'))
    with pytest.raises(BundleError, match=r"manifest\.json: "):
        load(bundle)


@pytest.mark.parametrize("name", ["../outside", "/etc/hostname", "a/../../outside", "a\\..\\b", "a\0b", ""])
def test_files_outside_the_bundle_are_refused(bundle, name) -> None:
    (bundle.parent / "outside").write_text("x")
    edit(bundle, files=json.loads((bundle / "manifest.json").read_text())["files"] | {name: "0" * 64})
    with pytest.raises(BundleError, match="lies outside"):
        load(bundle)


def test_links_and_special_files_are_refused(bundle, tmp_path) -> None:
    graph = bundle / "model.onnx"
    graph.rename(tmp_path / "elsewhere")
    graph.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BundleError, match="symbolic link"):
        load(bundle)
    graph.unlink()
    with pytest.raises(BundleError, match=r"model\.onnx: is missing"):
        load(bundle)
    os.mkfifo(graph)
    with pytest.raises(BundleError, match="not a plain file"):
        load(bundle)


def test_a_truncated_and_an_unlisted_file_are_refused_by_name(bundle) -> None:
    (bundle / "model.onnx.data").write_bytes(b"weights that nobody vouches for")
    with pytest.raises(BundleError, match=r"model\.onnx\.data: is not in the manifest"):
        load(bundle)
    (bundle / "model.onnx.data").unlink()
    os.truncate(bundle / "model.onnx", 4999)
    with pytest.raises(BundleError, match=r"model\.onnx: its sha256 differs"):
        load(bundle)


def test_a_failing_writer_leaves_nothing(tmp_path) -> None:
    def fail(work: Path) -> None:
        write(work)
        raise RuntimeError("the exporter broke")

    with pytest.raises(RuntimeError, match="broke"):
        publish(tmp_path, MANIFEST, fail)
    with pytest.raises(BundleError, match=r"tokenizer\.json is missing"):
        publish(tmp_path, MANIFEST, lambda work: (work / "model.onnx").touch())
    assert list((tmp_path / "tiny").iterdir()) == []


PUBLISHER = """
import sys, time
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from test_bundle import MANIFEST, write
from gapo_core.bundle import BundleError, publish
{setup}
def slow(work):
    write(work)
    {during}
try:
    print(publish(sys.argv[2], MANIFEST, slow))
except BundleError as error:
    sys.exit(f"refused: {{error}}")
"""


def publisher(store: Path, during: str, setup: str = "") -> "subprocess.Popen[str]":
    program = PUBLISHER.format(during=during, setup=setup)
    command = [sys.executable, "-c", program, str(Path(__file__).parent), str(store)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_a_publisher_killed_half_way_leaves_no_version_and_is_cleaned_up(tmp_path) -> None:
    killed = publisher(tmp_path, "print('written', flush=True); sys.stdin.read()")
    assert killed.stdout.readline() == "written\n"
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    left = list((tmp_path / "tiny").iterdir())
    assert [p.name.startswith(".publishing-") for p in left] == [True]
    assert publish(tmp_path, MANIFEST, write).name == "1"
    assert [p.name for p in (tmp_path / "tiny").iterdir()] == ["1"]


def test_of_two_publishers_of_one_version_the_first_to_finish_wins(tmp_path) -> None:
    slow = publisher(tmp_path, "print('written', flush=True); sys.stdin.read()")
    assert slow.stdout.readline() == "written\n"
    first = publish(tmp_path, MANIFEST, write)
    _, errors = slow.communicate(timeout=60)
    assert slow.returncode == 1
    assert "refused" in errors
    assert "already exists" in errors
    assert load(first).manifest.version == "1"
    assert [p.name for p in (tmp_path / "tiny").iterdir()] == ["1"]


def test_a_folder_that_another_publisher_cleans_up_before_it_is_locked_is_made_anew(tmp_path, monkeypatch) -> None:
    make, made = tempfile.mkdtemp, []

    def taken_once(**options: str) -> str:
        made.append(make(**options))
        if len(made) == 1:
            Path(made[0]).rmdir()
        return made[-1]

    monkeypatch.setattr(tempfile, "mkdtemp", taken_once)
    assert load(publish(tmp_path, MANIFEST, write)).manifest.name == MANIFEST.name
    assert len(made) == 2


def test_a_full_disk_publishes_nothing_and_says_so(tmp_path) -> None:
    # A limit on file size stands for the full disk: the writer sees the same kind of OSError.
    setup = "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
    setup += "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))"
    full = publisher(tmp_path, "pass", setup)
    _, errors = full.communicate(timeout=60)
    assert full.returncode == 1
    assert "nothing was published, free some space" in errors
    assert list((tmp_path / "tiny").iterdir()) == []


def test_a_full_file_system_publishes_nothing_and_says_so(tmp_path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4k", "gapo-test", str(disk)], capture_output=True)
    if mount.returncode:
        pytest.skip("mounting a small tmpfs needs privileges; the file-size limit above tests the same path")
    try:
        with pytest.raises(BundleError, match="nothing was published, free some space"):
            publish(disk, MANIFEST, write)
        assert list((disk / "tiny").iterdir()) == []
    finally:
        subprocess.run(["umount", str(disk)], check=True)
