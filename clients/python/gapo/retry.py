"""When and how long to wait before a request is sent again."""

import random
from dataclasses import dataclass

from gapo.errors import GapoError, Unavailable


@dataclass(frozen=True)
class Retry:
    """Only `Unavailable` is retried: scoring twice does no harm, and every other error would come again.

    Delays double from `first_delay` to `max_delay` seconds, each drawn from its upper half so that clients do
    not return in step. A server's Retry-After is honoured, up to `max_delay`.
    """

    attempts: int = 5
    first_delay: float = 0.2
    max_delay: float = 10.0

    def delay(self, attempt: int, error: GapoError) -> float | None:
        """Seconds to wait after the `attempt`-th failure, counted from 1; None to give up."""
        if attempt >= self.attempts or not isinstance(error, Unavailable):
            return None
        backoff = min(self.max_delay, self.first_delay * 2.0 ** (attempt - 1)) * random.uniform(0.5, 1.0)
        return max(backoff, min(self.max_delay, error.retry_after or 0.0))
