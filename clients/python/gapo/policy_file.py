"""Policies of the gate as files, read without YAML's surprises: the program's and the server's one reader."""

import json
import re
from pathlib import Path
from typing import Any

import yaml

SUFFIXES = (".yaml", ".yml", ".json")


class _Loader(yaml.SafeLoader):
    """YAML 1.2's numbers (1e-1 is one, 1:30 and 0100 are not sixty and eight times something), and no key twice."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key, _ in node.value:
            name = self.construct_object(key, deep=True)
            if not isinstance(name, str):
                raise yaml.constructor.ConstructorError(None, None, f"{name!r} is no name; quote it", key.start_mark)
            if name in seen:
                raise yaml.constructor.ConstructorError(None, None, f"{name!r} stands here twice", key.start_mark)
            seen.add(name)
        return super().construct_mapping(node, deep)


_NUMBERS = {"tag:yaml.org,2002:int", "tag:yaml.org,2002:float"}
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in known if tag not in _NUMBERS]
    for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"[-+]?(?:0|[1-9][0-9]*)\Z"), list("-+0123456789"))
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?\Z"),
    list("-+.0123456789"),
)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(name for number, (name, _) in enumerate(pairs) if name in dict(pairs[:number]))
        raise ValueError(f"{twice!r} stands in one object twice")
    return found


def read(file: Path) -> dict[str, Any]:
    """The fields of a policy's file. Raises `OSError`, and `ValueError` without the file's name."""
    text = file.read_bytes()
    try:
        if file.suffix.lower() == ".json":
            values = json.loads(text, object_pairs_hook=_once)
        else:
            values = yaml.load(text.decode("utf-8-sig"), _Loader)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        kind = "JSON" if file.suffix.lower() == ".json" else "YAML"
        raise ValueError(f"is no {kind} of a policy: {' '.join(str(error).split())[:300]}") from None
    if not isinstance(values, dict) or not values:
        raise ValueError("holds no fields; docs/gate.md lists them")
    return values
