"""Errors of the service as gRPC statuses with google.rpc details."""

import math

from google.protobuf.any_pb2 import Any as AnyMessage
from google.rpc import error_details_pb2, status_pb2

from gapo_server.errors import RequestError

Metadata = tuple[tuple[str, str | bytes], ...]


def message(error: RequestError) -> str:
    return f"{error.field}: {error}" if error.field else str(error)


def trailing_metadata(error: RequestError, request_id: str) -> Metadata:
    """`grpc-status-details-bin` (ErrorInfo, BadRequest, RetryInfo), and the same as plain text.

    Texts are escaped to ASCII, which metadata must be.
    """
    details = [error_details_pb2.ErrorInfo(reason=error.reason.upper(), domain="gapo")]
    plain: list[tuple[str, str | bytes]] = [("gapo-reason", error.reason), ("x-request-id", request_id)]
    if error.field:
        violation = error_details_pb2.BadRequest.FieldViolation(field=error.field, description=str(error))
        details.append(error_details_pb2.BadRequest(field_violations=[violation]))
        plain.append(("gapo-field", error.field.encode("ascii", "backslashreplace").decode()))
    if error.retry_after is not None:
        retry = error_details_pb2.RetryInfo()
        retry.retry_delay.FromMilliseconds(math.ceil(error.retry_after * 1000))
        details.append(retry)
        plain.append(("gapo-retry-after", f"{error.retry_after:.3g}"))
    status = status_pb2.Status(code=error.status.value[0], message=message(error))
    for detail in details:
        packed = AnyMessage()
        packed.Pack(detail)
        status.details.append(packed)
    return (*plain, ("grpc-status-details-bin", status.SerializeToString()))
