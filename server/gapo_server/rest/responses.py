"""Errors and headers of REST answers."""

import math
from http import HTTPStatus

from starlette.responses import JSONResponse, Response

from gapo_server.config import Settings
from gapo_server.errors import Overloaded, RequestError
from gapo_server.scoring.service import Scored


def http_status(kind: type[RequestError], settings: Settings) -> int:
    return settings.overload_status if issubclass(kind, Overloaded) else kind.http


def error_response(error: RequestError, settings: Settings) -> JSONResponse:
    """`{"error": {"reason", "field", "message"}}` with the status of the one table."""
    status = http_status(type(error), settings)
    headers = {}
    if error.retry_after is not None:
        headers["Retry-After"] = str(math.ceil(error.retry_after))
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    body = {"error": {"reason": error.reason, "field": error.field, "message": str(error)}}
    return JSONResponse(body, status, headers)


def tell_truncation(scored: Scored, response: Response) -> None:
    """Truncation is never silent: `x-gapo-truncated` counts the tokens cut from all pairs."""
    if scored.truncated_tokens:
        response.headers["x-gapo-truncated"] = str(scored.truncated_tokens)
