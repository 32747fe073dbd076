"""Constraint checks: rules on a pair, in processes of their own."""
