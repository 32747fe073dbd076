"""The server without a socket: what the program asks when it is given no URL (entry point `gapo.local`)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from gapo_core.bundle import BundleError
from starlette.types import ASGIApp

from gapo_server import EMBEDDED
from gapo_server.checking.service import CheckingService
from gapo_server.config import from_environment
from gapo_server.gate.policy import read_folder
from gapo_server.gate.service import GateService
from gapo_server.health import Health
from gapo_server.rest import routes
from gapo_server.scoring.encoding import bound_threads
from gapo_server.scoring.service import ScoringService
from gapo_server.store import load_models

UNBOUNDED = 1 << 40
"""Nobody else waits here: however long a pair or slow the machine, its scores are still wanted."""


@asynccontextmanager
async def open_app(bundle: Path | None = None) -> AsyncIterator[ASGIApp]:
    """The REST application over one bundle, or the embedded model, whatever GAPO_STORE and GAPO_BUNDLE say.

    Raises `ValueError` for a bundle not to be served or a wrong setting: the client that asks knows none of the
    server's own errors.
    """
    settings = from_environment(
        store=EMBEDDED,
        bundle=bundle,
        default_model=None,
        policies=None,
        api_key=None,
        request_timeout=UNBOUNDED,
        max_queue_tokens=UNBOUNDED,
    )
    bound_threads(settings.tokenizing)
    try:
        models = load_models(settings)
    except BundleError as error:
        raise ValueError(str(error)) from error
    service = ScoringService(models, settings)
    checking = CheckingService(service)
    try:
        yield routes.build(service, checking, GateService(service, checking, read_folder(None)), Health(service))
    finally:
        checking.close()
        await service.close()
