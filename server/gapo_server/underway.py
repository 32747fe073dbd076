"""Requests under way: each ends in its time, or is given up when the server stops."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from gapo_server.errors import DeadlineExceeded, Stopping

T = TypeVar("T")


class Underway:
    """Must be made inside the running event loop."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] = set()
        self._given_up: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    async def within(self, seconds: float, work: Coroutine[Any, Any, T], done: str) -> T:
        """What `work` gives. Raises `DeadlineExceeded`, saying what was not `done`, or `Stopping`."""
        task = asyncio.create_task(work)
        self._running.add(task)
        try:
            await asyncio.wait({task, self._given_up}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return task.result()
            if self._given_up.done():
                raise Stopping
            raise DeadlineExceeded(f"not {done} within {seconds:.3g} s; allow more time or send fewer pairs")
        finally:
            task.cancel()
            self._running.discard(task)

    async def drain(self, seconds: float) -> None:
        """Waits so long for what runs; what is unanswered then, or when this is cancelled, is told `stopping`."""
        try:
            if self._running:
                await asyncio.wait(self._running, timeout=seconds)
        finally:
            self.give_up()

    def give_up(self) -> None:
        if not self._given_up.done():
            self._given_up.set_result(None)
