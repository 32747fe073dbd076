"""gapo.v1.RewardService."""

from dataclasses import asdict
from typing import Any

import grpc
from gapo.v1 import reward_pb2
from gapo_core.pairs import TruncationPolicy

from gapo_server.access import Exchange
from gapo_server.errors import InvalidInput
from gapo_server.grpc.serving import Context, Serving, parsed, seconds_left
from gapo_server.scoring.service import Question, ScoringService

_POLICIES = {
    reward_pb2.TRUNCATION_POLICY_UNSPECIFIED: None,
    reward_pb2.TRUNCATION_POLICY_ERROR: TruncationPolicy.ERROR,
    reward_pb2.TRUNCATION_POLICY_KEEP_HEAD: TruncationPolicy.KEEP_HEAD,
    reward_pb2.TRUNCATION_POLICY_KEEP_TAIL: TruncationPolicy.KEEP_TAIL,
    reward_pb2.TRUNCATION_POLICY_KEEP_BOTH_ENDS: TruncationPolicy.KEEP_BOTH_ENDS,
}
_NUMBERS = {policy: number for number, policy in _POLICIES.items()}

SERVICE = reward_pb2.DESCRIPTOR.services_by_name["RewardService"].full_name


class RewardServicer(Serving):
    def __init__(self, service: ScoringService) -> None:
        super().__init__(service.admission, service.metrics)
        self._service = service

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

    async def _score(self, raw: bytes, context: Context, exchange: Exchange) -> Any:
        with self._admission.reservation() as held:
            held.add(len(raw))
            request = parsed(reward_pb2.ScoreRequest, raw)
            exchange.pairs = len(request.pairs)
            self._admission.check_number(exchange.pairs, "pairs")  # before each is made a Python object
            scored = await self._service.score(_question(request), seconds_left(context))
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
