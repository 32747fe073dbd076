"""Errors and headers of REST answers."""

import math
from http import HTTPStatus

from starlette.responses import JSONResponse, Response

from gapo_server.config import Settings
from gapo_server.errors import Overloaded, RequestError
from gapo_server.rest import forms
from gapo_server.scoring.service import Scored


def http_status(kind: type[RequestError], settings: Settings) -> int:
    return settings.overload_status if issubclass(kind, Overloaded) else kind.http


def error_response(error: RequestError, settings: Settings, form: forms.Form) -> JSONResponse:
    """The error in the contract's own form, with the status of the one table."""
    status = http_status(type(error), settings)
    headers = {}
    if error.retry_after is not None:
        headers["Retry-After"] = str(math.ceil(error.retry_after))
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse(form(error, status), status, headers)


def tell_truncation(scored: Scored, response: Response) -> None:
    """Truncation is never silent: `x-gapo-truncated` counts the tokens cut from all pairs."""
    if scored.truncated_tokens:
        response.headers["x-gapo-truncated"] = str(scored.truncated_tokens)
