"""The door: refuses early what is unauthenticated, too large, or more than the server can hold."""

import hmac
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from gapo_server.config import Settings
from gapo_server.errors import InvalidInput, Overloaded, Stopping, TooLarge, Unauthenticated
from gapo_server.metrics import Metrics


class Reservation:
    """The bytes of one request, counted among those in flight."""

    def __init__(self, admission: "Admission") -> None:
        self._admission, self.size = admission, 0

    def add(self, size: int) -> None:
        """Raises `Overloaded` when all requests together would hold too much."""
        self._admission._take(size)
        self.size += size

    def release(self) -> None:
        self._admission._take(-self.size)
        self.size = 0


class Admission:
    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        self._settings, self._metrics = settings, metrics
        self._key = settings.api_key.get_secret_value().encode() if settings.api_key is not None else None
        self._inflight = 0
        self.leaving = False  # balancers are asked to send no more; what comes is still taken
        self.stopping = False  # what comes is refused

    def authenticate(self, *keys: str | None) -> None:
        """Raises `Unauthenticated` unless one of the keys is the server's, or it has none."""
        if self._key is None:
            return
        # Compared in constant time, so that the time taken tells nothing about the key.
        if not any(hmac.compare_digest(key.encode(errors="replace"), self._key) for key in keys if key):
            raise Unauthenticated("the API key is missing or wrong; send `Authorization: Bearer KEY`", "authorization")

    @contextmanager
    def reservation(self) -> Iterator[Reservation]:
        held = Reservation(self)
        try:
            yield held
        finally:
            held.release()

    def _take(self, size: int) -> None:
        # One request alone is always taken: its size has a limit of its own.
        if size > 0 and self._inflight and self._inflight + size > self._settings.max_inflight_bytes:
            raise Overloaded(f"{self._inflight} bytes of requests are in flight; try again later", retry_after=1)
        self._inflight += size
        self._metrics.inflight_bytes.set(self._inflight)

    def check_number(self, pairs: int, field: str) -> None:
        """Raises `TooLarge`; for those who can count pairs before they look at each."""
        if pairs > self._settings.max_pairs:
            raise TooLarge(f"holds {pairs}; send at most {self._settings.max_pairs} a request", field)

    def check(self, pairs: Sequence[tuple[str, str]]) -> None:
        """Raises `Stopping`, `InvalidInput` or `TooLarge`, naming the pair and the limit."""
        if self.stopping:
            raise Stopping
        if not pairs:
            raise InvalidInput("is empty; send at least one pair", "pairs")
        self.check_number(len(pairs), "pairs")
        limit = self._settings.max_text_bytes
        for number, pair in enumerate(pairs):
            for field, text in zip(("prompt", "response"), pair, strict=True):
                # A character is at most four bytes: most texts need no encoding to be measured.
                if len(text) * 4 > limit and len(text.encode(errors="replace")) > limit:
                    raise TooLarge(
                        f"is over {limit} bytes, far more than a model reads; shorten it", f"pairs[{number}].{field}"
                    )
