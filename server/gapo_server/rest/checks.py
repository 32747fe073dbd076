"""POST /v1/check."""

from typing import Any

from fastapi import APIRouter, Depends, Request

from gapo_server.checking.service import CheckingService, Demand
from gapo_server.rest import openapi
from gapo_server.rest.middleware import exchange_of, few
from gapo_server.rest.schemas import CheckBody, CheckedBody, CheckPairBody
from gapo_server.scoring.service import ScoringService


def router(checking: CheckingService, service: ScoringService) -> APIRouter:
    routes = APIRouter(dependencies=openapi.guard(service.settings))

    @routes.post(
        "/v1/check",
        response_model=CheckedBody,
        dependencies=[Depends(few(service, "pairs"))],
        responses=openapi.errors(service.settings, openapi.CHECKING),
    )
    async def check(body: CheckBody, request: Request) -> dict[str, Any]:
        """Check pairs by rules; results come in the order of the pairs."""
        exchange_of(request).pairs = len(body.pairs)
        return {"results": await checking.check([demand(pair) for pair in body.pairs], body.mode)}

    return routes


def demand(pair: CheckPairBody) -> Demand:
    given = None if pair.constraints is None else [(one.id, one.kwargs) for one in pair.constraints]
    return Demand(pair.prompt, pair.response, given)
