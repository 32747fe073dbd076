"""A demand's own words with other arguments: "at least three times" becomes "at least five times"."""

import re
from collections.abc import Sequence
from typing import Any

from gapo_core.constraints.augmentation.demands import is_number
from gapo_core.constraints.languages import LANGUAGES
from gapo_core.constraints.parsing.grammar import compiled, number, spelled
from gapo_core.constraints.types import Constraint

_COUNT = compiled(r"(?<![\w.,-])(?:once|twice|thrice|{number}(?: times)?)(?![\w-])")
_FREQUENT = {1: "once", 2: "twice"}


def reworded(text: str, old: Sequence[Constraint], new: Sequence[Constraint]) -> str | None:
    """The text of a demand with the arguments of `new` in place of those of `old`.

    Numbers are shifted where they stand, in digits or words as before ("more than 5 times" is at least 6, so 7
    becomes "more than 6 times"); texts are replaced. None where an argument does not stand in the text, or where
    the two differ in more than their arguments.
    """
    if [c.id for c in old] != [c.id for c in new]:
        return None
    shifts: set[int] = set()
    values: set[int] = set()
    texts: list[tuple[str, str]] = []
    for one, other in zip(old, new, strict=True):
        if set(one.kwargs) != set(other.kwargs):
            return None
        for name, value in one.kwargs.items():
            if value == other.kwargs[name]:
                continue
            if is_number(value):
                shifts.add(other.kwargs[name] - value)
                values.add(value)
            else:
                pairs = _replacements(name, value, other.kwargs[name])
                if pairs is None:
                    return None
                texts += pairs
    if len(shifts) > 1:
        return None
    for said, instead in texts:
        pattern = re.compile(
            rf"(?<!\w){re.escape(said)}(?!\w)" if said[:1].isalnum() else re.escape(said), re.IGNORECASE
        )
        text, changes = pattern.subn(lambda _, instead=instead: instead, text)  # type: ignore[misc]
        if not changes:
            return None
    return _shifted(text, values, shifts.pop()) if shifts else text


def _replacements(name: str, old: Any, new: Any) -> list[tuple[str, str]] | None:
    if name == "language":
        return [(LANGUAGES[old], LANGUAGES[new])]
    if isinstance(old, str) and isinstance(new, str):
        return [(old, new)]
    if isinstance(old, list | tuple) and isinstance(new, list | tuple) and len(old) == len(new):
        return [(a, b) for a, b in zip(old, new, strict=True) if a != b]
    return None


def _shifted(text: str, values: set[int], shift: int) -> str | None:
    """Numbers that give the arguments, or lie one beside them ("more than 5" is at least 6), shifted."""
    changed = False

    def replace(match: re.Match[str]) -> str:
        nonlocal changed
        said = match.group()
        count = {"once": 1, "twice": 2, "thrice": 3}.get(said.lower()) or number(match["number"] or "")
        if min(abs(count - value) for value in values) > 1 or count + shift < 1:
            return said
        changed = True
        times = match["number"] is None or said.lower().endswith("times")
        if times and count + shift in _FREQUENT:
            return _FREQUENT[count + shift]
        digits = (match["number"] or "").replace(",", "").isdigit()
        return (str(count + shift) if digits else spelled(count + shift)) + (" times" if times else "")

    text = _COUNT.sub(replace, text)
    return text if changed else None
