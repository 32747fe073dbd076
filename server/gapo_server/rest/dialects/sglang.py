"""SGLang's `POST /classify` of a reward model."""

import asyncio
from collections.abc import Callable
from typing import Any

from pydantic import BaseModel, Field, PrivateAttr, StrictStr, model_validator

from gapo_server.rest.dialects import rewards
from gapo_server.rest.dialects.rewards import Call
from gapo_server.rest.dialects.vllm_schemas import TALK, Texts, example
from gapo_server.rest.middleware import exchange_of
from gapo_server.rest.schemas import Body

REMEDY = "let a chat template stand around the turns, the assistant's last"


class TextBody(BaseModel):
    """Further keys (`rid`, `priority`, …) are accepted and not looked at."""

    model_config = example(text=[TALK])

    model: StrictStr | None = Field(default=None, description="A served model; null means the URL's, or the default.")
    text: Texts = Field(description="One or more conversations in a chat template, the assistant's turn last.")
    input_ids: None = Field(default=None, description="Token ids are the tokenizer's of another model: send `text`.")
    image_data: None = Field(default=None, description="The reward model reads text alone.")
    _alone: bool = PrivateAttr(default=False)

    @model_validator(mode="wrap")
    @classmethod
    def _note_one(cls, data: Any, handler: Callable[[Any], "TextBody"]) -> "TextBody":
        body = handler(data)
        body._alone = isinstance(data, dict) and isinstance(data.get("text"), str)
        return body

    @property
    def alone(self) -> bool:
        """Whether one text came and no list, which is answered likewise."""
        return self._alone


class MetaBody(Body):
    id: str
    prompt_tokens: int = Field(description="Tokens that were scored, special tokens not counted.")


class EmbeddingBody(Body):
    embedding: list[float] = Field(description="One raw logit.")
    meta_info: MetaBody


async def classified(call: Call, body: TextBody) -> Any:
    """Raw logits: SGLang's contract has no switch for anything else."""
    texts = body.text or []
    pairs = await asyncio.to_thread(rewards.split, texts, None, "text[{}]", REMEDY)  # long texts take long
    scored = await call.score(pairs, body.model, call.truncation, r"text\1", allows_empty=True)
    name = exchange_of(call.request).request_id
    told = [
        {
            "embedding": [result.score],
            "meta_info": {"id": name, "prompt_tokens": result.prompt_tokens + result.response_tokens},
        }
        for result in scored.results
    ]
    return told[0] if body.alone else told
