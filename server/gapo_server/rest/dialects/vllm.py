"""vLLM's pooling models: `POST /classify` as verl posts it, `/pooling`, `/score` and `/rerank`.

The routes that others have too stand in `shared`.
"""

import asyncio
import time
from typing import Any

from fastapi import APIRouter, Depends
from gapo import chat
from gapo_core.pairs import TruncationPolicy

from gapo_server.errors import InvalidInput
from gapo_server.rest import openapi
from gapo_server.rest.dialects import rewards
from gapo_server.rest.dialects.rewards import Call
from gapo_server.rest.dialects.vllm_schemas import (
    ClassifyBody,
    ConversationBody,
    PairScoresBody,
    PooledAllBody,
    PoolingBody,
    RerankBody,
    RerankedBody,
    TextPairsBody,
)
from gapo_server.rest.middleware import exchange_of, few
from gapo_server.rest.schemas import VllmErrorBody
from gapo_server.scoring.encoding import Pair
from gapo_server.scoring.service import Result, Scored, ScoringService

LABEL = "LABEL_0"  # what Hugging Face's configurations, and so vLLM, call the one class that has no name
SIDES = {"left": TruncationPolicy.KEEP_TAIL, "right": TruncationPolicy.KEEP_HEAD}
NAMES = (("text_1", "text_2"), ("queries", "documents"), ("queries", "items"), ("data_1", "data_2"))
"""What prompts and responses are called, of which a request uses one line."""

Asked = ConversationBody | TextPairsBody | RerankBody


def conversations(body: ConversationBody) -> list[Pair]:
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


def texts(body: TextPairsBody) -> tuple[list[Pair], rewards.Field]:
    """The pairs, one prompt with each response or prompt by prompt, and the names that their fields have.

    Raises `InvalidInput`.
    """
    given = {name for line in NAMES for name in line if getattr(body, name) is not None}
    line = next((line for line in NAMES if given == set(line)), None)
    if line is None:
        told = " and ".join(sorted(given)) or "none"
        raise InvalidInput(
            f"{told} given; give prompts as `text_1` and responses as `text_2`, or `queries` and `documents`", "text_1"
        )
    prompts, responses = (getattr(body, name) for name in line)
    if len(prompts) == 1:
        return [(prompts[0], text) for text in responses], rewards.fields(line[0], line[1] + "{}")
    if len(prompts) != len(responses):
        raise InvalidInput(
            f"has {len(prompts)} entries for {len(responses)} of `{line[1]}`; give one, or as many", line[0]
        )
    return list(zip(prompts, responses, strict=True)), rewards.fields(line[0] + "{}", line[1] + "{}")


def policy(call: Call, body: Asked) -> TruncationPolicy:
    """Raises `InvalidInput` for a number of tokens."""
    if body.truncate_prompt_tokens not in (None, -1):
        raise InvalidInput(
            "a number of tokens is not taken: a pair that is too long loses what `truncation_side` or `?truncation=` "
            "says; send -1 or leave it out",
            "truncate_prompt_tokens",
        )
    return SIDES[body.truncation_side] if body.truncation_side else call.truncation


def value(result: Result, body: Asked) -> float:
    return result.probability if body.use_activation else result.score


async def _judged(call: Call, body: ConversationBody) -> Scored:
    cut = policy(call, body)
    pairs = await asyncio.to_thread(conversations, body)  # a long text in templates takes long
    field = r"input\1" if body.messages is None else "messages"
    return await call.score(pairs, body.model, cut, field, allows_empty=True)


def _answer(kind: str, call: Call, scored: Scored, data: list[dict[str, Any]]) -> dict[str, Any]:
    tokens = sum(result.prompt_tokens + result.response_tokens for result in scored.results)
    return {
        "id": f"{kind}-{exchange_of(call.request).request_id}",
        "created": int(time.time()),
        "model": scored.model,
        "data": [{"index": index, **row} for index, row in enumerate(data)],
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }


async def classified(call: Call, body: ClassifyBody) -> dict[str, Any]:
    """`probs` holds the raw logit, with `use_activation` the calibrated probability."""
    scored = await _judged(call, body)
    data = [{"label": LABEL, "probs": [value(result, body)]} for result in scored.results]
    return _answer("classify", call, scored, data)


async def reranked(call: Call, body: RerankBody) -> dict[str, Any]:
    """The best first; `index` is the document's number in the request."""
    pairs = [(body.query, document) for document in body.documents]
    scored = await call.score(pairs, body.model, policy(call, body), rewards.fields("query", "documents{}"))
    results = [
        {
            "index": index,
            "document": {"text": body.documents[index], "multi_modal": None},
            "relevance_score": value(scored.results[index], body),
        }
        for index in rewards.order(scored)[: body.top_n or None]
    ]
    answer = _answer("rerank", call, scored, [])
    return {"id": answer["id"], "model": answer["model"], "usage": answer["usage"], "results": results}


def router(service: ScoringService) -> APIRouter:
    routes = APIRouter(
        dependencies=openapi.guard(service.settings),
        responses=openapi.errors(service.settings, openapi.SCORING, VllmErrorBody),
    )
    call_of = rewards.calls(service)

    @routes.post("/pooling", response_model=PooledAllBody, dependencies=[Depends(few(service, "input", "messages"))])
    async def pooling(body: PoolingBody, call: Call = Depends(call_of)) -> dict[str, Any]:
        """vLLM's pooling: `data` holds the raw logit, with `use_activation` the calibrated probability."""
        scored = await _judged(call, body)
        return _answer("pool", call, scored, [{"data": [value(result, body)]} for result in scored.results])

    names = {name: None for line in NAMES for name in line}

    @routes.post("/score", response_model=PairScoresBody, dependencies=[Depends(few(service, *names))])
    async def score(body: TextPairsBody, call: Call = Depends(call_of)) -> dict[str, Any]:
        """vLLM's scores of pairs: raw logits, with `use_activation` calibrated probabilities."""
        cut = policy(call, body)
        pairs, field = texts(body)
        scored = await call.score(pairs, body.model, cut, field)
        return _answer("score", call, scored, [{"score": value(result, body)} for result in scored.results])

    @routes.post("/v1/rerank", response_model=RerankedBody, dependencies=[Depends(few(service, "documents"))])
    @routes.post("/v2/rerank", response_model=RerankedBody, dependencies=[Depends(few(service, "documents"))])
    async def rerank(body: RerankBody, call: Call = Depends(call_of)) -> dict[str, Any]:
        """vLLM's (and Jina's and Cohere's) reranking: responses of one prompt, the best first."""
        return await reranked(call, body)

    return routes
