"""What can go wrong with a request, and its gRPC status and HTTP code: the one table of both protocols.

RequestError
├── InvalidInput            422  INVALID_ARGUMENT
│   └── TooLong             422  INVALID_ARGUMENT    over a token budget under policy `error`
├── Unauthenticated         401  UNAUTHENTICATED
├── UnknownModel            404  NOT_FOUND
├── UnknownPolicy           404  NOT_FOUND
├── TooLarge                413  RESOURCE_EXHAUSTED  over a limit of one request
├── BodyTimeout             408  DEADLINE_EXCEEDED   the request did not arrive in time
├── UnsupportedEncoding     415  INVALID_ARGUMENT    a compressed body
├── Overloaded              503  UNAVAILABLE         try again after `retry_after` seconds (429 by setting)
│   └── Stopping            503  UNAVAILABLE         another server may answer
├── DeadlineExceeded        504  DEADLINE_EXCEEDED
├── EngineFailed            500  INTERNAL
└── CheckFailed             500  INTERNAL            two checking processes ended at it
"""

import grpc


class RequestError(Exception):
    """Base. `reason` is stable and machine-readable; `field` names the input; the message gives the remedy."""

    reason = "internal"
    http = 500
    status = grpc.StatusCode.INTERNAL

    def __init__(self, message: str, field: str = "", retry_after: float | None = None) -> None:
        super().__init__(message)
        self.field, self.retry_after = field, retry_after


class InvalidInput(RequestError):
    reason, http, status = "invalid_input", 422, grpc.StatusCode.INVALID_ARGUMENT


class TooLong(InvalidInput):
    reason = "too_long"


class Unauthenticated(RequestError):
    reason, http, status = "unauthenticated", 401, grpc.StatusCode.UNAUTHENTICATED


class UnknownModel(RequestError):
    reason, http, status = "unknown_model", 404, grpc.StatusCode.NOT_FOUND


class UnknownPolicy(RequestError):
    reason, http, status = "unknown_policy", 404, grpc.StatusCode.NOT_FOUND


class TooLarge(RequestError):
    reason, http, status = "too_large", 413, grpc.StatusCode.RESOURCE_EXHAUSTED


class BodyTimeout(RequestError):
    reason, http, status = "body_timeout", 408, grpc.StatusCode.DEADLINE_EXCEEDED


class UnsupportedEncoding(RequestError):
    reason, http, status = "unsupported_encoding", 415, grpc.StatusCode.INVALID_ARGUMENT


class Overloaded(RequestError):
    reason, http, status = "overloaded", 503, grpc.StatusCode.UNAVAILABLE


class Stopping(Overloaded):
    reason = "stopping"

    def __init__(self) -> None:
        super().__init__("the server is stopping; try another one", retry_after=1)


class DeadlineExceeded(RequestError):
    reason, http, status = "deadline_exceeded", 504, grpc.StatusCode.DEADLINE_EXCEEDED


class EngineFailed(RequestError):
    reason, http, status = "engine_failed", 500, grpc.StatusCode.INTERNAL


class CheckFailed(RequestError):
    reason, http, status = "check_failed", 500, grpc.StatusCode.INTERNAL
