"""Where the server is, for trainers that name a function and log what they give it: keys stay out of their settings."""

import os


def server(url: str | None, api_key: str | None) -> tuple[str, str | None]:
    """URL and key; what is None is GAPO_URL and GAPO_API_KEY, as for `gapo score`, or else REST on this machine."""
    return url or os.environ.get("GAPO_URL") or "http://127.0.0.1:8080", api_key or os.environ.get("GAPO_API_KEY")
