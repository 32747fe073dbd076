"""One log line, one duration and one outcome for every request of either protocol."""

import logging
import re
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from gapo_server.errors import RequestError
from gapo_server.metrics import Metrics

log = logging.getLogger(__name__)

OUR_FAULT = ("internal", "engine_failed", "check_failed")
_ID = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}")


@dataclass
class Exchange:
    """One request and what became of it."""

    protocol: str
    request_id: str
    route: str = "unknown"
    outcome: str = "ok"
    detail: str = ""
    pairs: int = 0

    def fail(self, error: RequestError) -> None:
        self.outcome = error.reason
        self.detail = f"{error.field}: {error}" if error.field else str(error)

    def internal(self) -> RequestError:
        """What a client is told of an exception that nobody expected: where it is logged, nothing of what it says."""
        return RequestError(f"internal error; the server's log has request {self.request_id}")


def request_id(given: str | None) -> str:
    """The client's own id where it is short and harmless, else a new one."""
    return given if given and _ID.fullmatch(given) else uuid.uuid4().hex


class Access:
    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    @contextmanager
    def exchange(self, protocol: str, given_id: str | None) -> Iterator[Exchange]:
        """Counts and logs the request when it ends, also when its client goes away."""
        exchange = Exchange(protocol, request_id(given_id))
        started = time.perf_counter()
        try:
            yield exchange
        except Exception:
            exchange.outcome = "internal"
            log.exception("request %s failed", exchange.request_id)
            raise
        except BaseException:
            exchange.outcome = "cancelled"
            raise
        finally:
            self._record(exchange, time.perf_counter() - started)

    def _record(self, exchange: Exchange, seconds: float) -> None:
        self._metrics.request_seconds.labels(exchange.protocol, exchange.route, exchange.outcome).observe(seconds)
        level = logging.INFO
        if exchange.outcome != "ok":
            self._metrics.errors.labels(exchange.protocol, exchange.outcome).inc()
            level = logging.ERROR if exchange.outcome in OUR_FAULT else logging.WARNING
        elif not exchange.pairs:
            level = logging.DEBUG  # probes and scrapes
        fields = {
            "protocol": exchange.protocol,
            "route": exchange.route,
            "outcome": exchange.outcome,
            "pairs": exchange.pairs,
            "seconds": round(seconds, 4),
            "request_id": exchange.request_id,
        }
        if exchange.detail:
            fields["detail"] = exchange.detail[:500]
        log.log(level, "request", extra={"fields": fields})
