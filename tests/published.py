"""Single files of trainers as they are published, without the packages that the files beside them would import."""

import importlib.metadata
import sys
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location, spec_from_loader
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest


class _Absent(types.ModuleType):
    """A module that a published file imports and that is not looked at."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return MagicMock(name=name)


class _Finder(MetaPathFinder, Loader):
    def __init__(self, files: Mapping[str, Path], absent: Sequence[str], given: Mapping[str, dict[str, Any]]) -> None:
        self._files, self._given = files, given
        self._roots = {name.partition(".")[0] for name in (*files, *absent, *given)}

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> ModuleSpec | None:
        if not self.holds(fullname):
            return None
        if fullname in self._files:
            return spec_from_file_location(fullname, self._files[fullname])
        return spec_from_loader(fullname, self, is_package=True)

    def holds(self, name: str) -> bool:
        return name.partition(".")[0] in self._roots

    def create_module(self, spec: ModuleSpec) -> types.ModuleType:
        module = _Absent(spec.name)
        module.__dict__.update(self._given.get(spec.name, {}))
        return module

    def exec_module(self, module: types.ModuleType) -> None:
        pass


@contextmanager
def published(
    requirement: str, names: Sequence[str], absent: Sequence[str] = (), given: Mapping[str, dict[str, Any]] = {}
) -> Iterator[Callable[[str], types.ModuleType]]:
    """Imports those modules of `NAME==VERSION`; all others of it, and the `absent` packages, are mocks.

    `given` are attributes of a mock that must be something. Skips the test where the distribution is not installed.
    """
    try:
        found = importlib.metadata.distribution(requirement.partition("==")[0])
    except importlib.metadata.PackageNotFoundError:
        pytest.skip(f"{requirement} is not installed; `make test` installs it without its dependencies")
    files = {name: Path(str(found.locate_file(name.replace(".", "/") + ".py"))) for name in names}
    finder = _Finder(files, absent, given)
    sys.meta_path.insert(0, finder)
    try:
        yield importlib.import_module
    finally:
        sys.meta_path.remove(finder)
        for name in [name for name in sys.modules if finder.holds(name)]:
            del sys.modules[name]
