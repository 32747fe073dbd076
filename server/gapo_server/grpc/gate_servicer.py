"""gapo.v1.GateService."""

from dataclasses import asdict
from typing import Any

import grpc
from gapo.v1 import gate_pb2, reward_pb2
from gapo.v1.values import struct

from gapo_server.access import Exchange
from gapo_server.errors import InvalidInput
from gapo_server.gate.decide import Decided
from gapo_server.gate.policy import INLINE, PolicyError, made
from gapo_server.gate.service import Asked, GateService
from gapo_server.grpc.constraint_servicer import demand, verdict_message
from gapo_server.grpc.serving import Context, Serving, json_of, parsed, seconds_left
from gapo_server.metrics import Metrics
from gapo_server.scoring.admission import Admission

SERVICE = gate_pb2.DESCRIPTOR.services_by_name["GateService"].full_name


class GateServicer(Serving):
    def __init__(self, gate: GateService, admission: Admission, metrics: Metrics) -> None:
        super().__init__(admission, metrics)
        self._gate = gate

    def handler(self) -> "grpc.GenericRpcHandler[bytes, Any]":
        """The methods of gapo.v1.GateService, to be added to a server."""
        methods = {
            "Gate": grpc.unary_unary_rpc_method_handler(
                self.Gate, response_serializer=gate_pb2.GateResponse.SerializeToString
            ),
            "ListPolicies": grpc.unary_unary_rpc_method_handler(
                self.ListPolicies, response_serializer=gate_pb2.ListPoliciesResponse.SerializeToString
            ),
        }
        return grpc.method_handlers_generic_handler(SERVICE, methods)

    async def Gate(self, request: bytes, context: Context) -> Any:
        return await self._serve("Gate", context, lambda exchange: self._decide(request, context, exchange))

    async def ListPolicies(self, request: bytes, context: Context) -> Any:
        return await self._serve("ListPolicies", context, lambda exchange: self._list_policies())

    async def _decide(self, raw: bytes, context: Context, exchange: Exchange) -> Any:
        with self._admission.reservation() as held:
            held.add(len(raw))
            request = parsed(gate_pb2.GateRequest, raw)
            exchange.pairs = len(request.pairs)
            self._admission.check_number(exchange.pairs, "pairs")  # before each is made a Python object
            gated = await self._gate.decide(_asked(request), seconds_left(context))
        exchange.detail = str(gated)
        return gate_pb2.GateResponse(
            policy=gated.policy,
            policy_digest=gated.policy_digest,
            model=gated.model,
            model_version=gated.model_version,
            results=[_result(one) for one in gated.results],
        )

    async def _list_policies(self) -> Any:
        return gate_pb2.ListPoliciesResponse(
            policies=[
                gate_pb2.Policy(name=name, digest=policy.digest, policy=struct(policy.model_dump(mode="json")))
                for name, policy in self._gate.policies.items()
            ]
        )


def _asked(request: Any) -> Asked:
    try:
        inline = made(json_of(request.inline_policy, INLINE)) if request.HasField(INLINE) else None
    except PolicyError as error:
        raise InvalidInput(str(error), f"{INLINE}.{error.field}".rstrip(".")) from None
    return Asked([demand(*numbered) for numbered in enumerate(request.pairs)], request.policy, inline)


def _result(decided: Decided) -> Any:
    return gate_pb2.GateResult(
        decision=_decision(decided.decision),
        reasons=[
            gate_pb2.GateReason(decision=_decision(one.decision), about=one.about, message=one.message)
            for one in decided.reasons
        ],
        constraints=[verdict_message(one) for one in decided.constraints],
        remainder=decided.remainder,
        score=reward_pb2.ScoreResult(**asdict(decided.score)) if decided.score else None,
    )


def _decision(decision: str) -> Any:
    return gate_pb2.Decision.Value(f"DECISION_{decision.upper()}")
