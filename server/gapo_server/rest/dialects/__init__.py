"""Other projects' reward protocols, converted onto the one scoring service."""
