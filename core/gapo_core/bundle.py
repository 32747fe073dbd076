"""Bundles: self-contained, versioned directories that a server loads. Nothing in them is ever executed."""

import errno
import fcntl
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from gapo_core.pairs import TEMPLATE, TEMPLATES, TruncationPolicy

SCHEMA_VERSION = 1
MAX_MANIFEST_BYTES = 1 << 20
MAX_FILES = 1000
MAX_TOKENS = 1 << 20
NAME = r"^[a-z0-9][a-z0-9._-]*$"
VERSION = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"
MAX_NAME = 100
_WORK = ".publishing-"

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class BundleError(Exception):
    """A bundle that must not be served; the message names the file or the figure and the remedy."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", protected_namespaces=(), allow_inf_nan=False)


class Architecture(_Part):
    layers: int = Field(gt=0, le=1000)
    hidden: int = Field(gt=0, le=1 << 16)
    heads: int = Field(gt=0, le=1000)
    window: int = Field(gt=0, le=1 << 20, description="attention window in tokens, both sides together")
    block: int = Field(gt=0, le=1 << 16, description="tokens of a packing block")
    max_tokens: int = Field(ge=6, le=MAX_TOKENS)


class Calibration(_Part):
    """Platt scaling: probability = sigmoid(scale * score + shift)."""

    scale: float = Field(default=1.0, gt=0)
    shift: float = 0.0


class Golden(_Part):
    """A pair whose score the loaded graph must reproduce within `tolerance`."""

    prompt: str
    response: str
    score: float
    tolerance: float = Field(default=1e-3, gt=0, le=1)


class Manifest(_Part):
    schema_version: Literal[1] = 1
    name: str = Field(pattern=NAME, max_length=MAX_NAME)
    version: str = Field(pattern=VERSION, max_length=MAX_NAME)
    created_at: str
    architecture: Architecture
    precision: Literal["fp32", "fp16", "bf16", "int8"] = "fp32"
    template: str = TEMPLATE
    truncation: TruncationPolicy = TruncationPolicy.ERROR
    calibration: Calibration = Calibration()
    thresholds: dict[str, float] = {}
    golden: Golden
    provenance: dict[str, Any] = {}
    quality: dict[str, Any] = {}
    files: dict[str, Sha256] = Field(description="relative path -> sha256 of the file", max_length=MAX_FILES)


@dataclass(frozen=True)
class Bundle:
    """A verified bundle on disk."""

    path: Path
    manifest: Manifest

    def file(self, name: str) -> Path:
        return self.path / name


def check_name(name: str, version: str) -> None:
    """Raises `BundleError` for a name or version that no bundle may have: both become folders of a store."""
    for field, text, pattern, letters in (
        ("name", name, NAME, "a-z"),
        ("version", version, VERSION, "A-Z, a-z"),
    ):
        if len(text) > MAX_NAME or not re.fullmatch(pattern, text):
            raise BundleError(
                f"{field}: {text[:100]!r} is not made of {letters}, 0-9, '.', '_' and '-', the first a letter or "
                f"digit, at most {MAX_NAME} of them; choose another --{field}"
            )


def sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def read_manifest(file: Path) -> Manifest:
    """Reads a manifest without looking at the files it names. Raises `BundleError`."""
    try:
        with file.open("rb") as stream:
            text = stream.read(MAX_MANIFEST_BYTES + 1)
    except OSError as error:
        raise BundleError(f"{file}: cannot be read ({error.strerror}); give a bundle's folder") from error
    if len(text) > MAX_MANIFEST_BYTES:
        raise BundleError(f"{file}: is over {MAX_MANIFEST_BYTES} bytes; publish the bundle again")
    try:
        version = json.loads(text).get("schema_version")
    except (ValueError, AttributeError, RecursionError) as error:
        raise BundleError(f"{file}: is not a JSON object ({error}); publish the bundle again") from error
    if isinstance(version, int) and version > SCHEMA_VERSION:
        raise BundleError(
            f"{file}: schema_version: {version} is newer than {SCHEMA_VERSION}, the newest that this gapo "
            "reads; upgrade gapo"
        )
    if version != SCHEMA_VERSION:
        raise BundleError(f"{file}: schema_version: {str(version)[:50]!r} is unknown; export the model anew")
    try:
        manifest = Manifest.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        field = ".".join(map(str, first["loc"])) or "document"
        raise BundleError(f"{file}: {field}: {first['msg']}; publish the bundle again") from error
    if manifest.template not in TEMPLATES:
        raise BundleError(f"{file}: template: {manifest.template[:100]!r} is none of {TEMPLATES}; export it anew")
    for required in ("model.onnx", "tokenizer.json"):
        if required not in manifest.files:
            raise BundleError(f"{file}: files: {required} is missing; publish the bundle again")
    return manifest


def load(path: str | Path) -> Bundle:
    """Reads and verifies a bundle directory. Raises `BundleError` naming what is wrong.

    Every file must be listed with its hash, lie inside, and be a plain file: a graph may point to further
    files, so one that the manifest does not vouch for could change the scores.
    """
    path = Path(path)
    manifest = read_manifest(path / "manifest.json")
    for name, expected in manifest.files.items():
        _verify(path, name, expected)
    listed = {*manifest.files, "manifest.json"}
    for file in path.rglob("*"):
        name = file.relative_to(path).as_posix()
        if name not in listed and (file.is_symlink() or not file.is_dir()):
            raise BundleError(f"{file}: is not in the manifest; remove it or publish the bundle again")
    return Bundle(path, manifest)


def _verify(path: Path, name: str, expected: str) -> None:
    parts = PurePosixPath(name).parts
    if not parts or name.startswith("/") or ".." in parts or "\\" in name or not name.isprintable():
        raise BundleError(f"{path / 'manifest.json'}: files: {name[:100]!r} lies outside the bundle")
    file = path / name
    step = path
    for part in parts:
        step /= part
        if step.is_symlink():
            raise BundleError(f"{step}: is a symbolic link; a bundle holds its files itself, copy it there")
    if not file.exists():
        raise BundleError(f"{file}: is missing; publish the bundle again")
    if not file.is_file():
        raise BundleError(f"{file}: is not a plain file; publish the bundle again")
    try:
        found = sha256(file)
    except OSError as error:
        raise BundleError(f"{file}: cannot be read ({error.strerror})") from error
    if found != expected:
        raise BundleError(f"{file}: its sha256 differs from the manifest's; the file was damaged or changed")


def publish(store: str | Path, manifest: Manifest, write: Callable[[Path], None]) -> Path:
    """Publishes `<store>/<name>/<version>` (see `publish_folder`); `write` makes its files.

    Their hashes replace `manifest.files`. Raises `BundleError` also if what `write` made is not a loadable bundle.
    """

    def fill(work: Path) -> None:
        write(work)
        done = manifest.model_copy(update={"files": hash_files(work)})
        (work / "manifest.json").write_text(done.model_dump_json(indent=2) + "\n", encoding="utf-8")
        load(work)

    return publish_folder(Path(store) / manifest.name / manifest.version, fill)


def hash_files(folder: Path) -> dict[str, str]:
    """Relative path -> sha256 of every file in the folder."""
    return {p.relative_to(folder).as_posix(): sha256(p) for p in sorted(folder.rglob("*")) if p.is_file()}


def publish_folder(target: Path, fill: Callable[[Path], None]) -> Path:
    """Publishes a version folder: `fill` fills a temporary sibling, which is renamed.

    A version appears whole or not at all, also after a crash, a kill or a full disk; of two publishers of one
    version the first to finish wins. Raises `BundleError` if the version exists or the disk is full.
    """
    home = target.parent
    taken = BundleError(f"{target}: already exists; choose another --version")
    if target.exists():
        raise taken
    try:
        home.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(home)
        with _work_directory(home) as work:
            fill(work)
            work.chmod(0o755)
            for file in work.rglob("*"):
                _sync(file)
            _sync(work)
            try:
                work.rename(target)
            except OSError as error:
                if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
                    raise taken from error
                raise
            _sync(home)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise BundleError(f"{home}: {error.strerror}; nothing was published, free some space") from error
        raise
    return target


@contextmanager
def _work_directory(home: Path) -> Iterator[Path]:
    """A locked temporary folder; the lock ends with the process, which tells an abandoned folder from a live one."""
    work, lock = _locked(home)
    try:
        yield work
    finally:
        os.close(lock)
        shutil.rmtree(work, ignore_errors=True)


def _locked(home: Path) -> tuple[Path, int]:
    while True:
        work = Path(tempfile.mkdtemp(prefix=_WORK, dir=home))
        try:
            lock = os.open(work, os.O_RDONLY)
        except FileNotFoundError:  # another publisher took it for abandoned before it was locked
            continue
        fcntl.flock(lock, fcntl.LOCK_EX)
        if work.exists():  # likewise, between the two calls
            return work, lock
        os.close(lock)


def _remove_abandoned(home: Path) -> None:
    for work in home.glob(f"{_WORK}*"):
        try:
            lock = os.open(work, os.O_RDONLY | os.O_DIRECTORY)
        except OSError:
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(work, ignore_errors=True)
        except BlockingIOError:
            pass  # another publisher is at work in it
        finally:
            os.close(lock)


def _sync(path: Path) -> None:
    """Flushes a file or folder to the disk, so that a power cut after the rename loses nothing."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
