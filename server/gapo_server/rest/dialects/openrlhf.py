"""OpenRLHF's `POST /get_reward` (`--reward.remote_url`, before 0.11 `--remote_rm_url`)."""

import asyncio
from typing import Any

from fastapi import APIRouter, Depends, Request, Response
from gapo_core.pairs import TruncationPolicy

from gapo_server.errors import InvalidInput
from gapo_server.rest import openapi
from gapo_server.rest.dialects import rewards
from gapo_server.rest.middleware import exchange_of, few
from gapo_server.rest.responses import tell_truncation
from gapo_server.rest.schemas import OpenRLHFBody, RewardsBody
from gapo_server.scoring.encoding import Pair
from gapo_server.scoring.service import ScoringService


def pairs(body: OpenRLHFBody) -> list[Pair]:
    """Raises `InvalidInput` for a query whose prompt and response cannot be told apart."""
    if body.prompts is not None and len(body.prompts) != len(body.query):
        raise InvalidInput(f"has {len(body.prompts)} entries for {len(body.query)} queries; send one each", "prompts")
    return rewards.split(body.query, body.prompts, "query[{}]", "send `prompts`, each the beginning of its query")


def router(service: ScoringService) -> APIRouter:
    routes = APIRouter(
        dependencies=[*openapi.guard(service.settings), Depends(few(service, "query", "prompts"))],
        responses=openapi.errors(service.settings, openapi.SCORING),
    )

    # The trainer sends no header of its own: where the server asks for a key, it stands in the URL.
    @routes.post("/get_reward/{key:path}", response_model=RewardsBody, include_in_schema=False)
    @routes.post("/get_reward", response_model=RewardsBody)
    async def get_reward(
        body: OpenRLHFBody,
        request: Request,
        response: Response,
        model: str = "",
        truncation: TruncationPolicy = TruncationPolicy.KEEP_BOTH_ENDS,
    ) -> dict[str, Any]:
        """OpenRLHF's remote reward model: raw logits, one for each query, never null.

        Its user gives it a URL and nothing else, so `model` and `truncation` may stand there.
        """
        exchange_of(request).pairs = len(body.query)
        if not body.query:  # versions up to 0.11.0 ask so to spare servers
            return {"rewards": [], "scores": [], "extra_logs": {"probability": [], "truncated_tokens": []}}
        split = await asyncio.to_thread(pairs, body)  # a long text in templates takes long
        scored = await rewards.score(service, split, body.model or model, truncation, r"query\1")
        tell_truncation(scored, response)
        scores = [result.score for result in scored.results]
        logs = {
            "probability": [result.probability for result in scored.results],
            "truncated_tokens": [float(result.truncated_tokens) for result in scored.results],
        }
        return {"rewards": scores, "scores": scores, "extra_logs": logs}

    return routes
