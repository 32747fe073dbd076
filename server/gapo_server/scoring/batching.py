"""One queue, one engine thread: batches by tokens, refuses what does not fit, drops what nobody awaits."""

import asyncio
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from prometheus_client import Counter, Gauge, Histogram

from gapo_server.engine.base import Engine
from gapo_server.errors import EngineFailed, Overloaded

BATCH_TOKENS = Histogram("gapo_batch_tokens", "Tokens of a batch", buckets=[2**i for i in range(5, 16)])
BATCH_SECONDS = Histogram("gapo_batch_seconds", "Seconds the engine takes for a batch")
QUEUE_TOKENS = Gauge("gapo_queue_tokens", "Tokens that wait")
DROPPED = Counter("gapo_dropped_pairs_total", "Pairs dropped because their client had gone")


@dataclass
class _Item:
    ids: Sequence[int]
    future: asyncio.Future[float]


class Batcher:
    def __init__(self, engine: Engine, max_batch_tokens: int, max_queue_tokens: int) -> None:
        self._engine = engine
        self._max_batch, self._max_queue = max_batch_tokens, max_queue_tokens
        self._queue: deque[_Item] = deque()
        self._waiting = 0
        self._wake = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, "gapo-engine")
        self._task = asyncio.create_task(self._run())

    @property
    def alive(self) -> bool:
        return not self._task.done()

    async def score(self, sequences: Sequence[Sequence[int]]) -> list[float]:
        """Logits in order. Raises `Overloaded` when the queue is full, `EngineFailed` when a batch failed."""
        tokens = sum(map(len, sequences))
        # An empty queue takes any request, or one larger than the queue could never be served.
        if self._waiting and self._waiting + tokens > self._max_queue:
            raise Overloaded(f"{self._waiting} tokens wait already; try again in a second")
        loop = asyncio.get_running_loop()
        items = [_Item(ids, loop.create_future()) for ids in sequences]
        self._queue.extend(items)
        self._count(tokens)
        self._wake.set()
        try:
            return list(await asyncio.gather(*(item.future for item in items)))
        finally:
            for item in items:
                item.future.cancel()

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        for item in self._queue:
            if not item.future.done():
                item.future.set_exception(Overloaded("the server is stopping; try another one"))
        self._thread.shutdown(wait=True, cancel_futures=True)

    def _count(self, tokens: int) -> None:
        self._waiting += tokens
        QUEUE_TOKENS.set(self._waiting)

    def _next(self) -> list[_Item]:
        batch: list[_Item] = []
        used = 0
        # An item over the budget runs alone.
        while self._queue and (not batch or used + len(self._queue[0].ids) <= self._max_batch):
            item = self._queue.popleft()
            self._count(-len(item.ids))
            if item.future.done():
                DROPPED.inc()
                continue
            used += len(item.ids)
            batch.append(item)
        return batch

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            batch = self._next()
            if not batch:
                self._wake.clear()
                await self._wake.wait()
                continue
            BATCH_TOKENS.observe(sum(len(item.ids) for item in batch))
            try:
                with BATCH_SECONDS.time():
                    logits = await loop.run_in_executor(self._thread, self._engine.score, [item.ids for item in batch])
                results = [float(x) for x in logits]
            except Exception as error:
                for item in batch:
                    if not item.future.done():
                        item.future.set_exception(EngineFailed(f"the engine failed on this batch: {error}"))
                continue
            for item, logit in zip(batch, results, strict=True):
                if not item.future.done():
                    item.future.set_result(logit)
