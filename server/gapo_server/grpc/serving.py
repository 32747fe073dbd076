"""What every gRPC method passes: identity, access log, key, errors."""

import logging
from typing import Any

import grpc
from gapo.v1.values import plain
from google.protobuf.json_format import SerializeToJsonError
from google.protobuf.message import DecodeError

from gapo_server.access import Access
from gapo_server.errors import InvalidInput, RequestError
from gapo_server.grpc import status
from gapo_server.metrics import Metrics
from gapo_server.scoring.admission import Admission

log = logging.getLogger(__name__)

Context = grpc.aio.ServicerContext[Any, Any]


class Serving:
    """Base of the servicers. They take requests as bytes and parse them themselves: bytes that are no message get an
    error like any other."""

    def __init__(self, admission: Admission, metrics: Metrics) -> None:
        self._admission, self._access = admission, Access(metrics)

    async def _serve(self, route: str, context: Context, answer: Any, keyed: bool = True) -> Any:
        """Key (where the method is `keyed`), access log and errors of every method."""
        given = {key: value for key, value in context.invocation_metadata() or () if isinstance(value, str)}
        with self._access.exchange("grpc", given.get("x-request-id")) as exchange:
            exchange.route = route
            try:
                scheme, _, key = given.get("authorization", "").partition(" ")
                if keyed:
                    self._admission.authenticate(key.strip() if scheme.lower() == "bearer" else None)
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


def parsed(kind: Any, raw: bytes) -> Any:
    """The message of class `kind`. Raises `InvalidInput`."""
    try:
        return kind.FromString(raw)
    except DecodeError as error:
        raise InvalidInput(f"is not a {kind.DESCRIPTOR.full_name} of valid UTF-8: {error}", "request") from None


def json_of(message: Any, field: str) -> Any:
    """The JSON value of a Struct. Raises `InvalidInput` for infinity and for what is no number, which JSON has not."""
    try:
        return plain(message)
    except (SerializeToJsonError, ValueError) as error:
        raise InvalidInput(f"is not what JSON can hold: {error}", field) from None


def seconds_left(context: Context) -> float | None:
    """The client's deadline; None where it set none."""
    left = context.time_remaining()
    return None if left is None else max(0.001, left)
