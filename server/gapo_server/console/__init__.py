"""The page for people at GET /: what the server says of a prompt and its responses."""
