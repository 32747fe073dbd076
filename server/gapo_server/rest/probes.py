"""What orchestrators and Prometheus ask."""

from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from gapo_server.health import Health
from gapo_server.rest import openapi
from gapo_server.scoring.service import ScoringService

TEXT = {"content": {"text/plain": {"schema": {"type": "string"}}}}


def router(service: ScoringService, health: Health) -> APIRouter:
    routes = APIRouter(default_response_class=PlainTextResponse)
    red: dict[int | str, dict[str, Any]] = {503: {"description": "The reason", **TEXT}}

    @routes.get("/healthz", responses=red)
    async def healthz() -> PlainTextResponse:
        """200 while the server can score; 503 with the reason when only a restart helps."""
        return PlainTextResponse(health.problem or "ok", 503 if health.problem else 200)

    @routes.get("/readyz", responses=red)
    async def readyz() -> PlainTextResponse:
        """200 while requests are welcome; 503 when the server cannot score or is stopping."""
        if health.ready:
            return PlainTextResponse("ready")
        return PlainTextResponse(health.problem or "stopping", 503)

    @routes.get(
        "/metrics",
        response_class=Response,  # its errors are JSON
        dependencies=openapi.guard(service.settings),
        responses={200: TEXT, **openapi.errors(service.settings, openapi.READING)},
    )
    async def metrics() -> Response:
        """Prometheus metrics, in seconds, tokens and pairs."""
        return Response(generate_latest(service.metrics.registry), media_type=CONTENT_TYPE_LATEST)

    return routes
