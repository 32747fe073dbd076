"""Stores: folders of `<model>/<version>` bundles, and which version of a model is the one to serve.

`<store>/<model>/.default` holds the version that was promoted; without it the newest version is served.
A dot starts no version, so the file can be taken for none.
"""

import os
import re
import tempfile
from pathlib import Path

from gapo_core.bundle import BundleError, Manifest, load

DEFAULT = ".default"
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def list_bundles(store: Path) -> list[Path]:
    """Bundle folders by model, versions ascending ("1.9" before "1.10"); half-published ones are left out."""

    def order(path: Path) -> tuple[str, list[tuple[int, str]]]:
        parts = re.findall(r"\d+|\D+", path.name)
        return path.parent.name, [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]

    return sorted((manifest.parent for manifest in store.glob("[!.]*/[!.]*/manifest.json")), key=order)


def default_bundles(store: Path) -> list[Path]:
    """The bundle to serve of each model: the promoted one, else the newest. Raises `BundleError`."""
    chosen: dict[Path, Path] = {}
    for path in list_bundles(store):
        chosen[path.parent] = path
    return [promoted(home) or newest for home, newest in chosen.items()]


def promoted(home: Path) -> Path | None:
    """The promoted version of the model in `home`. Raises `BundleError` if it is not there any more."""
    pointer = home / DEFAULT
    try:
        version = pointer.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise BundleError(f"{pointer}: cannot be read ({error}); promote a version again") from error
    if not _VERSION.fullmatch(version) or not (home / version / "manifest.json").is_file():
        raise BundleError(
            f"{pointer}: names version {version[:100]!r}, which is not here; promote another with "
            f"`gapo models promote {home.name}/VERSION`, or delete the file to serve the newest"
        )
    return home / version


def check_place(path: Path, manifest: Manifest) -> None:
    """Raises `BundleError` for a version folder of a store whose manifest is of another name or version: requests
    and logs would not name what is served."""
    if (path.parent.name, path.name) != (manifest.name, manifest.version):
        raise BundleError(
            f"{path}: its manifest is of {manifest.name} {manifest.version}; move it to {manifest.name}/"
            f"{manifest.version} in the store, or export it with --name {path.parent.name} --version {path.name}"
        )


def promote(store: Path, name: str, version: str) -> Path:
    """Makes a version the one that is served from the next start on; the others stay.

    The bundle is verified first, and the pointer replaced at once: a reader sees the old version or the new one.
    Raises `BundleError` for a bundle that is missing or must not be served.
    """
    bundle = load(store / name / version)
    check_place(bundle.path, bundle.manifest)
    home = store / name
    descriptor, temporary = tempfile.mkstemp(prefix=".promoting-", dir=home)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(version + "\n")
        stream.flush()
        os.fsync(stream.fileno())
    Path(temporary).chmod(0o644)
    Path(temporary).replace(home / DEFAULT)
    return bundle.path
