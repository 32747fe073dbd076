"""Checkpoint -> validated bundle."""
