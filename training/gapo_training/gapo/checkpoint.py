"""Atomic run states: what a killed run needs to go on with the same losses."""

import os
from pathlib import Path
from typing import Any

import torch


def save(file: Path, state: dict[str, Any]) -> None:
    """Writes beside and renames, so that a kill at any moment leaves the old state or the new one, never half."""
    beside = file.with_suffix(".tmp")
    with beside.open("wb") as stream:
        torch.save(state, stream)
        stream.flush()
        os.fsync(stream.fileno())
    beside.replace(file)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def load(file: Path) -> dict[str, Any] | None:
    """The state, on the CPU; None where there is none. Nothing but tensors and plain values is unpickled."""
    if not file.exists():
        return None
    state: dict[str, Any] = torch.load(file, map_location="cpu", weights_only=True)
    return state
