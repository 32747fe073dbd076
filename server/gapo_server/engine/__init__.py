"""Engines: packed arrays in, logits out."""
