"""The REST interface."""

from dataclasses import asdict
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse
from gapo_core.pairs import TruncationPolicy
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gapo_server.errors import InvalidInput, RequestError, TooLarge
from gapo_server.rest.dialects import openrlhf
from gapo_server.rest.schemas import OpenRLHFBody, RewardsBody, ScoreBody, ScoredBody
from gapo_server.scoring.service import Scored, ScoringService


def error_response(error: RequestError) -> JSONResponse:
    body = {"error": {"reason": error.reason, "field": error.field, "message": str(error)}}
    headers = {"Retry-After": "1"} if error.http == 503 else {}
    return JSONResponse(body, error.http, headers)


class BodyLimit:
    """Reads a body up to the limit and checks that it is UTF-8 before anything parses it."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self.app, self.limit = app, limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD", "OPTIONS"):
            await self.app(scope, receive, send)
            return
        body = bytearray()
        too_large = False
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            # The rest of a body that is too large is read and dropped: closing early resets the client.
            too_large = too_large or len(body) + len(message.get("body", b"")) > self.limit
            if too_large:
                body.clear()
            else:
                body += message.get("body", b"")
            if not message.get("more_body"):
                break
        problem: RequestError | None = None
        if too_large:
            problem = TooLarge(f"is over {self.limit} bytes; send fewer pairs a request", "body")
        else:
            try:
                body.decode("utf-8")
            except UnicodeDecodeError as error:
                problem = InvalidInput(f"is not UTF-8 at byte {error.start}; encode it as UTF-8", "body")
        if problem:
            await error_response(problem)(scope, receive, send)
            return
        sent = False

        async def replay() -> Message:
            nonlocal sent
            if sent:
                return await receive()
            sent = True
            return {"type": "http.request", "body": bytes(body), "more_body": False}

        await self.app(scope, replay, send)


def build(service: ScoringService) -> FastAPI:
    app = FastAPI(
        title="GAPO reward-model server", description="How well does a response keep its prompt's constraints?"
    )
    app.add_middleware(BodyLimit, limit=service.settings.max_body_bytes)

    @app.exception_handler(RequestError)
    async def _request_error(request: Request, error: RequestError) -> JSONResponse:
        return error_response(error)

    @app.exception_handler(RequestValidationError)
    async def _invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        first: dict[str, Any] = dict(error.errors()[0])
        field = ".".join(str(part) for part in first["loc"] if part != "body") or "body"
        return error_response(InvalidInput(f"{first['msg']}; see /docs", field))

    def truncated(scored: Scored, response: Response) -> None:
        if cut := sum(result.truncated_tokens for result in scored.results):
            response.headers["x-gapo-truncated"] = str(cut)

    @app.post("/v1/score", response_model=ScoredBody)
    async def score(body: ScoreBody, response: Response) -> dict[str, Any]:
        """Score pairs; results come in the order of the pairs."""
        pairs = [(pair.prompt, pair.response) for pair in body.pairs]
        scored = await service.score(pairs, body.model, body.truncation)
        truncated(scored, response)
        return asdict(scored)

    @app.post("/get_reward", response_model=RewardsBody)
    async def get_reward(body: OpenRLHFBody, response: Response) -> dict[str, Any]:
        """OpenRLHF's remote reward model."""
        if not body.query:  # its versions up to 0.11.0 ask so to spare servers
            return {"rewards": [], "scores": [], "extra_logs": {"probability": []}}
        scored = await service.score(openrlhf.pairs(body), truncation=TruncationPolicy.KEEP_BOTH_ENDS)
        truncated(scored, response)
        scores = [result.score for result in scored.results]
        logs = {"probability": [result.probability for result in scored.results]}
        return {"rewards": scores, "scores": scores, "extra_logs": logs}

    @app.get("/healthz")
    async def healthz() -> PlainTextResponse:
        return PlainTextResponse("ok")

    @app.get("/readyz")
    async def readyz() -> PlainTextResponse:
        return PlainTextResponse("ready") if service.ready else PlainTextResponse("engine stopped", 503)

    @app.get("/metrics")
    async def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return app
