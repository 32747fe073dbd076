"""Bodies of the REST interface."""

from typing import Annotated, Any

from gapo import chat
from gapo_core.constraints.types import Mode, Status
from gapo_core.pairs import TruncationPolicy
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    FailFast,
    Field,
    StrictInt,
    StrictStr,
    model_validator,
)

from gapo_server.checking.kwargs import Kwargs
from gapo_server.gate.policy import Decision, Policy


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid", protected_namespaces=())


class _Asked(Body):
    """A body that clients send. One error is told, so no more are looked for: a megabyte may hold a million."""

    @model_validator(mode="before")
    @classmethod
    def _one_unknown_key(cls, data: Any) -> Any:
        if not isinstance(data, dict) or len(data) <= len(cls.model_fields):
            return data
        unknown = next(key for key in data if key not in cls.model_fields)
        return {key: data[key] for key in (*cls.model_fields, unknown) if key in data}


class PairBody(_Asked):
    prompt: StrictStr = Field(description="Task and constraints; not empty.")
    response: StrictStr = Field(description="The text to judge; not empty.")


class ScoreBody(_Asked):
    pairs: Annotated[list[PairBody], FailFast()] = Field(
        description="One or more pairs; GET /v1/models tells the limits."
    )
    model: StrictStr = Field(default="", description="A served model; empty means the default.")
    truncation: TruncationPolicy | None = Field(default=None, description="Default: the model's own policy.")
    prompt_budget: StrictInt | None = Field(default=None, gt=0, le=1 << 20, description="Most tokens of a prompt.")
    response_budget: StrictInt | None = Field(default=None, gt=0, le=1 << 20, description="Most tokens of a response.")


class ResultBody(Body):
    score: float = Field(description="Raw logit; what reinforcement learning uses.")
    probability: float = Field(description="Calibrated probability that all constraints are kept.")
    prompt_tokens: int = Field(description="Tokens of the prompt that were scored, special tokens not counted.")
    response_tokens: int = Field(description="Tokens of the response that were scored.")
    truncated_tokens: int = Field(description="Tokens cut from prompt and response together.")
    prompt_truncated_tokens: int
    response_truncated_tokens: int


class ScoredBody(Body):
    model: str
    model_version: str
    results: list[ResultBody]


class ConstraintBody(_Asked):
    id: StrictStr = Field(description="family:name, such as length_constraints:number_words.")
    kwargs: Kwargs = Field(default={}, description="Its keyword arguments.")


class CheckPairBody(_Asked):
    prompt: StrictStr = Field(
        default="", description="Task and constraints; may be left out where constraints are given."
    )
    response: StrictStr = Field(description="The text to check; an empty one is checked like any other.")
    constraints: Annotated[list[ConstraintBody] | None, FailFast()] = Field(
        default=None,
        min_length=1,
        description="What to check; left out, what the prompt demands, as far as it can be read.",
    )


class CheckBody(_Asked):
    pairs: Annotated[list[CheckPairBody], FailFast()] = Field(
        description="One or more pairs; GET /v1/models tells the limits."
    )
    mode: Mode = Field(
        default="strict",
        description="strict: what a person would say; compat, compat_loose: what IFEval's reference checkers say.",
    )


class SpanBody(Body):
    start: int
    end: int


class ConstraintVerdictBody(Body):
    id: str
    kwargs: dict[str, Any]
    span: SpanBody | None = Field(description="The prompt's characters that ask for it; null where it was given.")
    status: Status
    reason: str
    observed: Any = Field(description="What was counted or found.")
    evidence: list[SpanBody] = Field(description="Characters of the response, the first 64 places.")


class CheckResultBody(Body):
    status: Status = Field(
        description="violated where a constraint is, satisfied where all are, else unknown: also where none was found."
    )
    constraints: list[ConstraintVerdictBody]
    remainder: str | None = Field(description="What of the prompt is no constraint; null where constraints were given.")


class CheckedBody(Body):
    results: list[CheckResultBody]


