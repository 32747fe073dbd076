"""Bodies of vLLM's pooling models. Further keys (`user`, `priority`, …) are accepted and not looked at."""

from typing import Annotated, Any, Literal

from gapo import chat
from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, FailFast, Field, StrictBool, StrictInt
from pydantic import StrictStr as Text

from gapo_server.rest.schemas import Body

PROMPT = "Describe a laptop. memory: 8 gb"
RESPONSE = "a laptop with 8 gb of memory ."
TALK = f"<|im_start|>user\n{PROMPT}<|im_end|>\n<|im_start|>assistant\n{RESPONSE}<|im_end|>"


def example(**body: Any) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [body]}, protected_namespaces=())


Texts = Annotated[
    list[Text] | None,
    FailFast(),
    BeforeValidator(
        lambda given: [given] if isinstance(given, str) else given, json_schema_input_type=str | list[str] | None
    ),
]
"""One text, or a list of them, or none."""


class _Asked(BaseModel):
    model: Text | None = Field(default=None, description="A served model; null means the URL's, or the default.")
    use_activation: StrictBool | None = Field(
        default=None,
        validation_alias=AliasChoices("use_activation", "activation", "softmax"),  # as earlier versions called it
        description="true: the probability, else the raw logit.",
    )
    truncate_prompt_tokens: StrictInt | None = Field(default=None, description="-1 or null; see `truncation`.")
    truncation_side: Literal["left", "right"] | None = Field(
        default=None, description="What a field that is too long loses; null: what `truncation` says."
    )


class MessageBody(BaseModel):
    role: Text
    content: Annotated[
        Text, BeforeValidator(chat.content, json_schema_input_type=str | list[dict[str, Any]] | None)
    ] = Field(default="", description="A text, or parts of text.")


class ConversationBody(_Asked):
    input: Texts = Field(
        default=None, description="One or more conversations in a chat template, the assistant's turn last."
    )
    messages: Annotated[list[MessageBody] | None, FailFast()] = Field(
        default=None, description="One conversation instead, the assistant's message last."
    )


class ClassifyBody(ConversationBody):
    model_config = example(input=TALK, use_activation=False)


class PoolingBody(ConversationBody):
    model_config = example(input=TALK)

    task: Literal["classify"] | None = Field(default=None, description="The only task of a reward model.")
    dimensions: None = Field(default=None, description="Of embeddings; a reward has one.")
    encoding_format: Literal["float"] = "float"


class TextPairsBody(_Asked):
    model_config = example(text_1=PROMPT, text_2=[RESPONSE, "an expensive laptop with 4 gb of memory ."])

    text_1: Texts = Field(default=None, description="One prompt, or as many as there are responses.")
    text_2: Texts = Field(default=None, description="The responses.")
    queries: Texts = Field(default=None, description="The same as text_1.")
    documents: Texts = Field(default=None, description="The same as text_2, beside queries.")
    items: Texts = Field(default=None, description="The same as documents.")
    data_1: Texts = Field(default=None, description="The same as text_1.")
    data_2: Texts = Field(default=None, description="The same as text_2.")


class RerankBody(_Asked):
    model_config = example(query=PROMPT, documents=[RESPONSE, "an expensive laptop with 4 gb of memory ."])

    query: Text = Field(description="The prompt.")
    documents: Annotated[list[Text], FailFast()] = Field(description="Its responses.")
    top_n: StrictInt = Field(default=0, ge=0, description="Answer with so many of the best; 0: all.")


class ClassBody(Body):
    index: int
    label: str
    probs: list[float] = Field(description="One raw logit, or probability.")
    num_classes: int = 1


class UsageBody(Body):
    prompt_tokens: int = Field(description="Tokens of all pairs that were scored, special tokens not counted.")
    total_tokens: int
    completion_tokens: int = 0
    prompt_tokens_details: None = None


class _Answer(Body):
    id: str
    object: str = "list"
    created: int = Field(description="Seconds since 1970.")
    model: str
    usage: UsageBody


class ClassifiedBody(_Answer):
    data: list[ClassBody]


class PooledBody(Body):
    index: int
    object: str = "pooling"
    data: list[float] = Field(description="One raw logit, or probability.")


class PooledAllBody(_Answer):
    data: list[PooledBody]


class PairScoreBody(Body):
    index: int
    object: str = "score"
    score: float = Field(description="Raw logit, or probability.")


class PairScoresBody(_Answer):
    data: list[PairScoreBody]


class DocumentBody(Body):
    text: str
    multi_modal: None = None


class RankedBody(Body):
    index: int = Field(description="The document's number in the request.")
    document: DocumentBody
    relevance_score: float = Field(description="Raw logit, or probability.")


class RerankUsageBody(Body):
    prompt_tokens: int
    total_tokens: int


class RerankedBody(Body):
    id: str
    model: str
    usage: RerankUsageBody
    results: list[RankedBody] = Field(description="The best first.")
