"""Constraints: demands on a response that can be checked, explained, rendered and varied."""

from gapo_core.constraints.augmentation import augment, balanced
from gapo_core.constraints.checking import Checked, Report, check
from gapo_core.constraints.parsing import Parse, Parsed, parse
from gapo_core.constraints.registry import ConstraintError, Family, Kwargs, register
from gapo_core.constraints.types import Constraint, Span, Verdict

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
