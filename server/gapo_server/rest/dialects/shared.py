"""Paths that two projects gave different bodies: /classify is vLLM's and SGLang's, /rerank vLLM's and Text Embeddings
Inference's. The keys of a body tell whose it is."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Request
from pydantic import Discriminator, Tag

from gapo_server.rest import forms, openapi
from gapo_server.rest.dialects import rewards, sglang, tei, vllm
from gapo_server.rest.dialects.rewards import Call
from gapo_server.rest.dialects.sglang import EmbeddingBody, TextBody
from gapo_server.rest.dialects.tei import RankBody, TeiRerankBody
from gapo_server.rest.dialects.vllm_schemas import ClassifiedBody, ClassifyBody, RerankBody, RerankedBody
from gapo_server.rest.middleware import few
from gapo_server.rest.schemas import TeiErrorBody, VllmErrorBody
from gapo_server.scoring.service import ScoringService

TAGS = ("<vllm>", "<sglang>", "<tei>")
"""Stand in places of validation errors, which are told without them."""


def _classifies(body: Any) -> str:
    theirs = isinstance(body, dict) and "text" in body and not {"input", "messages"} & body.keys()
    return "<sglang>" if theirs else "<vllm>"


def _reranks(body: Any) -> str:
    return "<tei>" if isinstance(body, dict) and "texts" in body and "documents" not in body else "<vllm>"


AnyClassify = Annotated[
    Annotated[ClassifyBody, Tag("<vllm>")] | Annotated[TextBody, Tag("<sglang>")], Discriminator(_classifies)
]
AnyRerank = Annotated[
    Annotated[RerankBody, Tag("<vllm>")] | Annotated[TeiRerankBody, Tag("<tei>")], Discriminator(_reranks)
]


async def speak(request: Request, body: Annotated[Any, Body()]) -> None:
    """A dependency: errors of a request to Text Embeddings Inference are told as it tells them."""
    if _reranks(body) == "<tei>":
        request.scope["state"]["form"] = forms.tei


def router(service: ScoringService) -> APIRouter:
    routes = APIRouter(dependencies=openapi.guard(service.settings))
    call_of = rewards.calls(service)

    def errors(body: Any) -> Any:
        return openapi.errors(service.settings, openapi.SCORING, body)

    @routes.post(
        "/classify",
        response_model=ClassifiedBody | list[EmbeddingBody] | EmbeddingBody,
        dependencies=[Depends(few(service, "input", "messages", "text"))],
        responses=errors(VllmErrorBody),
    )
    async def classify(body: AnyClassify, call: Call = Depends(call_of)) -> Any:
        """Classification by a reward model: vLLM's of `input` or `messages`, SGLang's of `text`."""
        return await (vllm.classified(call, body) if isinstance(body, ClassifyBody) else sglang.classified(call, body))

    @routes.post(
        "/rerank",
        response_model=RerankedBody | list[RankBody],
        response_model_exclude_unset=True,
        dependencies=[Depends(speak), Depends(few(service, "documents", "texts"))],
        responses=errors(VllmErrorBody | TeiErrorBody),
    )
    async def rerank(body: AnyRerank, call: Call = Depends(call_of)) -> Any:
        """Responses of one prompt, the best first: vLLM's of `documents`, Text Embeddings Inference's of `texts`."""
        return await (vllm.reranked(call, body) if isinstance(body, RerankBody) else tei.ranked(call, body))

    return routes
