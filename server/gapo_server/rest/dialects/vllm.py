"""vLLM's `POST /classify` of a reward model, as verl posts it."""

import asyncio
import time
from typing import Any

from fastapi import APIRouter, Depends, Request, Response
from gapo import chat
from gapo_core.pairs import TruncationPolicy

from gapo_server.errors import InvalidInput
from gapo_server.rest import openapi
from gapo_server.rest.dialects import rewards
from gapo_server.rest.middleware import exchange_of, few
from gapo_server.rest.responses import tell_truncation
from gapo_server.rest.schemas import ClassifiedBody, ClassifyBody
from gapo_server.scoring.encoding import Pair
from gapo_server.scoring.service import ScoringService

LABEL = "LABEL_0"  # what Hugging Face's configurations, and so vLLM, call the one class that has no name


def pairs(body: ClassifyBody) -> list[Pair]:
    """Raises `InvalidInput` where a prompt and its response are missing, or cannot be told apart."""
    if (body.input is None) == (body.messages is None):
        raise InvalidInput("give either `input`, texts in a chat template, or `messages`", "input")
    if body.messages is not None:
        if not body.messages or body.messages[-1].role != "assistant":
            raise InvalidInput("the last one must be the assistant's: it is what is judged", "messages")
        turns = [{"content": message.content} for message in body.messages]
        return [(chat.conversation(turns[:-1]), chat.conversation(turns[-1:]))]
    remedy = "let a chat template stand around the turns, the assistant's last, or send `messages`"
    return rewards.split(body.input or [], None, "input[{}]", remedy)


def router(service: ScoringService) -> APIRouter:
    routes = APIRouter(
        dependencies=[*openapi.guard(service.settings), Depends(few(service, "input", "messages"))],
        responses=openapi.errors(service.settings, openapi.SCORING),
    )

    @routes.post("/classify", response_model=ClassifiedBody)
    async def classify(
        body: ClassifyBody,
        request: Request,
        response: Response,
        model: str = "",
        truncation: TruncationPolicy = TruncationPolicy.KEEP_BOTH_ENDS,
    ) -> dict[str, Any]:
        """vLLM's classification: `probs` holds the raw logit, with `use_activation` the calibrated probability."""
        if body.truncate_prompt_tokens not in (None, -1):
            raise InvalidInput(
                "a number of tokens is not taken: a pair that is too long loses what `?truncation=` says; "
                "send -1 or leave it out",
                "truncate_prompt_tokens",
            )
        split = await asyncio.to_thread(pairs, body)  # a long text in templates takes long
        exchange_of(request).pairs = len(split)
        field = r"input\1" if body.messages is None else "messages"
        scored = await rewards.score(service, split, body.model or model, truncation, field)
        tell_truncation(scored, response)
        data = [
            {"index": index, "label": LABEL, "probs": [result.probability if body.use_activation else result.score]}
            for index, result in enumerate(scored.results)
        ]
        tokens = sum(result.prompt_tokens + result.response_tokens for result in scored.results)
        return {
            "id": f"classify-{exchange_of(request).request_id}",
            "created": int(time.time()),
            "model": scored.model,
            "data": data,
            "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
        }

    return routes
