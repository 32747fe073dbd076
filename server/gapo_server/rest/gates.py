"""POST /v1/gate and GET /v1/policies."""

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Depends, Request

from gapo_server.gate.service import Asked, GateService
from gapo_server.rest import openapi
from gapo_server.rest.checks import demand
from gapo_server.rest.middleware import exchange_of, few
from gapo_server.rest.schemas import GateBody, GatedBody, PoliciesBody, PolicyBody
from gapo_server.scoring.service import ScoringService


def router(gate: GateService, service: ScoringService) -> APIRouter:
    routes = APIRouter(dependencies=openapi.guard(service.settings))

    @routes.post(
        "/v1/gate",
        response_model=GatedBody,
        dependencies=[Depends(few(service, "pairs"))],
        responses=openapi.errors(service.settings, openapi.GATING),
    )
    async def decide(body: GateBody, request: Request) -> dict[str, Any]:
        """Decide on responses under a policy; results come in the order of the pairs."""
        exchange = exchange_of(request)
        exchange.pairs = len(body.pairs)
        gated = await gate.decide(Asked([demand(pair) for pair in body.pairs], body.policy, body.inline_policy))
        exchange.detail = str(gated)
        return asdict(gated)

    @routes.get("/v1/policies", responses=openapi.errors(service.settings, openapi.READING))
    async def policies() -> PoliciesBody:
        """The policies that requests may name."""
        return PoliciesBody(
            policies=[
                PolicyBody(name=name, digest=policy.digest, policy=policy) for name, policy in gate.policies.items()
            ]
        )

    return routes
