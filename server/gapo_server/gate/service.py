"""The one way from pairs to decisions, shared by REST and gRPC."""

import asyncio
import re
import time
from collections import Counter
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gapo_server.checking.service import CheckingService, Demand
from gapo_server.errors import InvalidInput, RequestError, UnknownPolicy
from gapo_server.gate.decide import Decided, decide
from gapo_server.gate.policy import DEFAULT, INLINE, Policy, PolicyError, check_vocabulary
from gapo_server.scoring.encoding import Pair
from gapo_server.scoring.service import Question, Scored, ScoringService

Report = Mapping[str, Any]


@dataclass(frozen=True)
class Asked:
    """Pairs to decide on under a served policy, or under `inline`; those with constraints of their own are checked on
    these instead of what their prompt demands."""

    pairs: Sequence[Demand]
    policy: str = ""
    inline: Policy | None = None


@dataclass(frozen=True)
class Gated:
    """`policy_digest` tells two texts of one policy apart; `model` is empty where none was asked."""

    policy: str
    policy_digest: str
    model: str
    model_version: str
    results: list[Decided]

    def __str__(self) -> str:
        """For the log."""
        counts = Counter(one.decision for one in self.results)
        return f"policy {self.policy} {self.policy_digest}: " + ", ".join(f"{n} {told}" for told, n in counts.items())


class GateService:
    """Rules and model are asked at once; what fails of either fails the request, so that nothing passes unjudged."""

    def __init__(self, scoring: ScoringService, checking: CheckingService, policies: Mapping[str, Policy]) -> None:
        """Raises `ValueError` for a policy that asks a model which is not served."""
        self.policies = policies
        self._scoring, self._checking = scoring, checking
        for name, policy in policies.items():
            if policy.score and policy.score.model and policy.score.model not in scoring.models:
                served = ", ".join(scoring.models)
                raise ValueError(
                    f"policy {name}: score.model: {policy.score.model!r} is not served; served are {served}"
                )

    async def decide(self, asked: Asked, timeout: float | None = None) -> Gated:
        """Decides within `timeout` seconds, never more than the server's own limit.

        Raises a `RequestError` whose field reads like `pairs[3].response`. Cancelling drops what still waits.
        """
        settings = self._scoring.settings
        seconds = min(timeout or settings.request_timeout, settings.request_timeout)
        return await self._scoring.underway.within(seconds, self._decide(asked, time.monotonic() + seconds), "decided")

    async def _decide(self, asked: Asked, deadline: float) -> Gated:
        pairs = [(one.prompt, one.response) for one in asked.pairs]
        self._scoring.admission.check(pairs)
        name, policy = await self._policy(asked)
        if policy.score:  # before rules are asked: a file of such lines costs a request each
            for number, (prompt, _) in enumerate(pairs):
                if not prompt.strip():
                    told = "is empty; the policy asks a model, which needs the prompt"
                    raise InvalidInput(told, f"pairs[{number}].prompt")
        seconds = max(0.001, deadline - time.monotonic())
        of_pairs, of_policy, scored = await _together(
            self._of_pairs(asked.pairs, policy, seconds),
            self._of_policy(pairs, policy, seconds),
            self._scores(pairs, policy, seconds),
        )
        scores = scored.results if scored else [None] * len(pairs)
        decided = [
            decide(policy, response, *found)
            for (_, response), *found in zip(pairs, of_pairs, of_policy, scores, strict=True)
        ]
        for one in decided:
            self._scoring.metrics.decisions.labels(name, one.decision).inc()
        model, version = (scored.model, scored.model_version) if scored else ("", "")
        return Gated(name, policy.digest, model, version, decided)

    async def _policy(self, asked: Asked) -> tuple[str, Policy]:
        """The policy, and what metrics call it."""
        if asked.inline is None:
            name = asked.policy or DEFAULT
            if name not in self.policies:
                raise UnknownPolicy(f"{name[:100]!r} is not served; served are {', '.join(self.policies)}", "policy")
            return name, self.policies[name]
        if asked.policy:
            raise InvalidInput("is given beside policy; send one of the two", INLINE)
        try:
            if asked.inline.names_constraints:  # the families take a second to load, which a checking process has spent
                await self._checking.run(check_vocabulary, asked.inline)
        except PolicyError as error:
            raise InvalidInput(str(error), f"{INLINE}.{error.field}") from None
        return INLINE, asked.inline

    async def _of_pairs(self, pairs: Sequence[Demand], policy: Policy, seconds: float) -> Sequence[Report | None]:
        """A blank prompt demands nothing; whether it may be blank is the model's matter."""
        reports: list[Report | None] = [None] * len(pairs)
        readable = [policy.from_prompt and bool(one.prompt.strip()) for one in pairs]
        places = [place for place, one in enumerate(pairs) if readable[place] or one.constraints is not None]
        if places:
            try:
                found = await self._checking.check([pairs[place] for place in places], "strict", seconds)
            except RequestError as error:
                error.field = _renumbered(error.field, places)
                raise
            for place, report in zip(places, found, strict=True):
                reports[place] = report
        return reports

    async def _of_policy(self, pairs: Sequence[Pair], policy: Policy, seconds: float) -> Sequence[Report | None]:
        if not policy.constraints:
            return [None] * len(pairs)
        required = [(one.id, one.kwargs) for one in policy.constraints]
        return await self._checking.check([Demand(*pair, required) for pair in pairs], "strict", seconds)

    async def _scores(self, pairs: Sequence[Pair], policy: Policy, seconds: float) -> Scored | None:
        if policy.score is None:
            return None
        # What follows from a response without visible text is the policy's matter, so its score is never looked at.
        question = Question(pairs, policy.score.model, policy.score.truncation, empty_score=0.0)
        try:
            return await self._scoring.score(question, seconds)
        except RequestError as error:
            if error.field == "model":  # a served policy's was looked at before
                error.field = f"{INLINE}.score.model"
            raise


def _renumbered(field: str, places: Sequence[int]) -> str:
    """`pairs[0].response`, said of some of the pairs, as of all of them."""
    return re.sub(r"^pairs\[(\d+)\]", lambda match: f"pairs[{places[int(match[1])]}]", field)


async def _together(*work: Coroutine[Any, Any, Any]) -> list[Any]:
    """What all of it gives; the first error ends the rest."""
    tasks = [asyncio.ensure_future(one) for one in work]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
