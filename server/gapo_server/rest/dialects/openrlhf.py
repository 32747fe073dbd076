"""OpenRLHF's `POST /get_reward` (`--reward.remote_url`, before 0.11 `--remote_rm_url`)."""

import asyncio
import re
from typing import Any

from fastapi import APIRouter, Depends, Request, Response
from gapo_core.pairs import TruncationPolicy

from gapo_server.errors import InvalidInput, RequestError
from gapo_server.rest import openapi
from gapo_server.rest.dialects import chat
from gapo_server.rest.middleware import exchange_of, few
from gapo_server.rest.responses import tell_truncation
from gapo_server.rest.schemas import OpenRLHFBody, RewardsBody
from gapo_server.scoring.service import Question, ScoringService


def pairs(body: OpenRLHFBody) -> list[tuple[str, str]]:
    """Raises `InvalidInput` for a query whose prompt and response cannot be told apart."""
    if body.prompts is not None and len(body.prompts) != len(body.query):
        raise InvalidInput(f"has {len(body.prompts)} entries for {len(body.query)} queries; send one each", "prompts")
    found = []
    for number, query in enumerate(body.query):
        pair = chat.split(query, body.prompts[number] if body.prompts is not None else None)
        if pair is None:
            raise InvalidInput(
                "prompt and response cannot be told apart; send `prompts`, each the beginning of its query",
                f"query[{number}]",
            )
        found.append(pair)
    return found


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
        try:
            split = await asyncio.to_thread(pairs, body)  # a long text in templates takes long
            scored = await service.score(
                Question(
                    split,
                    body.model or model,
                    truncation,
                    # An actor that ends at once is no fault of the trainer's: an error would end its run.
                    empty_score=service.settings.empty_reward,
                )
            )
        except RequestError as error:
            error.field = re.sub(r"^pairs(\[\d+\])?.*", r"query\1", error.field)
            raise
        tell_truncation(scored, response)
        scores = [result.score for result in scored.results]
        logs = {
            "probability": [result.probability for result in scored.results],
            "truncated_tokens": [float(result.truncated_tokens) for result in scored.results],
        }
        return {"rewards": scores, "scores": scores, "extra_logs": logs}

    return routes
