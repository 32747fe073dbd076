"""What can go wrong with a request, and its gRPC status and HTTP code: the one table of both protocols."""

import grpc


class RequestError(Exception):
    """Base. `reason` is stable and machine-readable; `field` names the input; the message gives the remedy."""

    reason = "internal"
    http = 500
    status = grpc.StatusCode.INTERNAL

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class InvalidInput(RequestError):
    reason, http, status = "invalid_input", 422, grpc.StatusCode.INVALID_ARGUMENT


class UnknownModel(RequestError):
    reason, http, status = "unknown_model", 404, grpc.StatusCode.NOT_FOUND


class TooLarge(RequestError):
    reason, http, status = "too_large", 413, grpc.StatusCode.RESOURCE_EXHAUSTED


class Overloaded(RequestError):
    reason, http, status = "overloaded", 503, grpc.StatusCode.UNAVAILABLE


class EngineFailed(RequestError):
    reason, http, status = "engine_failed", 500, grpc.StatusCode.INTERNAL
