"""Errors of the client.

GapoError
├── InvalidInput      the request is wrong; `field` names the part
├── UnknownModel      the server does not serve that model
├── TooLarge          over a limit of the server
└── Unavailable       the server is full, stopping or unreachable: try again
"""


class GapoError(Exception):
    """Base of all errors of the client."""

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class InvalidInput(GapoError):
    pass


class UnknownModel(GapoError):
    pass


class TooLarge(GapoError):
    pass


class Unavailable(GapoError):
    pass


_BY_REASON = {
    "invalid_input": InvalidInput,
    "unknown_model": UnknownModel,
    "too_large": TooLarge,
    "overloaded": Unavailable,
}


def from_reason(reason: str, message: str, field: str = "") -> GapoError:
    return _BY_REASON.get(reason, GapoError)(message, field)