class GatePairBody(CheckPairBody):
    prompt: StrictStr = Field(default="", description="Task and constraints; needed where the policy asks a model.")
    response: StrictStr = Field(description="The text to decide on; what follows from an empty one, the policy says.")


class GateBody(_Asked):
    pairs: Annotated[list[GatePairBody], FailFast()] = Field(
        description="One or more pairs; GET /v1/models tells the limits."
    )
    policy: StrictStr = Field(default="", description="A served policy; empty means `default`.")
    inline_policy: Policy | None = Field(default=None, description="A policy of the request's own, instead.")


class ReasonBody(Body):
    decision: Decision
    about: str = Field(description="response, constraints, constraints[2] or score.")
    message: str


class DecidedBody(Body):
    decision: Decision
    reasons: list[ReasonBody] = Field(description="The most severe first; none where it is allowed.")
    constraints: list[ConstraintVerdictBody] = Field(description="The pair's or its prompt's, then the policy's.")
    remainder: str | None = Field(description="What of the prompt is no constraint; null where it was not read.")
    score: ResultBody | None = Field(description="Null where the policy asks no model, or the response is empty.")


class GatedBody(Body):
    policy: str
    policy_digest: str = Field(description="Tells two texts of a policy apart.")
    model: str = Field(description="Empty where the policy asks none.")
    model_version: str
    results: list[DecidedBody]


class PolicyBody(Body):
    name: str
    digest: str
    policy: Policy


class PoliciesBody(Body):
    policies: list[PolicyBody]


class Told(Body):
    reason: str = Field(description="Stable and machine-readable.")
    field: str = Field(description="Which input it is about, as `pairs[0].response`; may be empty.")
    message: str = Field(description="What is wrong, and the remedy.")


class ErrorBody(Body):
    error: Told


class ToldLikeVllm(Told):
    type: str = Field(description="BadRequestError, NotFoundError, …")
    param: str | None = Field(description="The field once more, or null.")
    code: int = Field(description="The HTTP status.")


class VllmErrorBody(Body):
    error: ToldLikeVllm


class TeiErrorBody(Body):
    error: str = Field(description="Field and message.")
    error_type: str = Field(description="Validation, Overloaded, Unhealthy or Backend.")


class InferenceErrorBody(Body):
    error: str = Field(description="Field and message.")


class ModelBody(Body):
    name: str
    version: str
    default: bool
    max_tokens: int = Field(description="Tokens of prompt, response and special tokens together.")
    template: str = Field(description="How a pair becomes token ids.")
    truncation: TruncationPolicy


class LimitsBody(Body):
    max_pairs: int
    max_body_bytes: int
    max_text_bytes: int = Field(description="Bytes of one prompt or response as UTF-8.")
    max_request_tokens: int


class ModelsBody(Body):
    models: list[ModelBody]
    limits: LimitsBody


class OpenRLHFBody(BaseModel):
    """Further keys (`labels`, and what later versions may add) are accepted and not looked at."""

    model: StrictStr = Field(default="", description="A served model; empty means the URL's, or else the default.")
    query: Annotated[list[StrictStr], FailFast()] = Field(
        description="Prompt and response in the actor's chat template."
    )
    prompts: Annotated[list[StrictStr] | None, FailFast()] = Field(
        default=None, description="The prompt of each query; absent up to v0.5."
    )


class RewardsBody(Body):
    rewards: list[float]
    scores: list[float]
    extra_logs: dict[str, list[float]]


class SlimeBody(BaseModel):
    """Further keys (`label`) are accepted and not looked at."""

    model: StrictStr = Field(default="", description="A served model; empty means the URL's, or else the default.")
    prompt: Annotated[
        StrictStr, BeforeValidator(chat.conversation, json_schema_input_type=str | list[dict[str, Any]])
    ] = Field(description="In the actor's chat template, plain, or messages.")
    response: StrictStr = Field(description="The completion; special tokens may be in it.")
