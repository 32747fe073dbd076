"""Constraints: demands on a response that can be checked, explained, rendered and varied."""

from gapo_core.constraints.registry import ConstraintError, Family, Kwargs, register
from gapo_core.constraints.types import Constraint, Span, Verdict

__all__ = ["Constraint", "ConstraintError", "Family", "Kwargs", "Span", "Verdict", "register"]
