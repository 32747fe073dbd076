"""Constraint checks on the wire, of both protocols."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from gapo.chunks import Pair
from gapo.errors import InvalidInput
from gapo.v1 import constraints_pb2
from gapo.v1.values import plain, struct
from gapo.wire import check_json, check_text, gapo_answer, rest_json

MODES = [name.removeprefix("CHECK_MODE_").lower() for name in constraints_pb2.CheckMode.keys()[1:]]
Constraint = tuple[str, Mapping[str, Any]]
"""An id such as length_constraints:number_words, and its keyword arguments."""


@dataclass(frozen=True)
class ConstraintVerdict:
    """What was found of one constraint: `status` is satisfied, violated or unknown, `reason` a sentence.

    `span` are the characters of the prompt that ask for it (None where it was given), `evidence` those of the response
    that tell, `observed` what was counted.
    """

    id: str
    kwargs: Mapping[str, Any]
    status: str
    reason: str
    observed: Any
    span: tuple[int, int] | None
    evidence: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class CheckResult:
    """`status` is violated where any constraint is, satisfied where all are, else unknown: also where none was found.

    `remainder` is what of the prompt is no constraint; None where constraints were given.
    """

    status: str
    constraints: tuple[ConstraintVerdict, ...]
    remainder: str | None


@dataclass(frozen=True)
class Question:
    """What a request says beside its pairs. Raises `InvalidInput` for what neither protocol can carry."""

    constraints: Sequence[Constraint] | None = None
    mode: str = "strict"

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise InvalidInput(f"{self.mode!r} is none of {', '.join(MODES)}", "mode")
        check_constraints(self.constraints)


def check_constraints(constraints: Sequence[Constraint] | None) -> None:
    """Raises `InvalidInput` for what neither protocol can carry."""
    for number, one in enumerate(constraints or ()):
        field = f"constraints[{number}]"
        if not (isinstance(one, Sequence) and len(one) == 2 and isinstance(one[1], Mapping)):
            raise InvalidInput("is not (id, keyword arguments); give such a tuple", field)
        check_text(one[0], field)
        check_json(dict(one[1]), field)


def rest_pairs(pairs: Sequence[Pair], constraints: Sequence[Constraint] | None) -> list[dict[str, Any]]:
    given: dict[str, Any] = {}
    if constraints:
        given["constraints"] = [{"id": id, "kwargs": dict(kwargs)} for id, kwargs in constraints]
    return [{"prompt": prompt, "response": response, **given} for prompt, response in pairs]


def rest_body(pairs: Sequence[Pair], question: Question) -> dict[str, Any]:
    return {"pairs": rest_pairs(pairs, question.constraints), "mode": question.mode}


def rest_results(reply: httpx.Response) -> list[CheckResult]:
    body = rest_json(reply)
    with gapo_answer(reply):
        return [
            CheckResult(result["status"], rest_verdicts(result["constraints"]), result["remainder"])
            for result in body["results"]
        ]


def rest_verdicts(found: Iterable[Mapping[str, Any]]) -> tuple[ConstraintVerdict, ...]:
    return tuple(map(_verdict, found))


def _verdict(found: Mapping[str, Any]) -> ConstraintVerdict:
    span = found["span"]
    return ConstraintVerdict(
        found["id"],
        found["kwargs"],
        found["status"],
        found["reason"],
        found["observed"],
        span and (span["start"], span["end"]),
        tuple((place["start"], place["end"]) for place in found["evidence"]),
    )


def grpc_pairs(pairs: Sequence[Pair], constraints: Sequence[Constraint] | None) -> list[Any]:
    given = [constraints_pb2.Constraint(id=id, kwargs=struct(dict(kwargs))) for id, kwargs in constraints or ()]
    return [constraints_pb2.CheckPair(prompt=p, response=r, constraints=given) for p, r in pairs]


def grpc_request(pairs: Sequence[Pair], question: Question) -> Any:
    return constraints_pb2.CheckRequest(
        pairs=grpc_pairs(pairs, question.constraints),
        mode=constraints_pb2.CheckMode.Value(f"CHECK_MODE_{question.mode.upper()}"),
    )


def grpc_results(reply: Any, question: Question) -> list[CheckResult]:
    return [
        CheckResult(
            _status(result.status),
            grpc_verdicts(result.constraints),
            None if question.constraints else result.remainder,
        )
        for result in reply.results
    ]


def grpc_verdicts(found: Iterable[Any]) -> tuple[ConstraintVerdict, ...]:
    return tuple(
        ConstraintVerdict(
            one.id,
            plain(one.kwargs),
            _status(one.status),
            one.reason,
            plain(one.observed),
            (one.span.start, one.span.end) if one.HasField("span") else None,
            tuple((place.start, place.end) for place in one.evidence),
        )
        for one in found
    )


def _status(number: Any) -> str:
    return constraints_pb2.CheckStatus.Name(number).removeprefix("CHECK_STATUS_").lower()
