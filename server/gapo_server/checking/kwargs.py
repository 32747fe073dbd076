"""Keyword arguments of constraints as they come from outside."""

from typing import Annotated, Any

from pydantic import AfterValidator

DEEPEST = 64
"""Levels of nesting: what is passed to a checking process is walked recursively. A JSON schema has some ten."""


def _shallow(value: dict[str, Any]) -> dict[str, Any]:
    level: list[Any] = [value]
    for _ in range(DEEPEST):
        level = [
            part
            for parts in level
            for part in (parts.values() if isinstance(parts, dict) else parts)
            if isinstance(part, dict | list)
        ]
        if not level:
            return value
    raise ValueError(f"nested deeper than {DEEPEST} levels; flatten it")


Kwargs = Annotated[dict[str, Any], AfterValidator(_shallow)]
