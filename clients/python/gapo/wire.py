"""Requests and replies of both protocols, shared by the blocking and the asyncio client."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import Any

import grpc
import httpx
from google.protobuf.json_format import ParseError

from gapo.chunks import Limits, Pair
from gapo.errors import BY_REASON, DeadlineExceeded, GapoError, InvalidInput, TooLarge, Unauthenticated, Unavailable
from gapo.v1 import reward_pb2
from gapo.v1.values import struct

POLICIES = [name.removeprefix("TRUNCATION_POLICY_").lower() for name in reward_pb2.TruncationPolicy.keys()[1:]]
_BY_STATUS: dict[int, type[GapoError]] = {
    401: Unauthenticated,
    403: Unauthenticated,
    408: DeadlineExceeded,
    413: TooLarge,
    429: Unavailable,
    502: Unavailable,
    503: Unavailable,
    504: DeadlineExceeded,
}
"""For replies without a reason of the server's: those of proxies."""
_NOT_GAPO = "the server answered {}, not a GAPO answer; is the URL right?"
MOST_BUDGET = (1 << 31) - 1
"""What gRPC can carry; a server says itself what its model can use."""


@dataclass(frozen=True)
class Score:
    """`score` is the raw logit, `probability` the calibrated compliance probability; counts are tokens."""

    score: float
    probability: float
    prompt_tokens: int
    response_tokens: int
    truncated_tokens: int
    prompt_truncated_tokens: int = 0
    response_truncated_tokens: int = 0


@dataclass(frozen=True)
class Model:
    """A served model; `max_tokens` counts prompt, response and special tokens, `template` is how a pair becomes ids."""

    name: str
    version: str
    max_tokens: int
    truncation: str
    template: str = ""


@dataclass(frozen=True)
class Options:
    """What a request may say beside its pairs; empty and None mean the server's setting."""

    model: str = ""
    truncation: str = ""
    prompt_budget: int | None = None
    response_budget: int | None = None


@dataclass(frozen=True)
class Address:
    """Where a server is, and which protocol it speaks."""

    is_grpc: bool
    target: str
    secure: bool


def parse_url(url: str) -> Address:
    """Raises `ValueError` for another scheme than http, https, grpc or grpcs, and for what is no address."""
    scheme, separator, rest = url.partition("://")
    if not separator or not rest or scheme not in ("http", "https", "grpc", "grpcs"):
        raise ValueError(f"url: {url!r} must begin with http://, https://, grpc:// or grpcs://")
    try:
        httpx.URL(f"http://{rest}").raw_host.decode("ascii").encode("idna")  # the name as the resolver will want it
    except (httpx.InvalidURL, UnicodeError) as error:
        raise ValueError(f"url: {url!r} is no address ({error}); write {scheme}://HOST:PORT") from None
    secure = scheme.endswith("s")
    return Address(True, rest.rstrip("/"), secure) if "grpc" in scheme else Address(False, url.rstrip("/"), secure)


def _known(kind: type, values: dict[str, Any]) -> dict[str, Any]:
    """Without the keys of a newer server."""
    names = {field.name for field in fields(kind)}
    return {key: value for key, value in values.items() if key in names}


def key_headers(api_key: str | None) -> dict[str, str]:
    """Headers or metadata. Raises `ValueError`, which does not tell the key, for one that no header can carry."""
    if not api_key:
        return {}
    if not (api_key.isascii() and api_key.isprintable() and api_key == api_key.strip()):
        raise ValueError("api_key: has characters beyond printable ASCII, or blanks around it; correct it")
    return {"authorization": f"Bearer {api_key}"}


def check_text(text: Any, field: str) -> None:
    """Raises `InvalidInput` for what is no string of valid Unicode."""
    if not isinstance(text, str):
        raise InvalidInput(f"is of type {type(text).__name__}; give a string", field)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InvalidInput(f"is not valid Unicode at character {error.start}; take the surrogate out", field) from None


def check_json(value: Any, field: str) -> None:
    """Raises `InvalidInput` for what JSON cannot hold: a set, what is no number, a name that is no string."""
    try:
        json.dumps(value, allow_nan=False).encode()
        if not _named(value):
            raise TypeError("a name is no string")
        struct(value).SerializeToString()  # valid Unicode, and no deeper than a message may be
    except (ParseError, ValueError, TypeError, RecursionError) as error:
        raise InvalidInput(f"is not what JSON can hold: {error}", field) from None


def _named(value: Any) -> bool:
    """Whether all names in it are strings: JSON would make them so silently."""
    if isinstance(value, Mapping):
        return all(isinstance(name, str) and _named(part) for name, part in value.items())
    return not isinstance(value, list | tuple) or all(map(_named, value))


def checked(pairs: Iterable[Pair]) -> list[Pair]:
    """The pairs. Raises `InvalidInput`, naming the field, for what a request of either protocol cannot carry."""
    return [_pair(pair, f"pairs[{number}]") for number, pair in enumerate(pairs)]


def _pair(pair: Any, field: str) -> Pair:
    # Two characters and the keys of a mapping could be taken apart, too.
    if isinstance(pair, str | Mapping) or not isinstance(pair, Sequence) or len(pair) != 2:
        raise InvalidInput(f"is of type {type(pair).__name__}; give (prompt, response)", field)
    prompt, response = pair
    check_text(prompt, f"{field}.prompt")
    check_text(response, f"{field}.response")
    return prompt, response


