"""Bodies of the REST interface."""

from gapo_core.pairs import TruncationPolicy
from pydantic import BaseModel, ConfigDict, Field, StrictStr


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", protected_namespaces=())


class PairBody(_Body):
    prompt: StrictStr = Field(description="Task and constraints; not empty.")
    response: StrictStr = Field(description="The text to judge; not empty.")


class ScoreBody(_Body):
    pairs: list[PairBody]
    model: StrictStr = Field(default="", description="A served model; empty means the default.")
    truncation: TruncationPolicy | None = Field(default=None, description="Default: the model's own policy.")


class ResultBody(_Body):
    score: float = Field(description="Raw logit; what reinforcement learning uses.")
    probability: float = Field(description="Calibrated probability that all constraints are kept.")
    prompt_tokens: int
    response_tokens: int
    truncated_tokens: int


class ScoredBody(_Body):
    model: str
    model_version: str
    results: list[ResultBody]


class OpenRLHFBody(BaseModel):
    query: list[StrictStr]
    prompts: list[StrictStr] | None = None


class RewardsBody(_Body):
    rewards: list[float]
    scores: list[float]
    extra_logs: dict[str, list[float]]
