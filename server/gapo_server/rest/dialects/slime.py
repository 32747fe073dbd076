"""slime's `POST /rm` (`--rm-type remote_rm --rm-url`)."""

import asyncio

from fastapi import APIRouter, Depends, Request, Response
from gapo import chat
from gapo_core.pairs import TruncationPolicy

from gapo_server.rest import openapi
from gapo_server.rest.dialects import rewards
from gapo_server.rest.middleware import exchange_of, few
from gapo_server.rest.responses import tell_truncation
from gapo_server.rest.schemas import SlimeBody
from gapo_server.scoring.encoding import Pair
from gapo_server.scoring.service import ScoringService


def pair(body: SlimeBody) -> Pair:
    """Templates off: the prompt ends where the assistant's turn begins, the response with the turn's end."""
    return chat.plain(body.prompt), chat.plain(body.response)


def router(service: ScoringService) -> APIRouter:
    routes = APIRouter(
        dependencies=[*openapi.guard(service.settings), Depends(few(service, "prompt"))],
        responses=openapi.errors(service.settings, openapi.SCORING),
    )

    # The trainer sends no header of its own: where the server asks for a key, it stands in the URL.
    @routes.post("/rm/{key:path}", include_in_schema=False)
    @routes.post("/rm")
    async def rm(
        body: SlimeBody,
        request: Request,
        response: Response,
        model: str = "",
        truncation: TruncationPolicy = TruncationPolicy.KEEP_BOTH_ENDS,
    ) -> float:
        """slime's remote reward model: the raw logit of one sample, a bare number.

        Its user gives it a URL and nothing else, so `model` and `truncation` may stand there.
        """
        exchange_of(request).pairs = 1
        plain = await asyncio.to_thread(pair, body)  # a long text in templates takes long
        scored = await rewards.score(service, [plain], body.model or model, truncation, r"\2")
        tell_truncation(scored, response)
        return scored.results[0].score

    return routes
