"""Text Embeddings Inference: `POST /predict`, and its `POST /rerank`."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends
from gapo import chat
from gapo_core.pairs import TruncationPolicy
from pydantic import BaseModel, BeforeValidator, FailFast, Field, PlainValidator, StrictBool, StrictStr

from gapo_server.errors import InvalidInput
from gapo_server.rest import openapi
from gapo_server.rest.dialects import rewards
from gapo_server.rest.dialects.rewards import Call
from gapo_server.rest.dialects.vllm import LABEL
from gapo_server.rest.dialects.vllm_schemas import PROMPT, RESPONSE, example
from gapo_server.rest.middleware import few
from gapo_server.rest.schemas import Body, TeiErrorBody
from gapo_server.scoring.encoding import Pair
from gapo_server.scoring.service import ScoringService


@dataclass(frozen=True)
class Inputs:
    """Rows of one text, a conversation, or of two, prompt and response; `alone` is one row that no list is around."""

    rows: Sequence[Sequence[str]]
    alone: bool

    def place(self, row: int) -> str:
        return "inputs" if self.alone else f"inputs[{row}]"


def _read(given: Any) -> Inputs:
    """Raises `ValueError`: pydantic's unions would tell every way in which it could have been right."""
    alone = isinstance(given, str) or (isinstance(given, list) and bool(given) and isinstance(given[0], str))
    rows = [[given] if isinstance(given, str) else given] if alone else given
    if not isinstance(rows, list):
        raise ValueError("is neither a text, a pair [prompt, response] nor a list of [text]s and pairs")
    inputs = Inputs(rows, alone)
    for number, row in enumerate(rows):
        if not isinstance(row, list) or len(row) not in (1, 2) or not all(isinstance(text, str) for text in row):
            raise ValueError(f"{inputs.place(number)} is neither [text] nor a pair [prompt, response] of texts")
        try:
            "".join(row).encode()
        except UnicodeEncodeError:
            raise ValueError(f"{inputs.place(number)} holds half a character; send valid Unicode") from None
    return inputs


class _Asked(BaseModel):
    model: StrictStr | None = Field(default=None, description="A served model; null means the URL's, or the default.")
    truncate: StrictBool | None = Field(
        default=None, description="Cut what is too long; false: refuse it; null: do as `truncation` says."
    )
    truncation_direction: Annotated[
        Literal["left", "right"],
        BeforeValidator(lambda given: given.lower() if isinstance(given, str) else given),
    ] = Field(default="right", description="Where `truncate: true` cuts a field.")
    raw_scores: StrictBool = Field(default=False, description="true: raw logits, else calibrated probabilities.")

    @property
    def policy(self) -> TruncationPolicy | None:
        if self.truncate is None:
            return None
        if not self.truncate:
            return TruncationPolicy.ERROR
        return TruncationPolicy.KEEP_HEAD if self.truncation_direction == "right" else TruncationPolicy.KEEP_TAIL


class PredictBody(_Asked):
    """Further keys are accepted and not looked at."""

    model_config = example(inputs=[[PROMPT, RESPONSE]], raw_scores=True)

    inputs: Annotated[Inputs, PlainValidator(_read, json_schema_input_type=str | list[str] | list[list[str]])] = Field(
        description="A conversation in a chat template, a pair [prompt, response], or a list of [text]s and pairs"
    )
    parameters: dict[str, Any] | None = Field(
        default=None, description="Of huggingface_hub; `function_to_apply` may be `none` (raw logits) or `sigmoid`."
    )


class TeiRerankBody(_Asked):
    """Further keys are accepted and not looked at."""

    model_config = example(query=PROMPT, texts=[RESPONSE, "an expensive laptop with 4 gb of memory ."], raw_scores=True)

    query: StrictStr = Field(description="The prompt.")
    texts: Annotated[list[StrictStr], FailFast()] = Field(description="Its responses.")
    return_text: StrictBool = False


class PredictionBody(Body):
    score: float = Field(description="Calibrated probability, or raw logit.")
    label: str


class RankBody(Body):
    index: int = Field(description="The text's number in the request.")
    text: str | None = None
    score: float = Field(description="Calibrated probability, or raw logit.")


def pairs(inputs: Inputs) -> list[Pair]:
    """Raises `InvalidInput` where one text cannot be told apart into prompt and response."""
    found = []
    for number, row in enumerate(inputs.rows):
        pair = (row[0], row[1]) if len(row) == 2 else chat.split(row[0], None)
        if pair is None:
            raise InvalidInput(
                "prompt and response cannot be told apart; send a pair [prompt, response], or a chat template",
                inputs.place(number),
            )
        found.append(pair)
    return found


def fields(inputs: Inputs) -> rewards.Field:
    """`inputs[3][1]` for `pairs[3].response`."""

    def name(found: Any) -> str:
        if not found[1]:
            return "inputs"
        number = int(found[1][1:-1])
        of_two = len(inputs.rows[number]) == 2 and found[2]
        return inputs.place(number) + (f"[{int(found[2] == 'response')}]" if of_two else "")

    return name


def raw(body: PredictBody) -> bool:
    """Raises `InvalidInput` for a function that one number has no use for."""
    function = (body.parameters or {}).get("function_to_apply")
    if function not in (None, "none", "sigmoid"):
        raise InvalidInput(
            "is neither `none` nor `sigmoid`; of one number there is no softmax", "parameters.function_to_apply"
        )
    return body.raw_scores or function == "none"


async def ranked(call: Call, body: TeiRerankBody) -> list[dict[str, Any]]:
    """The best first; `index` is the text's number in the request."""
    asked = [(body.query, text) for text in body.texts]
    scored = await call.score(asked, body.model, body.policy or call.truncation, rewards.fields("query", "texts{}"))
    ranks = []
    for index in rewards.order(scored):
        result = scored.results[index]
        rank: dict[str, Any] = {"index": index, "score": result.score if body.raw_scores else result.probability}
        ranks.append(rank | ({"text": body.texts[index]} if body.return_text else {}))
    return ranks


def router(service: ScoringService) -> APIRouter:
    routes = APIRouter(
        dependencies=[*openapi.guard(service.settings), Depends(few(service, "inputs"))],
        responses=openapi.errors(service.settings, openapi.SCORING, TeiErrorBody),
    )
    call_of = rewards.calls(service)

    @routes.post("/predict", response_model=list[PredictionBody] | list[list[PredictionBody]])
    async def predict(body: PredictBody, call: Call = Depends(call_of)) -> Any:
        """Text Embeddings Inference's classification: probabilities, with `raw_scores` raw logits."""
        logits, inputs = raw(body), body.inputs
        asked = await asyncio.to_thread(pairs, inputs)  # a long text in templates takes long
        # Of a trainer are conversations; who sends a pair can be told that its response is empty.
        talks = all(len(row) == 1 for row in inputs.rows)
        scored = await call.score(asked, body.model, body.policy or call.truncation, fields(inputs), talks)
        told = [
            [{"score": result.score if logits else result.probability, "label": LABEL}] for result in scored.results
        ]
        return told[0] if inputs.alone else told

    return routes
