"""The REST interface."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from fastapi import Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from gapo_server.checking.service import CheckingService
from gapo_server.console import routes as console
from gapo_server.errors import InvalidInput, RequestError
from gapo_server.gate.service import GateService
from gapo_server.health import Health
from gapo_server.inference.service import InferenceService
from gapo_server.rest import checks, docs, gates, openapi, probes
from gapo_server.rest.dialects import open_inference, openrlhf, shared, slime, tei, vllm
from gapo_server.rest.middleware import KEYED_PATHS, Door, exchange_of, few, form_of
from gapo_server.rest.responses import error_response, tell_truncation
from gapo_server.rest.schemas import LimitsBody, ModelBody, ModelsBody, ScoreBody, ScoredBody
from gapo_server.scoring.service import Question, ScoringService


class NotFound(RequestError):
    reason, http = "not_found", 404


class MethodNotAllowed(RequestError):
    reason, http = "method_not_allowed", 405


def build(service: ScoringService, checking: CheckingService, gate: GateService, health: Health) -> FastAPI:
    app = FastAPI(
        title="GAPO reward-model server",
        description="How well does a response keep its prompt's constraints?",
        docs_url=None,  # FastAPI's own loads its script from a public network
        redoc_url=None,
    )
    app.add_middleware(Door, service=service)
    _add_error_handlers(app, service)
    app.include_router(probes.router(service, health))
    app.include_router(docs.router())
    if service.settings.console:
        app.include_router(console.router())
    app.include_router(checks.router(checking, service))
    app.include_router(gates.router(gate, service))
    for dialect in (openrlhf, slime, shared, vllm, tei):
        app.include_router(dialect.router(service))
    app.include_router(open_inference.router(InferenceService(service, health)))

    settings, guard = service.settings, openapi.guard(service.settings)

    @app.post(
        "/v1/score",
        response_model=ScoredBody,
        dependencies=[*guard, Depends(few(service, "pairs"))],
        responses=openapi.errors(settings, openapi.SCORING),
    )
    async def score(body: ScoreBody, request: Request, response: Response) -> dict[str, Any]:
        """Score pairs; results come in the order of the pairs."""
        exchange_of(request).pairs = len(body.pairs)
        scored = await service.score(
            Question(
                [(pair.prompt, pair.response) for pair in body.pairs],
                body.model,
                body.truncation,
                body.prompt_budget,
                body.response_budget,
            )
        )
        tell_truncation(scored, response)
        return asdict(scored)

    @app.get("/v1/models", dependencies=guard, responses=openapi.errors(settings, openapi.READING))
    async def models() -> ModelsBody:
        """The served models and the limits of a request."""
        return ModelsBody(
            models=[
                ModelBody(
                    name=name,
                    version=model.manifest.version,
                    default=name == service.default,
                    max_tokens=model.manifest.architecture.max_tokens,
                    template=model.manifest.template,
                    truncation=model.manifest.truncation,
                )
                for name, model in service.models.items()
            ],
            limits=LimitsBody(
                max_pairs=settings.max_pairs,
                max_body_bytes=settings.max_body_bytes,
                max_text_bytes=settings.max_text_bytes,
                max_request_tokens=service.max_request_tokens,
            ),
        )

    return app


def _field(place: Sequence[str | int]) -> str:
    """`pairs[0].response` of FastAPI's `(body, pairs, 0, response)`: where a wrong value stood, as gRPC names it."""
    inner = place[2:] if place[1:2] and place[1] in shared.TAGS else place[1:]
    parts = (f"[{part}]" if isinstance(part, int) else f".{part[:100]}" for part in inner)
    return "".join(parts).removeprefix(".") or "body"


def _add_error_handlers(app: FastAPI, service: ScoringService) -> None:
    def refuse(request: Request, error: RequestError) -> JSONResponse:
        exchange_of(request).fail(error)
        return error_response(error, service.settings, form_of(request))

    @app.exception_handler(RequestError)
    async def _request_error(request: Request, error: RequestError) -> JSONResponse:
        return refuse(request, error)

    @app.exception_handler(RequestValidationError)
    async def _invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        first: dict[str, Any] = dict(error.errors()[0])
        field, message = _field(first["loc"]), f"{first['msg'].removeprefix('Value error, ')[:200]}; see /docs"
        if first["type"] == "json_invalid":  # its place is a character's number, not a field
            message, field = f"is not JSON at character {first['loc'][-1]}: {first['ctx']['error']}", "body"
        if "json" not in request.headers.get("content-type", ""):
            message = "is not JSON; send `content-type: application/json`"
        return refuse(request, InvalidInput(message, field))

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> JSONResponse:
        if error.status_code == NotFound.http:
            shown = request.url.path
            for start in KEYED_PATHS:  # behind it may stand a key
                shown = "".join(shown.partition(start)[:2])
            return refuse(request, NotFound(f"no such path: {shown[:100]!r}; see /docs"))
        if error.status_code == MethodNotAllowed.http:
            reply = refuse(request, MethodNotAllowed(f"{request.method} is not for this path; see /docs"))
            methods = set((error.headers or {})["Allow"].split(", "))
            reply.headers["Allow"] = ", ".join(sorted(methods | {"HEAD"} if "GET" in methods else methods))
            return reply
        return refuse(request, InvalidInput("is JSON too deep or with too long a number; see /docs", "body"))
