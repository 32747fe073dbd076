"""What /openapi.json says of errors and of the key."""

from typing import Any

from fastapi import Depends
from fastapi.security import HTTPBearer

from gapo_server.config import Settings
from gapo_server.errors import (
    BodyTimeout,
    CheckFailed,
    DeadlineExceeded,
    EngineFailed,
    InvalidInput,
    Overloaded,
    RequestError,
    Stopping,
    TooLarge,
    TooLong,
    Unauthenticated,
    UnknownModel,
    UnknownPolicy,
    UnsupportedEncoding,
)
from gapo_server.rest.responses import http_status
from gapo_server.rest.schemas import ErrorBody

READING = (Unauthenticated, RequestError)
"""What a route without a body may answer."""
FINDING = (*READING, InvalidInput, UnknownModel)
_JUDGING = (
    *READING,
    InvalidInput,
    TooLarge,
    BodyTimeout,
    UnsupportedEncoding,
    Overloaded,
    Stopping,
    DeadlineExceeded,
)
SCORING = (*_JUDGING, TooLong, UnknownModel, EngineFailed)
CHECKING = (*_JUDGING, CheckFailed)
GATING = (*SCORING, UnknownPolicy, CheckFailed)
"""What routes that score, that check and that do both may answer."""


def errors(
    settings: Settings, kinds: tuple[type[RequestError], ...], body: Any = ErrorBody
) -> dict[int | str, dict[str, Any]]:
    """The answers of these errors by their status, as FastAPI's `responses`."""
    reasons: dict[int, list[str]] = {}
    for kind in kinds:
        if kind is not Unauthenticated or settings.api_key is not None:
            reasons.setdefault(http_status(kind, settings), []).append(kind.reason)
    return {status: {"model": body, "description": ", ".join(reasons[status])} for status in sorted(reasons)}


def guard(settings: Settings) -> list[Any]:
    """Dependencies of a route that asks for the key. They only describe it: the door has looked at it before."""
    return [Depends(HTTPBearer(auto_error=False))] if settings.api_key is not None else []
