"""Constraints: demands on a response that can be checked, explained, rendered and varied."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from gapo_core.constraints.registry import ConstraintError, Family, Kwargs, register
from gapo_core.constraints.types import Constraint, Span, Verdict

if TYPE_CHECKING:
    from gapo_core.constraints.augmentation import augment, balanced
    from gapo_core.constraints.checking import Checked, Report, check
    from gapo_core.constraints.parsing import Parse, Parsed, parse

__all__ = [
    "Checked",
    "Constraint",
    "ConstraintError",
    "Family",
    "Kwargs",
    "Parse",
    "Parsed",
    "Report",
    "Span",
    "Verdict",
    "augment",
    "balanced",
    "check",
    "parse",
    "register",
]

# The parser's patterns take a second or two to compile: only those who read prompts wait for them.
_WITH_THE_PARSER = {
    **dict.fromkeys(("augment", "balanced"), "augmentation"),
    **dict.fromkeys(("Checked", "Report", "check"), "checking"),
    **dict.fromkeys(("Parse", "Parsed", "parse"), "parsing"),
}


def __getattr__(name: str) -> Any:
    if name not in _WITH_THE_PARSER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(f"{__name__}.{_WITH_THE_PARSER[name]}"), name)
    globals()[name] = found
    return found
