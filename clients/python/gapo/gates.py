"""Decisions of the gate on the wire, of both protocols."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from gapo.checks import (
    Constraint,
    ConstraintVerdict,
    check_constraints,
    grpc_pairs,
    grpc_verdicts,
    rest_pairs,
    rest_verdicts,
)
from gapo.chunks import Pair
from gapo.v1 import gate_pb2
from gapo.v1.values import plain, struct
from gapo.wire import Score, check_json, check_text, gapo_answer, grpc_score, rest_json, rest_score

PolicyOrName = str | Mapping[str, Any]
"""The name of a served policy ("": default), or a policy itself, as docs/gate.md has it."""


DECIDED_BY = ("policy", "policy_digest", "model", "model_version")


@dataclass(frozen=True)
class GateReason:
    """Why a response is not simply allowed; `about` is response, constraints, constraints[2] or score."""

    decision: str
    about: str
    message: str


@dataclass(frozen=True)
class GateResult:
    """`decision` is allow, review or block, the most severe of the `reasons`, which come the most severe first.

    `constraints` are the verdicts on the pair's or its prompt's, then on the policy's; `remainder` is what of the
    prompt is no constraint, None where it was not read; `score` is None where no model was asked or nothing was to be
    scored. `policy` (inline_policy: one that came along), its digest, `model` and its version tell who decided.
    """

    decision: str
    reasons: tuple[GateReason, ...]
    constraints: tuple[ConstraintVerdict, ...]
    remainder: str | None
    score: Score | None
    policy: str
    policy_digest: str
    model: str
    model_version: str


@dataclass(frozen=True)
class Policy:
    """A served policy; `digest` tells two texts of it apart, `policy` is what it says."""

    name: str
    digest: str
    policy: Mapping[str, Any]


@dataclass(frozen=True)
class Question:
    """What a request says beside its pairs. Raises `InvalidInput` for what neither protocol can carry."""

    policy: PolicyOrName = ""
    constraints: Sequence[Constraint] | None = None

    def __post_init__(self) -> None:
        check_constraints(self.constraints)
        if isinstance(self.policy, Mapping):
            check_json(dict(self.policy), "policy")
        else:
            check_text(self.policy, "policy")


def rest_body(pairs: Sequence[Pair], question: Question) -> dict[str, Any]:
    policy = question.policy
    key, value = ("inline_policy", dict(policy)) if isinstance(policy, Mapping) else ("policy", policy)
    return {"pairs": rest_pairs(pairs, question.constraints), key: value}


def rest_results(reply: httpx.Response) -> list[GateResult]:
    body = rest_json(reply)
    with gapo_answer(reply):
        return [
            GateResult(
                result["decision"],
                tuple(GateReason(one["decision"], one["about"], one["message"]) for one in result["reasons"]),
                rest_verdicts(result["constraints"]),
                result["remainder"],
                result["score"] and rest_score(result["score"]),
                *(body[name] for name in DECIDED_BY),
            )
            for result in body["results"]
        ]


def rest_policies(reply: httpx.Response) -> list[Policy]:
    body = rest_json(reply)
    with gapo_answer(reply):
        return [Policy(one["name"], one["digest"], one["policy"]) for one in body["policies"]]


def grpc_request(pairs: Sequence[Pair], question: Question) -> Any:
    policy = question.policy
    inline = struct(dict(policy)) if isinstance(policy, Mapping) else None
    return gate_pb2.GateRequest(
        pairs=grpc_pairs(pairs, question.constraints),
        policy=policy if isinstance(policy, str) else "",
        inline_policy=inline,
    )


def grpc_results(reply: Any) -> list[GateResult]:
    return [
        GateResult(
            _decision(result.decision),
            tuple(GateReason(_decision(one.decision), one.about, one.message) for one in result.reasons),
            grpc_verdicts(result.constraints),
            result.remainder if result.HasField("remainder") else None,
            grpc_score(result.score) if result.HasField("score") else None,
            *(getattr(reply, name) for name in DECIDED_BY),
        )
        for result in reply.results
    ]


def grpc_policies(reply: Any) -> list[Policy]:
    return [Policy(one.name, one.digest, plain(one.policy)) for one in reply.policies]


def _decision(number: Any) -> str:
    return gate_pb2.Decision.Name(number).removeprefix("DECISION_").lower()
