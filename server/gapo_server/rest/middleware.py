"""What every REST request passes before its route: identity, access log, key, body limit, deadline, disconnects."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Annotated, Any

from fastapi import Body
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gapo_server.access import Access, Exchange
from gapo_server.errors import BodyTimeout, InvalidInput, RequestError, Stopping, TooLarge, UnsupportedEncoding
from gapo_server.rest import forms
from gapo_server.rest.responses import error_response
from gapo_server.scoring.service import ScoringService

OPEN_PATHS = ("/", "/healthz", "/readyz", "/v2/health/live", "/v2/health/ready", "/docs", "/openapi.json")
OPEN_FOLDERS = ("/console/", "/docs/")
"""Answered without a key: they tell nothing about anybody's texts."""
KEYED_PATHS = ("/get_reward/", "/rm/")
"""Behind these stands the key of a trainer that sends no header."""

HEADER_LENGTH = "inference-header-content-length"
"""Of the Open Inference Protocol: so many bytes of a body are JSON, what follows are tensors."""


class ClientGone(Exception):
    """The client closed the connection before it was answered."""


class Door:
    """Pure ASGI, outermost: nothing is parsed before the whole body has come and is known to be small UTF-8.

    A client that goes away cancels its request, so that what waits in the queue is dropped.
    """

    def __init__(self, app: ASGIApp, service: ScoringService) -> None:
        self._app, self._service = app, service
        self._access = Access(service.metrics)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["method"] == "HEAD":  # it is answered as GET; uvicorn leaves the body out
            scope = {**scope, "method": "GET"}
        headers = Headers(scope=scope)
        with self._access.exchange("rest", headers.get("x-request-id")) as exchange:
            scope["state"] = {**scope.get("state", {}), "exchange": exchange, "form": forms.of_path(scope["path"])}
            started = False

            def refusal(error: RequestError) -> JSONResponse:
                return error_response(error, self._service.settings, scope["state"]["form"])

            async def send_with_id(message: Message) -> None:
                nonlocal started
                if message["type"] == "http.response.start":
                    started = True
                    told = MutableHeaders(scope=message)
                    told["x-request-id"] = exchange.request_id
                    if self._service.admission.leaving:  # or the next request could meet a closing connection
                        told["connection"] = "close"
                await send(message)

            try:
                await self._admit(scope, headers, receive, send_with_id)
            except RequestError as error:
                exchange.fail(error)
                await refusal(error)(scope, receive, send_with_id)
            except ClientGone:
                exchange.outcome = "cancelled"
            except asyncio.CancelledError:
                if not self._service.admission.stopping:
                    raise
                stopping = Stopping()
                exchange.fail(stopping)
                if not started:
                    await refusal(stopping)(scope, receive, send_with_id)
            except Exception:
                if not started:
                    await refusal(exchange.internal())(scope, receive, send_with_id)
                raise
            finally:
                # The route's pattern, not the path: a path may hold the key, and would make endless labels.
                exchange.route = getattr(scope.get("route"), "path", exchange.route)

    async def _admit(self, scope: Scope, headers: Headers, receive: Receive, send: Send) -> None:
        with self._service.admission.reservation() as held:
            body, problem = bytearray(), self._key_problem(scope["path"], headers) or _encoding_problem(headers)
            limit, seconds = self._service.settings.max_body_bytes, self._service.settings.body_timeout
            more, deadline = True, asyncio.get_running_loop().time() + seconds
            while more:
                try:
                    message = await asyncio.wait_for(receive(), deadline - asyncio.get_running_loop().time())
                except asyncio.TimeoutError:
                    raise BodyTimeout(f"did not arrive within {seconds:.3g} s; send it faster", "body") from None
                if message["type"] == "http.disconnect":
                    raise ClientGone
                more = message.get("more_body", False)
                chunk = message.get("body", b"")
                if problem is None and len(body) + len(chunk) > limit:
                    problem = TooLarge(f"is over {limit} bytes; send fewer pairs a request", "body")
                if problem is None:
                    try:
                        held.add(len(chunk))
                        body += chunk
                    except RequestError as error:
                        problem = error
                else:  # read and dropped: closing early would reset the client before it has read the answer
                    body.clear()
            if problem:
                raise problem
            try:
                if not (scope["path"].startswith("/v2/models/") and HEADER_LENGTH in headers):
                    body.decode("utf-8")
            except UnicodeDecodeError as error:
                raise InvalidInput(f"is not UTF-8 at byte {error.start}; encode it as UTF-8", "body") from None
            await self._answer(scope, bytes(body), receive, send)

    def _key_problem(self, path: str, headers: Headers) -> RequestError | None:
        if path in OPEN_PATHS or path.startswith(OPEN_FOLDERS):
            return None
        scheme, _, bearer = headers.get("authorization", "").partition(" ")
        in_path = next((path.removeprefix(start) for start in KEYED_PATHS if path.startswith(start)), None)
        try:
            self._service.admission.authenticate(bearer.strip() if scheme.lower() == "bearer" else None, in_path)
        except RequestError as error:
            return error
        return None

    async def _answer(self, scope: Scope, body: bytes, receive: Receive, send: Send) -> None:
        queue: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]
        answered = asyncio.Event()

        async def replay() -> Message:
            if queue:
                return queue.pop()
            await answered.wait()
            return {"type": "http.disconnect"}

        route = asyncio.ensure_future(self._app(scope, replay, send))
        gone = asyncio.ensure_future(_disconnected(receive))
        try:
            await asyncio.wait((route, gone), return_when=asyncio.FIRST_COMPLETED)
            if not route.done():
                raise ClientGone
            await route
        finally:
            answered.set()
            for task in (route, gone):
                task.cancel()
                with suppress(asyncio.CancelledError, Exception):
                    await task


def _encoding_problem(headers: Headers) -> RequestError | None:
    encoding = headers.get("content-encoding", "").strip().lower()
    if encoding in ("", "identity"):
        return None
    return UnsupportedEncoding(
        f"{encoding[:100]!r}: compressed bodies are not taken; send it uncompressed", "content-encoding"
    )


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def exchange_of(request: Any) -> Exchange:
    """The exchange that `Door` opened for this request."""
    exchange: Exchange = request.scope["state"]["exchange"]
    return exchange


def form_of(request: Any) -> forms.Form:
    """How errors of this request are told: its path's way, or what its body turned out to speak."""
    form: forms.Form = request.scope["state"]["form"]
    return form


def few(service: ScoringService, *keys: str) -> Callable[[Any], Awaitable[None]]:
    """A dependency that refuses too many pairs; FastAPI asks it before it validates any of them."""

    async def check(body: Annotated[Any, Body()]) -> None:
        if isinstance(body, dict):
            for key in keys:
                if isinstance(body.get(key), list):
                    service.admission.check_number(len(body[key]), key)

    return check
