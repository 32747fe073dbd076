"""One bounded queue and one engine thread: batches by tokens, fair between requests, drops what nobody awaits."""

import asyncio
import logging
import math
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from gapo_server.engine.base import Engine
from gapo_server.errors import DeadlineExceeded, EngineFailed, Overloaded, RequestError, Stopping, TooLarge
from gapo_server.metrics import Metrics

log = logging.getLogger(__name__)

SPREAD = 4
"""A batch's pairs times its longest pair stay within SPREAD * max_batch_tokens: the graph's global attention
pads to the longest, so one long pair among many short ones would cost memory and time out of proportion."""
SMALL = 4
"""A request is small when what waits of it fills at most one SMALL-th of a batch."""


@dataclass(eq=False)
class _Request:
    """Sequences of one request; `waiting` are the numbers of those not yet in a batch, shortest first.

    `sizes` are their tokens padded to blocks, as the engine computes them; `remaining` is the sum of those waiting.
    """

    sequences: Sequence[Sequence[int]]
    block: int
    future: "asyncio.Future[list[float]]"
    deadline: float | None
    arrived: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.waiting = deque(sorted(range(len(self.sequences)), key=lambda i: len(self.sequences[i])))
        self.sizes = [-(-len(sequence) // self.block) * self.block for sequence in self.sequences]
        self.remaining = sum(self.sizes)
        self.logits = [math.nan] * len(self.sequences)
        self.missing = len(self.sequences)

    def take(self) -> int:
        """The number of the next sequence, which waits no longer."""
        number = self.waiting.popleft()
        self.remaining -= self.sizes[number]
        return number

    def settle(self, number: int, logit: float) -> None:
        self.logits[number] = logit
        self.missing -= 1
        if not self.missing and not self.future.done():
            self.future.set_result(self.logits)

    def fail(self, error: RequestError) -> None:
        if not self.future.done():
            self.future.set_exception(error)


_Batch = list[tuple[_Request, int]]


class Batcher:
    """Must be made inside the running event loop.

    Every other batch at least is open to all: it is led by the request that has waited longest for its turn to
    lead, and filled with one pair of each request in rounds, so that no request starves. Between two of those,
    small requests have a batch to themselves: they wait for the batch that runs, not for another full one.
    """

    def __init__(
        self, engine: Engine, block: int, max_batch_tokens: int, max_queue_tokens: int, metrics: Metrics
    ) -> None:
        self._engine, self._block, self._metrics = engine, block, metrics
        self._max_batch, self.max_queue_tokens = max_batch_tokens, max_queue_tokens
        self._requests: deque[_Request] = deque()
        self._running: _Batch = []
        self._waiting = 0
        self._speed = 0.0  # tokens a second, a running mean
        self._wake = asyncio.Event()
        self._closed = self._last_was_small = False
        self.failure = ""
        self.batches = 0
        self._running_since: float | None = None
        self._thread = ThreadPoolExecutor(1, "gapo-engine")
        self._job: Future[NDArray[np.float32]] | None = None
        self._task = asyncio.create_task(self._run())
        self._task.add_done_callback(self._stopped)

    @property
    def alive(self) -> bool:
        return not self._task.done()

    @property
    def running_seconds(self) -> float:
        """Seconds that the batch in the engine has taken so far; 0 when it is idle."""
        return time.monotonic() - self._running_since if self._running_since is not None else 0.0

    async def score(self, sequences: Sequence[Sequence[int]], deadline: float | None = None) -> list[float]:
        """Logits in order; past `deadline` (monotonic seconds) what still waits is dropped.

        Raises `TooLarge`, `Overloaded`, `Stopping`, `DeadlineExceeded`, or `EngineFailed`.
        """
        if self._closed or not self.alive:
            raise self._ended()
        tokens = sum(map(len, sequences))
        if tokens > self.max_queue_tokens and len(sequences) > 1:
            raise TooLarge(
                f"hold {tokens} tokens; send at most {self.max_queue_tokens} a request, so fewer pairs", "pairs"
            )
        if self._waiting and self._waiting + tokens > self.max_queue_tokens:
            wait = self._waiting / self._speed if self._speed else 1.0
            raise Overloaded(
                f"{self._waiting} tokens wait already; try again in {wait:.0f} s", retry_after=min(60.0, max(1.0, wait))
            )
        request = _Request(sequences, self._block, asyncio.get_running_loop().create_future(), deadline)
        self._requests.append(request)
        self._count(tokens)
        self._wake.set()
        return await request.future

    async def close(self, grace: float = 2.0) -> bool:
        """Fails what waits; whether the engine is idle, or became so in `grace` seconds: it may never."""
        self._closed = True
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._thread.shutdown(wait=False, cancel_futures=True)
        if self._job and not self._job.done():
            await asyncio.wait([asyncio.wrap_future(self._job)], timeout=grace)
        return not self._job or self._job.done()

    def _ended(self) -> RequestError:
        if self._closed:
            return Stopping()
        return EngineFailed("the batcher has stopped; restart the server")

    def _stopped(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and task.exception():
            log.error("the batcher died", exc_info=task.exception())
        for request in (*self._requests, *(request for request, _ in self._running)):
            request.fail(self._ended())

    def _count(self, tokens: int) -> None:
        self._waiting += tokens
        self._metrics.queue_tokens.set(self._waiting)

    def _drop(self) -> None:
        """Takes out requests whose client has gone or whose deadline has passed."""
        now = time.monotonic()
        kept: deque[_Request] = deque()
        for request in self._requests:
            reason = ""
            if request.future.done():
                reason = "cancelled"
            elif request.deadline is not None and now > request.deadline:
                reason = "expired"
                request.fail(DeadlineExceeded("the deadline passed in the queue; allow more time or send less"))
            if reason:
                self._metrics.dropped_pairs.labels(reason).inc(len(request.waiting))
                self._count(-sum(len(request.sequences[i]) for i in request.waiting))
            else:
                kept.append(request)
        self._requests = kept

    def _candidates(self) -> list[_Request]:
        """The requests whose pairs the next batch may hold, its leader first."""
        small = [request for request in self._requests if request.remaining * SMALL <= self._max_batch]
        self._last_was_small = bool(small) and len(small) < len(self._requests) and not self._last_was_small
        return small if self._last_was_small else list(self._requests)

    def _next(self) -> _Batch:
        """The next batch; an item over the budget runs alone."""
        self._drop()
        batch: _Batch = []
        used = longest = 0
        candidates = self._candidates()
        while candidates:
            fitting = []
            for request in candidates:
                number = request.waiting[0]
                length, size = len(request.sequences[number]), request.sizes[number]
                spread = (len(batch) + 1) * max(longest, length)
                if batch and (used + size > self._max_batch or spread > SPREAD * self._max_batch):
                    continue  # neither will its later ones fit: they are longer
                batch.append((request, request.take()))
                used, longest = used + size, max(longest, length)
                self._count(-length)
                self._metrics.queue_seconds.observe(time.monotonic() - request.arrived)
                if request.waiting:
                    fitting.append(request)
            candidates = fitting
        if not self._last_was_small:
            self._requests.rotate(-1)  # another request leads the next open batch
        self._requests = deque(request for request in self._requests if request.waiting)
        return batch

    async def _run(self) -> None:
        while True:
            self._running = self._next()
            if self._running:
                await self._execute(self._running)
            else:
                self._wake.clear()
                await self._wake.wait()

    async def _execute(self, batch: _Batch) -> None:
        """Runs a batch; one that fails is halved until the pair that the engine cannot take fails alone."""
        batch = [(request, number) for request, number in batch if not request.future.done()]
        if not batch:
            return
        sequences = [request.sequences[number] for request, number in batch]
        tokens = sum(map(len, sequences))
        self._metrics.batch_tokens.observe(tokens)
        self._metrics.batch_pairs.observe(len(batch))
        self._running_since = started = time.monotonic()
        try:
            self._job = self._thread.submit(self._engine.score, sequences)
            logits = [float(logit) for logit in await asyncio.wrap_future(self._job)]
            if len(logits) != len(batch):
                raise RuntimeError(f"{len(logits)} scores for {len(batch)} pairs")
            if not all(map(math.isfinite, logits)):
                raise FloatingPointError("a score is not finite")
        except Exception as error:
            self.failure = str(error)[:500] or type(error).__name__
            log.error("a batch of %d pairs, %d tokens failed: %s", len(batch), tokens, self.failure)
            if len(batch) == 1:
                batch[0][0].fail(EngineFailed(f"the engine failed on this pair: {self.failure}"))
            else:
                await self._execute(batch[: len(batch) // 2])
                await self._execute(batch[len(batch) // 2 :])
            return
        finally:
            seconds = max(1e-6, time.monotonic() - started)  # a coarse clock may not have moved
            self._running_since = None
        self._metrics.batch_seconds.observe(seconds)
        self._speed = tokens / seconds if not self._speed else 0.9 * self._speed + 0.1 * tokens / seconds
        self.failure = ""
        self.batches += 1
        for (request, number), logit in zip(batch, logits, strict=True):
            request.settle(number, logit)
