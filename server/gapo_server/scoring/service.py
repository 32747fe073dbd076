"""The one way from pairs to results, shared by REST, gRPC and every dialect."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from gapo_core.pairs import Budgets, EncodedPair, TruncationPolicy

from gapo_server.config import Settings
from gapo_server.errors import UnknownModel
from gapo_server.metrics import Metrics
from gapo_server.scoring.admission import Admission
from gapo_server.scoring.batching import Batcher
from gapo_server.scoring.encoding import Encoding, Pair
from gapo_server.store import ServedModel
from gapo_server.underway import Underway

QUEUED_BATCHES = 128
"""Batches whose tokens may wait unless the settings say otherwise: on two cores half a minute of work."""


@dataclass(frozen=True)
class Question:
    """Pairs to score; what is not given is the server's setting or the model's own.

    `empty_score` is the score of a response without visible text, which is an error where there is none.
    """

    pairs: Sequence[Pair]
    model: str = ""
    truncation: TruncationPolicy | None = None
    prompt_budget: int | None = None
    response_budget: int | None = None
    empty_score: float | None = None


@dataclass(frozen=True)
class Result:
    score: float
    probability: float
    prompt_tokens: int
    response_tokens: int
    truncated_tokens: int
    prompt_truncated_tokens: int
    response_truncated_tokens: int


@dataclass(frozen=True)
class Scored:
    model: str
    model_version: str
    results: list[Result]

    @property
    def truncated_tokens(self) -> int:
        return sum(result.truncated_tokens for result in self.results)


class ScoringService:
    """Must be made inside the running event loop."""

    def __init__(self, models: Sequence[ServedModel], settings: Settings, metrics: Metrics | None = None) -> None:
        self.settings, self.metrics = settings, metrics or Metrics()
        self.models = {model.manifest.name: model for model in models}
        self.default = settings.default_model or models[0].manifest.name
        self.admission = Admission(settings, self.metrics)
        self._encoding = Encoding(settings.tokenizing, self.metrics)
        self.underway = Underway()
        self.batchers: dict[str, Batcher] = {}
        for name, model in self.models.items():
            self.batchers[name] = Batcher(
                model.engine,
                model.manifest.architecture.block,
                model.engine.batch_tokens,
                settings.max_queue_tokens or QUEUED_BATCHES * model.engine.batch_tokens,
                self.metrics,
            )
            self.metrics.model_info.labels(name, model.manifest.version).set(1)

    @property
    def max_request_tokens(self) -> int:
        """Tokens of one request that every model takes."""
        return min(batcher.max_queue_tokens for batcher in self.batchers.values())

    async def score(self, question: Question, timeout: float | None = None) -> Scored:
        """Scores within `timeout` seconds, never more than the server's own limit.

        Raises a `RequestError` whose field reads like `pairs[3].response`. Cancelling drops what still waits.
        """
        seconds = min(timeout or self.settings.request_timeout, self.settings.request_timeout)
        return await self.underway.within(seconds, self._score(question, time.monotonic() + seconds), "scored")

    async def _score(self, question: Question, deadline: float) -> Scored:
        self.admission.check(question.pairs)
        name = question.model or self.default
        served = self.models.get(name)
        if served is None:
            raise UnknownModel(f"{name[:100]!r} is not served; served are {', '.join(self.models)}", "model")
        budgets = None
        if question.prompt_budget is not None or question.response_budget is not None:
            budgets = Budgets(
                self.settings.prompt_budget if question.prompt_budget is None else question.prompt_budget,
                self.settings.response_budget if question.response_budget is None else question.response_budget,
            )
        policy = question.truncation or served.manifest.truncation
        allows_empty = question.empty_score is not None
        encoded = await self._encoding.encode(served.encoder, question.pairs, policy, budgets, allows_empty)
        visible = [pair for pair in encoded if pair.response_tokens]
        logits = await self.batchers[name].score([pair.ids for pair in visible], deadline) if visible else []
        self._count(name, visible)
        of_visible, of_empty = iter(logits), cast(float, question.empty_score)
        scores = [next(of_visible) if pair.response_tokens else of_empty for pair in encoded]
        results = [
            Result(
                score,
                served.probability(score),
                pair.prompt_tokens,
                pair.response_tokens,
                pair.truncated_tokens,
                pair.prompt_truncated_tokens,
                pair.response_truncated_tokens,
            )
            for score, pair in zip(scores, encoded, strict=True)
        ]
        return Scored(name, served.manifest.version, results)

    def _count(self, model: str, encoded: Sequence[EncodedPair]) -> None:
        self.metrics.scored_pairs.labels(model).inc(len(encoded))
        self.metrics.scored_tokens.labels(model).inc(sum(len(pair.ids) for pair in encoded))
        for field in ("prompt", "response"):
            cut = sum(getattr(pair, f"{field}_truncated_tokens") for pair in encoded)
            self.metrics.truncated_tokens.labels(model, field).inc(cut)

    async def close(self) -> bool:
        """Fails what waits; whether every engine is idle."""
        self.underway.give_up()
        idle = [await batcher.close() for batcher in self.batchers.values()]
        self._encoding.close()
        return all(idle)
