"""Commands that need nothing but the `core` extra."""
