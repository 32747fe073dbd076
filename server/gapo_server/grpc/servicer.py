"""gapo.v1.RewardService."""

from typing import Any

import grpc
from gapo.v1 import reward_pb2, reward_pb2_grpc
from gapo_core.pairs import TruncationPolicy
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from gapo_server.errors import RequestError
from gapo_server.scoring.service import ScoringService

_POLICIES = {
    reward_pb2.TRUNCATION_POLICY_ERROR: TruncationPolicy.ERROR,
    reward_pb2.TRUNCATION_POLICY_KEEP_HEAD: TruncationPolicy.KEEP_HEAD,
    reward_pb2.TRUNCATION_POLICY_KEEP_TAIL: TruncationPolicy.KEEP_TAIL,
    reward_pb2.TRUNCATION_POLICY_KEEP_BOTH_ENDS: TruncationPolicy.KEEP_BOTH_ENDS,
}


class RewardServicer(reward_pb2_grpc.RewardServiceServicer):
    def __init__(self, service: ScoringService) -> None:
        self._service = service

    async def Score(self, request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
        pairs = [(pair.prompt, pair.response) for pair in request.pairs]
        try:
            scored = await self._service.score(pairs, request.model, _POLICIES.get(request.truncation))
        except RequestError as error:
            context.set_trailing_metadata((("gapo-reason", error.reason), ("gapo-field", error.field)))
            await context.abort(error.status, f"{error.field}: {error}" if error.field else str(error))
        results = [reward_pb2.ScoreResult(**vars(result)) for result in scored.results]
        return reward_pb2.ScoreResponse(model=scored.model, model_version=scored.model_version, results=results)


async def start(service: ScoringService, address: str) -> tuple[grpc.aio.Server, int]:
    """A started server with health and reflection, and its port. Raises `RuntimeError` if the port is taken."""
    limit = service.settings.max_body_bytes
    server = grpc.aio.server(options=[("grpc.max_receive_message_length", limit), ("grpc.so_reuseport", 0)])
    reward_pb2_grpc.add_RewardServiceServicer_to_server(RewardServicer(service), server)  # type: ignore[no-untyped-call]
    checks = health.aio.HealthServicer()  # type: ignore[attr-defined]
    health_pb2_grpc.add_HealthServicer_to_server(checks, server)
    name = reward_pb2.DESCRIPTOR.services_by_name["RewardService"].full_name
    await checks.set(name, health_pb2.HealthCheckResponse.SERVING)
    await checks.set("", health_pb2.HealthCheckResponse.SERVING)
    reflection.enable_server_reflection((name, health.SERVICE_NAME, reflection.SERVICE_NAME), server)
    port = server.add_insecure_port(address)
    await server.start()
    return server, port
