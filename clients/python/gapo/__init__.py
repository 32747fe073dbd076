"""GAPO's client: how well does a response keep the constraints of its prompt, which of them, and may it be shown?"""

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
    UnknownPolicy,
)
from gapo.gates import GateReason, GateResult, Policy
from gapo.retry import Retry
from gapo.wire import Model, Score

__all__ = [
    "AsyncClient",
    "CheckResult",
    "Client",
    "ConstraintVerdict",
    "DeadlineExceeded",
    "GapoError",
    "GateReason",
    "GateResult",
    "InvalidInput",
    "Limits",
    "Model",
    "Policy",
    "Retry",
    "Score",
    "TooLarge",
    "TooLong",
    "Unauthenticated",
    "Unavailable",
    "UnknownModel",
    "UnknownPolicy",
]
