"""Bundles: self-contained, versioned directories that a server loads. Nothing in them is ever executed."""

import hashlib
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gapo_core.pairs import TEMPLATE, TruncationPolicy


class BundleError(Exception):
    """A bundle that must not be served; the message names the file or the figure and the remedy."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", protected_namespaces=())


class Architecture(_Part):
    layers: int = Field(gt=0)
    hidden: int = Field(gt=0)
    heads: int = Field(gt=0)
    window: int = Field(gt=0, description="attention window in tokens, both sides together")
    block: int = Field(gt=0, description="tokens of a packing block")
    max_tokens: int = Field(ge=5)


class Calibration(_Part):
    """Platt scaling: probability = sigmoid(scale * score + shift)."""

    scale: float = Field(default=1.0, gt=0)
    shift: float = 0.0


class Golden(_Part):
    """A pair whose score the loaded graph must reproduce within `tolerance`."""

    prompt: str
    response: str
    score: float
    tolerance: float = Field(default=1e-3, gt=0)


class Manifest(_Part):
    schema_version: Literal[1] = 1
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")
    version: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
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
    files: dict[str, str] = Field(description="relative path -> sha256 of the file")


@dataclass(frozen=True)
class Bundle:
    """A verified bundle on disk."""

    path: Path
    manifest: Manifest

    def file(self, name: str) -> Path:
        return self.path / name


def sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def load(path: str | Path) -> Bundle:
    """Reads and verifies a bundle directory. Raises `BundleError` naming what is wrong."""
    path = Path(path)
    try:
        manifest = Manifest.model_validate_json((path / "manifest.json").read_bytes())
    except OSError as error:
        raise BundleError(f"{path / 'manifest.json'}: cannot be read ({error.strerror})") from error
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"])) or "document"
        raise BundleError(f"{path / 'manifest.json'}: {field}: {first['msg']}") from error
    if manifest.template != TEMPLATE:
        raise BundleError(f"{path}: template {manifest.template!r} is not {TEMPLATE!r}; export it anew")
    for required in ("model.onnx", "tokenizer.json"):
        if required not in manifest.files:
            raise BundleError(f"{path / 'manifest.json'}: files: {required} is missing")
    root = path.resolve()
    for name, expected in manifest.files.items():
        file = path / name
        if not file.resolve().is_relative_to(root):
            raise BundleError(f"{path / 'manifest.json'}: files: {name!r} lies outside the bundle")
        if not file.is_file():
            raise BundleError(f"{file}: is missing; publish the bundle again")
        if sha256(file) != expected:
            raise BundleError(f"{file}: its sha256 differs from the manifest's; the file was damaged or changed")
    return Bundle(path, manifest)


def publish(store: str | Path, manifest: Manifest, write: Callable[[Path], None]) -> Path:
    """Publishes `<store>/<name>/<version>` atomically: `write` fills a temporary sibling, which is renamed.

    Hashes of the files that `write` made replace `manifest.files`. Raises `BundleError` if the version exists.
    """
    home = Path(store) / manifest.name
    target = home / manifest.version
    if target.exists():
        raise BundleError(f"{target}: already exists; choose another --version")
    home.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=".publishing-", dir=home))
    try:
        write(work)
        files = {str(p.relative_to(work)): sha256(p) for p in sorted(work.rglob("*")) if p.is_file()}
        done = manifest.model_copy(update={"files": files})
        (work / "manifest.json").write_text(done.model_dump_json(indent=2) + "\n", encoding="utf-8")
        work.chmod(0o755)
        load(work)
        work.rename(target)
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        raise
    return target
