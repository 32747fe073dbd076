"""The built-in families, one module a subject."""

from gapo_core.constraints.families import keywords

__all__ = ["keywords"]
