"""From findings to a decision: pure, so that a policy can be tried without a server."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gapo import chat

from gapo_server.gate.policy import SEVERITY, Consequences, Decision, Policy, ScoreRule
from gapo_server.scoring.service import Result


@dataclass(frozen=True)
class Reason:
    """Why a response is not simply allowed. `about` is `response`, `constraints`, `constraints[2]` or `score`."""

    decision: Decision
    about: str
    message: str


@dataclass(frozen=True)
class Decided:
    """`reasons` are the most severe first. `constraints` are the verdicts on the pair's and then on the policy's,
    `remainder` what of the prompt is no constraint, `score` the model's where it was asked and saw text."""

    decision: Decision
    reasons: list[Reason]
    constraints: list[Mapping[str, Any]]
    remainder: str | None
    score: Result | None


def decide(
    policy: Policy,
    response: str,
    of_pair: Mapping[str, Any] | None,
    of_policy: Mapping[str, Any] | None,
    score: Result | None,
) -> Decided:
    """The decision on `response`, given the reports of `checking` on its pair's constraints and on the policy's.

    None: there was nothing to ask. Without a reason the response is allowed.
    """
    reports = [report["constraints"] if report else [] for report in (of_pair, of_policy)]
    verdicts = [verdict for report in reports for verdict in report]
    own: list[Consequences | None] = [*[None] * len(reports[0]), *policy.constraints]
    found = list(_of_rules(policy, verdicts, own))
    if not chat.visible(response) or (score is not None and not score.response_tokens):
        found.append(Reason(policy.empty, "response", "the response has no visible text"))
        score = None
    if policy.score and score:
        found += _of_score(policy.score, score)
    if not policy.score and (not verdicts or (of_pair and not reports[0])):
        found.append(
            Reason(policy.unread, "constraints", "no constraint was found in the prompt, and no model is asked")
        )
    others = (reason for reason in found if reason.decision != "allow")
    reasons = sorted(others, key=lambda reason: -SEVERITY.index(reason.decision))
    decision = reasons[0].decision if reasons else "allow"
    return Decided(decision, reasons, verdicts, of_pair["remainder"] if of_pair else None, score)


def _of_rules(
    policy: Policy, verdicts: Sequence[Mapping[str, Any]], own: Sequence[Consequences | None]
) -> Iterator[Reason]:
    """`own` is what the policy's constraints say of themselves, None for one of the prompt."""
    for number, (verdict, consequences) in enumerate(zip(verdicts, own, strict=True)):
        status, id = verdict["status"], verdict["id"]
        if status == "satisfied":
            continue
        exceptions = policy.exceptions.get(id), policy.exceptions.get(id.partition(":")[0])
        said = (getattr(one, status) for one in (consequences, *exceptions) if one)
        decision = next((one for one in said if one), getattr(policy, status))
        yield Reason(decision, f"constraints[{number}]", f"{id} is {status}: {verdict['reason']}")


def _of_score(rule: ScoreRule, score: Result) -> Iterator[Reason]:
    if score.probability < rule.block:
        yield Reason("block", "score", f"the probability {score.probability:.4f} is below {rule.block:g}")
    elif score.probability < rule.allow:
        yield Reason("review", "score", f"the probability {score.probability:.4f} is below {rule.allow:g}")
    if score.truncated_tokens:
        yield Reason(rule.too_long, "score", f"{score.truncated_tokens} tokens were cut: the score is of the rest")
    if rule.most_response_tokens and score.response_tokens > rule.most_response_tokens:
        told = f"the response has {score.response_tokens} tokens, more than {rule.most_response_tokens}"
        yield Reason(rule.too_long, "score", told)
