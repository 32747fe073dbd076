"""The one way from pairs to verdicts, shared by REST and gRPC."""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any, TypeVar

from gapo_core.constraints.types import Mode

from gapo_server.checking import worker
from gapo_server.errors import CheckFailed, InvalidInput, Overloaded, TooLarge
from gapo_server.scoring.service import ScoringService

T = TypeVar("T")

MOST_CONSTRAINTS = 64
"""Of one pair. A check of a megabyte may take a second."""
WAITING_PAIRS = 4096


@dataclass(frozen=True)
class Demand:
    """A pair to check. `constraints` are ids with their keyword arguments; None: those of the prompt."""

    prompt: str
    response: str
    constraints: Sequence[tuple[str, Mapping[str, Any]]] | None = None


class CheckingService:
    """Checks are Python, which would hold up the scores of the same process; so they run in others.

    The first check starts them.
    """

    def __init__(self, scoring: ScoringService) -> None:
        """With the settings, the door and the end of the scoring service."""
        self._settings, self._metrics = scoring.settings, scoring.metrics
        self._admission, self._underway = scoring.admission, scoring.underway
        self._pool: ProcessPoolExecutor | None = None
        self._warming: asyncio.Future[None] | None = None
        self._waiting = 0

    async def check(self, demands: Sequence[Demand], mode: Mode, timeout: float | None = None) -> list[dict[str, Any]]:
        """What `worker.judge` says of each, within `timeout` seconds, never more than the server's own limit.

        Raises a `RequestError` whose field reads like `pairs[3].constraints[0]`. Cancelling drops what still waits.
        """
        seconds = min(timeout or self._settings.request_timeout, self._settings.request_timeout)
        self._admit(demands)
        self._waiting += len(demands)
        try:
            return await self._underway.within(seconds, self._check(demands, mode), "checked")
        finally:
            self._waiting -= len(demands)

    def _admit(self, demands: Sequence[Demand]) -> None:
        self._admission.check([(one.prompt, one.response) for one in demands])
        if self._waiting and self._waiting + len(demands) > WAITING_PAIRS:
            raise Overloaded(f"{self._waiting} pairs wait to be checked; try again later", retry_after=1)
        for number, one in enumerate(demands):
            place = f"pairs[{number}]"
            if one.constraints is not None and len(one.constraints) > MOST_CONSTRAINTS:
                told = f"holds {len(one.constraints)}; send at most {MOST_CONSTRAINTS} a pair"
                raise TooLarge(told, f"{place}.constraints")
            if one.constraints is None and not one.prompt.strip():
                raise InvalidInput(
                    "is empty; send the prompt to read constraints from, or constraints", f"{place}.prompt"
                )
            given = json.dumps(one.constraints, ensure_ascii=False)
            for field, text in (("prompt", one.prompt), ("response", one.response), ("constraints", given)):
                try:
                    text.encode()
                except UnicodeEncodeError:
                    raise InvalidInput("holds a lone surrogate; send valid Unicode", f"{place}.{field}") from None

    async def _check(self, demands: Sequence[Demand], mode: Mode) -> list[dict[str, Any]]:
        # As many at once as there are processes: small requests get their turn beside a large one.
        places = asyncio.Semaphore(self._settings.check_processes)

        async def one(number: int, demand: Demand) -> dict[str, Any]:
            async with places:
                return await self._judge(number, demand, mode)

        tasks = [asyncio.ensure_future(one(*numbered)) for numbered in enumerate(demands)]
        try:
            return await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()

    async def _judge(self, number: int, demand: Demand, mode: Mode) -> dict[str, Any]:
        try:
            with self._metrics.check_seconds.time():
                found = await self.run(worker.judge, demand.prompt, demand.response, demand.constraints, mode)
        except worker.WrongConstraint as error:
            place, problem = error.args
            raise InvalidInput(problem, f"pairs[{number}].constraints[{place}]") from None
        self._metrics.checked_pairs.labels(found["status"]).inc()
        return found

    async def run(self, work: Callable[..., T], *given: Any) -> T:
        """What `work` gives in a checking process, and what it raises. Raises `CheckFailed` where two processes end."""
        for _ in range(2):  # of all that waits when a process ends, one piece at most is to blame
            pool = self._pool = self._pool or ProcessPoolExecutor(
                self._settings.check_processes, get_context("spawn"), worker.start
            )
            try:
                return await asyncio.get_running_loop().run_in_executor(pool, work, *given)
            except (BrokenProcessPool, BrokenPipeError):  # it ended at work, or while it started
                self._pool = None if self._pool is pool else self._pool
                pool.shutdown(wait=False)
        raise CheckFailed("a checking process ended before its answer, twice; another one is started")

    def warm(self) -> None:
        """Starts a checking process and loads the parser there, before the first check asks for it."""
        self._warming = asyncio.ensure_future(self.run(worker.load))

    def close(self) -> None:
        """Drops what waits; the pairs then being checked are finished."""
        if self._warming:
            self._warming.cancel()
        if self._pool:
            self._pool.shutdown(wait=False, cancel_futures=True)
