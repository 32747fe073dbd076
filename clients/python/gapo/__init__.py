"""GAPO's client: how well does a response keep the constraints of its prompt?"""

from gapo.aio import AsyncClient
from gapo.client import Client
from gapo.errors import GapoError, InvalidInput, TooLarge, Unavailable, UnknownModel
from gapo.wire import Score

__all__ = [
    "AsyncClient",
    "Client",
    "GapoError",
    "InvalidInput",
    "Score",
    "TooLarge",
    "Unavailable",
    "UnknownModel",
]
