"""gapo.v1.RewardService."""

import logging
from dataclasses import asdict
from typing import Any

import grpc
from gapo.v1 import reward_pb2
from gapo_core.pairs import TruncationPolicy
from google.protobuf.message import DecodeError

from gapo_server.access import Access, Exchange
from gapo_server.errors import InvalidInput, RequestError
from gapo_server.grpc import status
from gapo_server.scoring.service import Question, ScoringService

log = logging.getLogger(__name__)

_POLICIES = {
    reward_pb2.TRUNCATION_POLICY_UNSPECIFIED: None,
    reward_pb2.TRUNCATION_POLICY_ERROR: TruncationPolicy.ERROR,
    reward_pb2.TRUNCATION_POLICY_KEEP_HEAD: TruncationPolicy.KEEP_HEAD,
    reward_pb2.TRUNCATION_POLICY_KEEP_TAIL: TruncationPolicy.KEEP_TAIL,
    reward_pb2.TRUNCATION_POLICY_KEEP_BOTH_ENDS: TruncationPolicy.KEEP_BOTH_ENDS,
}
_NUMBERS = {policy: number for number, policy in _POLICIES.items()}

Context = grpc.aio.ServicerContext[Any, Any]


SERVICE = reward_pb2.DESCRIPTOR.services_by_name["RewardService"].full_name


class RewardServicer:
    """Takes requests as bytes and parses them itself: bytes that are no message get an error like any other."""

    def __init__(self, service: ScoringService) -> None:
        self._service = service
        self._access = Access(service.metrics)

    def handler(self) -> "grpc.GenericRpcHandler[bytes, Any]":
        """The methods of gapo.v1.RewardService, to be added to a server."""
        methods = {
            "Score": grpc.unary_unary_rpc_method_handler(
                self.Score, response_serializer=reward_pb2.ScoreResponse.SerializeToString
            ),
            "ListModels": grpc.unary_unary_rpc_method_handler(
                self.ListModels, response_serializer=reward_pb2.ListModelsResponse.SerializeToString
            ),
        }
        return grpc.method_handlers_generic_handler(SERVICE, methods)

    async def Score(self, request: bytes, context: Context) -> Any:
        return await self._serve("Score", context, lambda exchange: self._score(request, context, exchange))

    async def ListModels(self, request: bytes, context: Context) -> Any:
        return await self._serve("ListModels", context, lambda exchange: self._list_models())

    async def _serve(self, route: str, context: Context, answer: Any) -> Any:
        """Key, access log and errors of every method."""
        given = {key: value for key, value in context.invocation_metadata() or () if isinstance(value, str)}
        with self._access.exchange("grpc", given.get("x-request-id")) as exchange:
            exchange.route = route
            try:
                scheme, _, key = given.get("authorization", "").partition(" ")
                self._service.admission.authenticate(key.strip() if scheme.lower() == "bearer" else None)
                await context.send_initial_metadata((("x-request-id", exchange.request_id),))
                return await answer(exchange)
            except RequestError as error:
                exchange.fail(error)
                refused = error
            except Exception:  # grpc would tell it to the client as it is
                log.exception("request %s failed", exchange.request_id)
                refused = exchange.internal()
                exchange.fail(refused)
        await context.abort(
            refused.status, status.message(refused), status.trailing_metadata(refused, exchange.request_id)
        )

    async def _score(self, raw: bytes, context: Context, exchange: Exchange) -> Any:
        with self._service.admission.reservation() as held:
            held.add(len(raw))
            try:
                request = reward_pb2.ScoreRequest.FromString(raw)
            except DecodeError as error:
                raise InvalidInput(f"is not a gapo.v1.ScoreRequest of valid UTF-8: {error}", "request") from None
            exchange.pairs = len(request.pairs)
            self._service.admission.check_number(exchange.pairs, "pairs")  # before each is made a Python object
            scored = await self._service.score(_question(request), _seconds_left(context))
        if scored.truncated_tokens:
            context.set_trailing_metadata((("x-gapo-truncated", str(scored.truncated_tokens)),))
        results = [reward_pb2.ScoreResult(**asdict(result)) for result in scored.results]
        return reward_pb2.ScoreResponse(model=scored.model, model_version=scored.model_version, results=results)

    async def _list_models(self) -> Any:
        settings = self._service.settings
        default = self._service.default
        models = sorted(self._service.models.items(), key=lambda item: item[0] != default)
        return reward_pb2.ListModelsResponse(
            models=[
                reward_pb2.Model(
                    name=name,
                    version=model.manifest.version,
                    max_tokens=model.manifest.architecture.max_tokens,
                    truncation=_NUMBERS[model.manifest.truncation],
                    template=model.manifest.template,
                )
                for name, model in models
            ],
            limits=reward_pb2.Limits(
                max_pairs=settings.max_pairs,
                max_body_bytes=settings.max_body_bytes,
                max_text_bytes=settings.max_text_bytes,
                max_request_tokens=self._service.max_request_tokens,
            ),
        )


def _question(request: Any) -> Question:
    if request.truncation not in _POLICIES:
        raise InvalidInput(f"{request.truncation} is none of the TruncationPolicy values", "truncation")
    for field in ("prompt_budget", "response_budget"):
        if getattr(request, field) < 0:
            raise InvalidInput(f"{getattr(request, field)} is negative; 0 means the server's setting", field)
    return Question(
        [(pair.prompt, pair.response) for pair in request.pairs],
        request.model,
        _POLICIES[request.truncation],
        request.prompt_budget or None,
        request.response_budget or None,
    )


def _seconds_left(context: Context) -> float | None:
    """The client's deadline; None where it set none."""
    left = context.time_remaining()
    return None if left is None else max(0.001, left)
