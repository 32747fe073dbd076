"""The gRPC server: the services of gapo.v1, inference.GRPCInferenceService, grpc.health.v1 and reflection."""

import grpc
from grpc_health.v1 import health as grpc_health
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from gapo_server.checking.service import CheckingService
from gapo_server.gate.service import GateService
from gapo_server.grpc import constraint_servicer, gate_servicer, reward_servicer
from gapo_server.grpc.constraint_servicer import ConstraintServicer
from gapo_server.grpc.gate_servicer import GateServicer
from gapo_server.grpc.reward_servicer import RewardServicer
from gapo_server.health import Health
from gapo_server.inference.service import InferenceService
from gapo_server.scoring.service import ScoringService

SERVICES = (
    reward_servicer.SERVICE,
    constraint_servicer.SERVICE,
    gate_servicer.SERVICE,
    "inference.GRPCInferenceService",
)


class RpcServer:
    def __init__(self, service: ScoringService, checking: CheckingService, gate: GateService, health: Health) -> None:
        # Only here: a process that imports its messages can no longer import those of Triton's client, which have the
        # same published names.
        from gapo_server.grpc.inference_servicer import InferenceServicer

        self._checks = grpc_health.aio.HealthServicer()  # type: ignore[attr-defined]
        self._server = grpc.aio.server(
            options=[
                ("grpc.max_receive_message_length", service.settings.max_body_bytes),
                ("grpc.so_reuseport", 0),  # a second server on the port is an error, not half of the traffic
            ]
        )
        shared = service.admission, service.metrics
        servicers = (
            RewardServicer(service),
            ConstraintServicer(checking, *shared),
            GateServicer(gate, *shared),
            InferenceServicer(InferenceService(service, health)),
        )
        self._server.add_generic_rpc_handlers(tuple(servicer.handler() for servicer in servicers))
        health_pb2_grpc.add_HealthServicer_to_server(self._checks, self._server)
        reflection.enable_server_reflection(
            (*SERVICES, grpc_health.SERVICE_NAME, reflection.SERVICE_NAME), self._server
        )

    async def start(self, address: str) -> int:
        """The port it listens on. Raises `RuntimeError` if it is taken."""
        await self.tell(True)
        port = self._server.add_insecure_port(address)
        await self._server.start()
        return port

    async def tell(self, ready: bool) -> None:
        """Sets what health checks answer."""
        state = health_pb2.HealthCheckResponse.SERVING if ready else health_pb2.HealthCheckResponse.NOT_SERVING
        for name in ("", *SERVICES):
            await self._checks.set(name, state)

    async def stop(self, grace: float) -> None:
        """Closes the port; calls that are not answered yet have `grace` seconds."""
        await self.tell(False)
        await self._server.stop(grace)
