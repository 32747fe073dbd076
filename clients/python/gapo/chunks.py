"""Large lists in requests that the server takes, small enough to be answered long before a timeout.

32 KiB are some 8,000 tokens, and never more than 32,768: on a CPU four batches of 2,048, which take seconds, on a GPU
half a batch of 16,384, which requests sent at once fill together. With the settings that `gapo serve` has by default,
eight such requests wait in the queue of a CPU before one is refused, and 64 in that of a GPU.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gapo.errors import TooLarge

Pair = tuple[str, str]

PAIRS = 64
BYTES = 1 << 15
JSON_OVERHEAD = 6
"""Most bytes that JSON makes of one byte (`\\u0000`)."""


@dataclass(frozen=True)
class Limits:
    """What one request may hold, as the server tells it."""

    max_pairs: int
    max_body_bytes: int
    max_text_bytes: int
    max_request_tokens: int


def chunks(pairs: Sequence[Pair], limits: Limits) -> Iterator[tuple[int, Sequence[Pair]]]:
    """(number of the first pair, pairs) of each request, in order. Raises `TooLarge` for a text no request can hold."""
    most_pairs = min(PAIRS, limits.max_pairs)
    # A token is at least one byte of text, so bytes bound the tokens too.
    most_bytes = min(BYTES, limits.max_body_bytes // JSON_OVERHEAD, limits.max_request_tokens)
    first = size = 0
    for number, pair in enumerate(pairs):
        own = 0
        for field, text in zip(("prompt", "response"), pair, strict=True):
            length = len(text.encode(errors="replace"))
            if length > limits.max_text_bytes:
                raise TooLarge(
                    f"has {length} bytes and may have {limits.max_text_bytes}; shorten it", f"pairs[{number}].{field}"
                )
            own += length
        if number > first and (number - first == most_pairs or size + own > most_bytes):
            yield first, pairs[first:number]
            first, size = number, 0
        size += own
    if pairs:
        yield first, pairs[first:]
