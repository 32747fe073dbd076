"""Corpora of texts with the attributes that they state."""