def check_options(options: Options) -> None:
    """Raises `InvalidInput` as `checked` does."""
    check_text(options.model or "", "model")
    if options.truncation and options.truncation not in POLICIES:
        raise InvalidInput(f"{options.truncation!r} is none of {', '.join(POLICIES)}", "truncation")
    for field in ("prompt_budget", "response_budget"):
        budget = getattr(options, field)
        if budget is not None and (type(budget) is not int or not 0 < budget <= MOST_BUDGET):
            raise InvalidInput(
                f"{budget!r} is no number of tokens from 1 to {MOST_BUDGET}; None is the server's setting", field
            )


def rest_body(pairs: Sequence[Pair], options: Options) -> dict[str, Any]:
    body: dict[str, Any] = {"pairs": [{"prompt": p, "response": r} for p, r in pairs]}
    return body | {key: value for key, value in vars(options).items() if value not in ("", None)}


def rest_json(reply: httpx.Response) -> dict[str, Any]:
    """The body of a successful reply. Raises a `GapoError` for any other."""
    try:
        body = reply.json()
    except ValueError:
        body = None
    if reply.is_success and isinstance(body, dict):
        return body
    told = body.get("error") if isinstance(body, dict) else None
    told = told if isinstance(told, dict) else {}
    kind = BY_REASON.get(str(told.get("reason"))) or _BY_STATUS.get(reply.status_code, GapoError)
    detail = told.get("message") or _NOT_GAPO.format(reply.status_code)
    if not told and kind is TooLarge:
        detail = "something before the server takes no request so large (413); shorten the text or raise its limit"
    raise kind(
        detail,
        told.get("field") or "",
        reply.headers.get("x-request-id", ""),
        _seconds(reply.headers.get("retry-after")),
    )


@contextmanager
def gapo_answer(reply: httpx.Response) -> Iterator[None]:
    """A body without what GAPO's has: other servers, such as OpenAI's and vLLM's, have a /v1/models too."""
    try:
        yield
    except (AttributeError, KeyError, TypeError) as error:
        raise GapoError(_NOT_GAPO.format(reply.status_code)) from error


def rest_scores(reply: httpx.Response) -> list[Score]:
    body = rest_json(reply)
    with gapo_answer(reply):
        return [rest_score(result) for result in body["results"]]


def rest_score(result: dict[str, Any]) -> Score:
    return Score(**_known(Score, result))


def rest_models(reply: httpx.Response) -> tuple[list[Model], Limits]:
    body = rest_json(reply)
    with gapo_answer(reply):
        models = sorted(body["models"], key=lambda model: not model["default"])
        return [Model(**_known(Model, model)) for model in models], Limits(**_known(Limits, body["limits"]))


def rest_error(error: httpx.RequestError, address: Address) -> GapoError:
    if isinstance(error, httpx.TimeoutException):
        return DeadlineExceeded(f"{address.target}: no answer in time ({type(error).__name__}); allow a longer timeout")
    if not isinstance(error, httpx.TransportError):
        return GapoError(f"{address.target}: {error or type(error).__name__}; is the URL right?")
    return Unavailable(f"{address.target}: {error or type(error).__name__}; is `gapo serve` running?")


def grpc_request(pairs: Sequence[Pair], options: Options) -> Any:
    policy = (options.truncation or "unspecified").upper()
    return reward_pb2.ScoreRequest(
        pairs=[reward_pb2.Pair(prompt=prompt, response=response) for prompt, response in pairs],
        model=options.model,
        truncation=reward_pb2.TruncationPolicy.Value(f"TRUNCATION_POLICY_{policy}"),
        prompt_budget=options.prompt_budget or 0,
        response_budget=options.response_budget or 0,
    )


def grpc_scores(reply: Any) -> list[Score]:
    return [grpc_score(result) for result in reply.results]


def grpc_score(result: Any) -> Score:
    return Score(*(getattr(result, field.name) for field in fields(Score)))


def grpc_models(reply: Any) -> tuple[list[Model], Limits]:
    models = [
        Model(
            model.name,
            model.version,
            model.max_tokens,
            reward_pb2.TruncationPolicy.Name(model.truncation).removeprefix("TRUNCATION_POLICY_").lower(),
            model.template,
        )
        for model in reply.models
    ]
    return models, Limits(*(getattr(reply.limits, field.name) for field in fields(Limits)))


def grpc_error(error: grpc.RpcError, address: Address) -> GapoError:
    call: Any = error
    told = dict(call.trailing_metadata() or ())
    by_code: dict[grpc.StatusCode, type[GapoError]] = {
        grpc.StatusCode.UNAVAILABLE: Unavailable,
        grpc.StatusCode.DEADLINE_EXCEEDED: DeadlineExceeded,
        grpc.StatusCode.RESOURCE_EXHAUSTED: TooLarge,
        grpc.StatusCode.UNAUTHENTICATED: Unauthenticated,
    }
    kind = BY_REASON.get(told.get("gapo-reason", "")) or by_code.get(call.code(), GapoError)
    field = told.get("gapo-field", "")
    detail = (call.details() or call.code().name).removeprefix(f"{field}: ")
    if not told.get("gapo-reason"):
        detail = f"{address.target}: {detail}"
        if kind is Unavailable:
            detail += "; is `gapo serve` running?"
    return kind(detail, field, told.get("x-request-id", ""), _seconds(told.get("gapo-retry-after")))


def _seconds(text: str | None) -> float | None:
    """Seconds of a Retry-After; a date there is not used by this server."""
    try:
        return float(text) if text else None
    except ValueError:
        return None
