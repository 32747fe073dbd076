"""Constraints read from prompts: `read` prepares a text, rule tables find demands, `compose` puts facts together."""

from gapo_core.constraints.parsing.parser import Parse, Parsed, parse

__all__ = ["Parse", "Parsed", "parse"]
