"""Whether the server really scores: a batcher that died, an engine that hangs or answers wrongly turn it red."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from gapo_server.errors import Overloaded, RequestError
from gapo_server.scoring.service import ScoringService

log = logging.getLogger(__name__)

Listener = Callable[[bool], Awaitable[None]]


class Health:
    def __init__(self, service: ScoringService) -> None:
        self._service = service
        self._timeout = service.settings.engine_timeout
        self._probe_problems: dict[str, str] = {}
        self._seen: dict[str, int] = {}

    @property
    def problem(self) -> str:
        """Why the server cannot score, or nothing. Restarting it is the remedy."""
        for name, batcher in self._service.batchers.items():
            if not batcher.alive:
                return f"{name}: the batcher has stopped"
            if batcher.running_seconds > self._timeout:
                return f"{name}: the engine has not answered for {batcher.running_seconds:.0f} s"
            if problem := self._probe_problems.get(name):
                return f"{name}: {problem}"
        return ""

    @property
    def ready(self) -> bool:
        """Whether to send it requests: it can score, and is not about to stop."""
        return not self.problem and not self._service.admission.leaving

    async def watch(self, listener: Listener) -> None:
        """Probes idle engines for ever and tells the listener of every change of `ready`."""
        interval = self._service.settings.health_interval
        was: bool | None = None
        due = time.monotonic() + interval
        while True:
            if time.monotonic() >= due:
                await self._probe()
                due = time.monotonic() + interval
            now = self.ready
            if now is not was:
                if self.problem:
                    log.error("not ready: %s", self.problem)
                elif was is False:
                    log.info("ready again")
                self._service.metrics.healthy.set(not self.problem)
                await listener(now)
                was = now
            await asyncio.sleep(min(interval, 0.5))

    async def _probe(self) -> None:
        """Scores the golden pair on every engine that finished no batch since the last probe."""
        for name, batcher in self._service.batchers.items():
            if batcher.batches != self._seen.get(name) and not batcher.failure:
                self._probe_problems[name] = ""
            elif not batcher.running_seconds and batcher.alive:
                self._probe_problems[name] = await self._golden(name)
            self._seen[name] = batcher.batches

    async def _golden(self, name: str) -> str:
        served = self._service.models[name]
        try:
            run = self._service.batchers[name].score([served.golden_ids])
            (score,) = await asyncio.wait_for(run, self._timeout)
        except asyncio.TimeoutError:
            return f"the engine did not score the golden pair within {self._timeout:.0f} s"
        except Overloaded:
            return ""  # a full queue is not a dead engine
        except RequestError as error:
            return str(error)
        return served.golden_problem(score)
