"""Constraints: demands on a response that can be checked."""
