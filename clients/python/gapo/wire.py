"""Requests and replies of both protocols, shared by the blocking and the asyncio client."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import grpc
import httpx

from gapo.errors import GapoError, Unavailable, from_reason
from gapo.v1 import reward_pb2


@dataclass(frozen=True)
class Score:
    """`score` is the raw logit, `probability` the calibrated compliance probability."""

    score: float
    probability: float
    prompt_tokens: int
    response_tokens: int
    truncated_tokens: int


def rest_body(pairs: Sequence[tuple[str, str]], model: str, truncation: str) -> dict[str, Any]:
    body: dict[str, Any] = {"pairs": [{"prompt": p, "response": r} for p, r in pairs], "model": model}
    return body | ({"truncation": truncation} if truncation else {})


def rest_scores(reply: httpx.Response) -> list[Score]:
    """Raises a `GapoError` for an error reply."""
    try:
        body = reply.json()
    except ValueError:
        raise GapoError(f"the server answered {reply.status_code} without JSON") from None
    if reply.is_success:
        return [Score(**result) for result in body["results"]]
    error = body.get("error", {}) if isinstance(body, dict) else {}
    field = error.get("field", "")
    message = error.get("message", f"status {reply.status_code}")
    raise from_reason(error.get("reason", ""), f"{field}: {message}" if field else message, field)


def grpc_request(pairs: Sequence[tuple[str, str]], model: str, truncation: str) -> Any:
    policy = f"TRUNCATION_POLICY_{truncation.upper() or 'UNSPECIFIED'}"
    try:
        number = reward_pb2.TruncationPolicy.Value(policy)
        messages = [reward_pb2.Pair(prompt=p, response=r) for p, r in pairs]
    except ValueError as error:
        raise from_reason("invalid_input", str(error)) from None
    return reward_pb2.ScoreRequest(pairs=messages, model=model, truncation=number)


def grpc_scores(reply: Any) -> list[Score]:
    fields = ("score", "probability", "prompt_tokens", "response_tokens", "truncated_tokens")
    return [Score(*(getattr(result, name) for name in fields)) for result in reply.results]


def grpc_error(error: grpc.RpcError) -> GapoError:
    call: Any = error
    metadata = dict(call.trailing_metadata() or ())
    if call.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED):
        return Unavailable(call.details())
    reason = metadata.get("gapo-reason", "")
    if not reason and call.code() is grpc.StatusCode.RESOURCE_EXHAUSTED:
        reason = "too_large"
    return from_reason(reason, call.details(), metadata.get("gapo-field", ""))


def split_url(url: str) -> tuple[bool, str]:
    """Whether the URL speaks gRPC, and the address. Raises `ValueError`."""
    scheme, separator, rest = url.partition("://")
    if not separator or scheme not in ("http", "https", "grpc"):
        raise ValueError(f"url: {url!r} must begin with http://, https:// or grpc://")
    return (True, rest.rstrip("/")) if scheme == "grpc" else (False, url.rstrip("/"))
