"""gapo.v1.ConstraintService."""

from collections.abc import Mapping
from typing import Any

import grpc
from gapo.v1 import constraints_pb2
from gapo.v1.values import struct, value_of
from gapo_core.constraints.types import Mode

from gapo_server.access import Exchange
from gapo_server.checking.service import CheckingService, Demand
from gapo_server.errors import InvalidInput
from gapo_server.grpc.serving import Context, Serving, json_of, parsed, seconds_left
from gapo_server.metrics import Metrics
from gapo_server.scoring.admission import Admission

SERVICE = constraints_pb2.DESCRIPTOR.services_by_name["ConstraintService"].full_name
_MODES: dict[int, Mode] = {
    constraints_pb2.CHECK_MODE_UNSPECIFIED: "strict",
    constraints_pb2.CHECK_MODE_STRICT: "strict",
    constraints_pb2.CHECK_MODE_COMPAT: "compat",
    constraints_pb2.CHECK_MODE_COMPAT_LOOSE: "compat_loose",
}


class ConstraintServicer(Serving):
    def __init__(self, checking: CheckingService, admission: Admission, metrics: Metrics) -> None:
        super().__init__(admission, metrics)
        self._checking = checking

    def handler(self) -> "grpc.GenericRpcHandler[bytes, Any]":
        """The methods of gapo.v1.ConstraintService, to be added to a server."""
        check = grpc.unary_unary_rpc_method_handler(
            self.Check, response_serializer=constraints_pb2.CheckResponse.SerializeToString
        )
        return grpc.method_handlers_generic_handler(SERVICE, {"Check": check})

    async def Check(self, request: bytes, context: Context) -> Any:
        return await self._serve("Check", context, lambda exchange: self._check(request, context, exchange))

    async def _check(self, raw: bytes, context: Context, exchange: Exchange) -> Any:
        with self._admission.reservation() as held:
            held.add(len(raw))
            request = parsed(constraints_pb2.CheckRequest, raw)
            exchange.pairs = len(request.pairs)
            self._admission.check_number(exchange.pairs, "pairs")  # before each is made a Python object
            if request.mode not in _MODES:
                raise InvalidInput(f"{request.mode} is none of the CheckMode values", "mode")
            demands = [demand(*numbered) for numbered in enumerate(request.pairs)]
            results = await self._checking.check(demands, _MODES[request.mode], seconds_left(context))
        return constraints_pb2.CheckResponse(results=[_result(result) for result in results])


def demand(number: int, pair: Any) -> Demand:
    field = f"pairs[{number}].constraints"
    given = [(one.id, json_of(one.kwargs, f"{field}[{place}]")) for place, one in enumerate(pair.constraints)]
    return Demand(pair.prompt, pair.response, given or None)


def _result(result: Mapping[str, Any]) -> Any:
    return constraints_pb2.CheckResult(
        status=_status(result["status"]),
        constraints=[verdict_message(one) for one in result["constraints"]],
        remainder=result["remainder"] or "",
    )


def verdict_message(found: Mapping[str, Any]) -> Any:
    return constraints_pb2.ConstraintVerdict(
        id=found["id"],
        kwargs=struct(found["kwargs"]),
        span=found["span"] and constraints_pb2.Span(**found["span"]),
        status=_status(found["status"]),
        reason=found["reason"],
        observed=value_of(found["observed"]),
        evidence=[constraints_pb2.Span(**span) for span in found["evidence"]],
    )


def _status(status: str) -> Any:
    return constraints_pb2.CheckStatus.Value(f"CHECK_STATUS_{status.upper()}")
