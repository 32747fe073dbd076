"""Scoring: encode, batch, run; shared by every protocol."""
