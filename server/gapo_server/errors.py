"""What can go wrong with a request, and its gRPC status and HTTP code: the one table of both protocols."""

import grpc


class RequestError(Exception):
    """Base. `reason` is stable and machine-readable; `field` names the input; the message gives the remedy."""

    reason = "internal"
    http = 500
    grpc = grpc.StatusCode.INTERNAL

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class InvalidInput(RequestError):
    reason, http, grpc = "invalid_input", 422, grpc.StatusCode.INVALID_ARGUMENT


class UnknownModel(RequestError):
    reason, http, grpc = "unknown_model", 404, grpc.StatusCode.NOT_FOUND


class TooLarge(RequestError):
    reason, http, grpc = "too_large", 413, grpc.StatusCode.RESOURCE_EXHAUSTED


class Overloaded(RequestError):
    reason, http, grpc = "overloaded", 503, grpc.StatusCode.UNAVAILABLE


class EngineFailed(RequestError):
    reason, http, grpc = "engine_failed", 500, grpc.StatusCode.INTERNAL
