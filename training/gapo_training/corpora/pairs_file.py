"""Preferential prompts in JSON lines: what `gapo data build` writes and `gapo train rm --pairs` reads."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from gapo_core.constraints.attributes import Attribute

from gapo_training.preferential import PreferentialPrompt


def write(pairs: Iterable[PreferentialPrompt], file: Path) -> None:
    """Writes beside `file` and renames, so that a crash leaves no half file."""
    unfinished = file.with_name(file.name + ".unfinished")
    with unfinished.open("w", encoding="utf-8") as stream:
        stream.writelines(json.dumps(asdict(pair), ensure_ascii=False) + "\n" for pair in pairs)
    unfinished.replace(file)


def read(file: Path) -> list[PreferentialPrompt]:
    """Lines with at least `accepted`, `rejected` and `response`. Raises `ValueError` naming the line and the field."""
    pairs = []
    with file.open("rb") as stream:
        for number, line in enumerate(stream, 1):
            if line.strip():
                try:
                    pairs.append(_pair(json.loads(line.decode())))
                except (ValueError, TypeError, RecursionError) as error:
                    raise ValueError(f"{file}:{number}: {error}") from None
    if not pairs:
        raise ValueError(f"{file}: holds no pairs; write one JSON object with accepted, rejected, response a line")
    return pairs


def _pair(row: object) -> PreferentialPrompt:
    if not isinstance(row, dict):
        raise ValueError("is not a JSON object with accepted, rejected and response")
    for field in ("accepted", "rejected", "response"):
        text = row.get(field)
        if not isinstance(text, str) or not text.strip():
            raise ValueError(f"{field}: is missing or no text")
        text.encode()  # a lone surrogate is refused now, not when a batch holds it
    if row["accepted"] == row["rejected"]:
        raise ValueError("rejected: equals accepted; the two prompts must differ in a constraint")
    action = row.get("action", "modification")
    if action not in ("modification", "insertion"):
        raise ValueError(f"action: {action!r} is neither modification nor insertion")
    return PreferentialPrompt(
        accepted=row["accepted"],
        rejected=row["rejected"],
        response=row["response"],
        action=action,
        replaced=_attributes(row, "replaced"),
        wrong=_attributes(row, "wrong"),
        topic=str(row.get("topic", "")),
    )


def _attributes(row: dict[str, object], field: str) -> tuple[Attribute, ...]:
    value = row.get(field, [])
    if not isinstance(value, list) or not all(
        isinstance(item, dict)
        and set(item) == {"slot", "value"}
        and all(isinstance(part, str) for part in item.values())
        for item in value
    ):
        raise ValueError(f"{field}: is not a list of objects with slot and value, both text")
    return tuple(Attribute(**item) for item in value)
