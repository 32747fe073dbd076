"""Errors of the client.

GapoError
├── InvalidInput      the request is wrong; `field` names the part
│   └── TooLong       a text is over its token budget under policy `error`
├── Unauthenticated   the API key is missing or wrong
├── UnknownModel      the server does not serve that model
├── UnknownPolicy     the server has no such policy
├── TooLarge          over a limit of the server
├── DeadlineExceeded  not answered in time
└── Unavailable       the server is full, stopping or unreachable: try again
"""

import re


class GapoError(Exception):
    """Base. `field` names the input, as `pairs[3].response`; `request_id` finds the request in the server's log."""

    def __init__(self, detail: str, field: str = "", request_id: str = "", retry_after: float | None = None) -> None:
        super().__init__(f"{field}: {detail}" if field else detail)
        self.detail, self.field = detail, field
        self.request_id, self.retry_after = request_id, retry_after

    @property
    def pair(self) -> int | None:
        """Number of the pair that the error is about, if it is about one."""
        found = re.match(r"pairs(?:\[(\d+)\]|\.(\d+))", self.field)
        return int(found[1] or found[2]) if found else None

    def shifted(self, first: int, pairs: int) -> "GapoError":
        """The same error where the request held `pairs` pairs, from number `first` of the caller's.

        A request of one pair that is too large is told as a pair that is.
        """
        if self.pair is not None:
            field = re.sub(r"\d+", str(self.pair + first), self.field, count=1)
        elif pairs == 1 and isinstance(self, TooLarge):
            field = f"pairs[{first}]"
        else:
            return self
        return type(self)(self.detail, field, self.request_id, self.retry_after)


class InvalidInput(GapoError):
    pass


class TooLong(InvalidInput):
    pass


class Unauthenticated(GapoError):
    pass


class UnknownModel(GapoError):
    pass


class UnknownPolicy(GapoError):
    pass


class TooLarge(GapoError):
    pass


class DeadlineExceeded(GapoError):
    pass


class Unavailable(GapoError):
    pass


BY_REASON: dict[str, type[GapoError]] = {
    "invalid_input": InvalidInput,
    "too_long": TooLong,
    "unauthenticated": Unauthenticated,
    "unknown_model": UnknownModel,
    "unknown_policy": UnknownPolicy,
    "too_large": TooLarge,
    "deadline_exceeded": DeadlineExceeded,
    "body_timeout": DeadlineExceeded,
    "overloaded": Unavailable,
    "stopping": Unavailable,
}
"""The server's machine-readable reasons; others become `GapoError`."""
