"""GAPO's client: how well does a response keep the constraints of its prompt, and which of them?"""

from gapo.aio import AsyncClient
from gapo.checks import CheckResult, ConstraintVerdict
from gapo.chunks import Limits
from gapo.client import Client
from gapo.errors import (
    DeadlineExceeded,
    GapoError,
    InvalidInput,
    TooLarge,
    TooLong,
    Unauthenticated,
    Unavailable,
    UnknownModel,
)
from gapo.retry import Retry
from gapo.wire import Model, Score

__all__ = [
    "AsyncClient",
    "CheckResult",
    "Client",
    "ConstraintVerdict",
    "DeadlineExceeded",
    "GapoError",
    "InvalidInput",
    "Limits",
    "Model",
    "Retry",
    "Score",
    "TooLarge",
    "TooLong",
    "Unauthenticated",
    "Unavailable",
    "UnknownModel",
]
