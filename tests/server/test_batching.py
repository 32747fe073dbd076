"""The batcher over an engine that writes down its batches: budgets, fairness, bounds, cancellation."""

import asyncio
import threading
import time
from collections.abc import Sequence
from types import SimpleNamespace

import numpy as np
import pytest
from gapo_server.errors import DeadlineExceeded, EngineFailed, Overloaded, Stopping, TooLarge
from gapo_server.metrics import Metrics
from gapo_server.scoring import batching
from gapo_server.scoring.batching import SPREAD, Batcher
from hypothesis import given, settings
from hypothesis import strategies as st

BLOCK = 32


class Recorder:
    """Scores a sequence with its first id; a closed gate holds the batch in the engine."""

    def __init__(self) -> None:
        self.batches: list[list[Sequence[int]]] = []
        self.gate = threading.Event()
        self.gate.set()

    batch_tokens = 256

    def score(self, sequences):
        self.batches.append(list(sequences))
        self.gate.wait()
        return np.array([ids[0] for ids in sequences], np.float32)


def run(use, max_batch: int = 256, max_queue: int = 100_000) -> Recorder:
    """Runs `use(batcher, engine)` in an event loop."""
    engine = Recorder()

    async def main() -> None:
        batcher = Batcher(engine, BLOCK, max_batch, max_queue, Metrics())
        try:
            await asyncio.wait_for(use(batcher, engine), 20)
        finally:
            engine.gate.set()
            await batcher.close()

    asyncio.run(main())
    return engine


async def held(batcher: Batcher, engine: Recorder) -> "asyncio.Task[list[float]]":
    """Closes the gate behind a first batch, so that what follows waits together."""
    engine.gate.clear()
    first = asyncio.create_task(batcher.score([[0]]))
    while not engine.batches:  # noqa: ASYNC110 (another thread fills it)
        await asyncio.sleep(0.001)
    return first


@settings(deadline=None, max_examples=30)
@given(st.lists(st.lists(st.integers(1, 600), min_size=1, max_size=12), min_size=1, max_size=8))
def test_every_sequence_is_scored_once_in_order_within_the_budget(requests) -> None:
    async def use(batcher: Batcher, engine: Recorder) -> None:
        first = await held(batcher, engine)
        numbered, marks = [], iter(range(1, 1000))
        for lengths in requests:
            numbered.append([[next(marks)] * length for length in lengths])
        waiting = [asyncio.create_task(batcher.score(sequences)) for sequences in numbered]
        await asyncio.sleep(0)
        engine.gate.set()
        for task, sequences in zip(waiting, numbered, strict=True):
            assert await task == [ids[0] for ids in sequences]
        await first

    engine = run(use)
    assert sum(map(len, engine.batches)) == 1 + sum(map(len, requests))
    for batch in engine.batches:
        lengths = [len(ids) for ids in batch]
        assert len(batch) == 1 or sum(-(-n // BLOCK) * BLOCK for n in lengths) <= 256
        assert len(batch) == 1 or len(batch) * max(lengths) <= SPREAD * 256


def test_a_small_request_does_not_wait_behind_a_bulk_one() -> None:
    async def use(batcher: Batcher, engine: Recorder) -> None:
        first = await held(batcher, engine)
        bulk = asyncio.create_task(batcher.score([[1] * 60] * 400))
        await asyncio.sleep(0)
        small = asyncio.create_task(batcher.score([[2] * 10]))
        await asyncio.sleep(0)
        engine.gate.set()
        assert await small == [2]
        assert not bulk.done()
        # The first batch after the one that ran is the small request's own.
        assert engine.batches[1] == [[2] * 10]
        await bulk
        await first

    run(use)


def test_small_requests_without_end_do_not_starve_a_bulk_one() -> None:
    async def use(batcher: Batcher, engine: Recorder) -> None:
        bulk = asyncio.create_task(batcher.score([[1] * 200] * 20))
        count = 0
        while not bulk.done():
            await batcher.score([[2] * 10])
            count += 1
        assert await bulk == [1] * 20
        assert count <= 60

    run(use)


def test_a_long_sequence_leads_a_batch_though_short_ones_keep_coming() -> None:
    async def use(batcher: Batcher, engine: Recorder) -> None:
        first = await held(batcher, engine)
        short = [asyncio.create_task(batcher.score([[1] * 30] * 50)) for _ in range(3)]
        long = asyncio.create_task(batcher.score([[2] * 250] * 2))
        await asyncio.sleep(0)
        engine.gate.set()
        assert await long == [2, 2]
        assert not all(task.done() for task in short)
        await asyncio.gather(first, *short)

    run(use)


def test_an_item_over_the_budget_runs_alone_and_does_not_loop() -> None:
    async def use(batcher: Batcher, engine: Recorder) -> None:
        assert await batcher.score([[1] * 5000, [2], [3] * 5000]) == [1, 2, 3]

    assert sorted(len(batch) for batch in run(use).batches) == [1, 1, 1]


def test_cancelled_and_expired_requests_are_dropped_before_they_cost_anything() -> None:
    async def use(batcher: Batcher, engine: Recorder) -> None:
        first = await held(batcher, engine)
        gone = asyncio.create_task(batcher.score([[7] * 10] * 30))
        late = asyncio.create_task(batcher.score([[8] * 10], deadline=time.monotonic() - 1))
        kept = asyncio.create_task(batcher.score([[9] * 10]))
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.sleep(0)
        engine.gate.set()
        assert await kept == [9]
        with pytest.raises(DeadlineExceeded):
            await late
        await first

    engine = run(use)
    assert {ids[0] for batch in engine.batches for ids in batch} == {0, 9}


def test_the_queue_is_bounded_and_says_when_to_come_back() -> None:
    async def use(batcher: Batcher, engine: Recorder) -> None:
        first = await held(batcher, engine)
        waiting = asyncio.create_task(batcher.score([[1] * 90]))
        await asyncio.sleep(0)
        with pytest.raises(Overloaded) as caught:
            await batcher.score([[2] * 20])
        assert caught.value.retry_after >= 1
        with pytest.raises(TooLarge, match="at most 100"):
            await batcher.score([[3] * 60, [3] * 60])
        engine.gate.set()
        assert await waiting == [1]
        assert await batcher.score([[4] * 500]) == [4]
        await first

    run(use, max_queue=100)


class Died(BaseException):
    pass


@pytest.mark.parametrize(("end", "error"), [("dies", EngineFailed), ("is closed", Stopping)])
def test_nobody_waits_for_a_half_that_the_batcher_never_came_to(end, error) -> None:
    """A failed batch is halved; the batcher ends while the first half is in the engine."""

    async def use(batcher: Batcher, engine: Recorder) -> None:
        def score(sequences):
            if len(sequences) > 1:
                raise RuntimeError("out of memory")
            if end == "dies":
                raise Died
            entered.set()
            engine.gate.wait()
            return np.zeros(1, np.float32)

        entered = threading.Event()
        first = await held(batcher, engine)
        waiting = [asyncio.create_task(batcher.score([[number] * 10])) for number in (1, 2)]
        await asyncio.sleep(0)
        engine.score = score
        engine.gate.set()
        await first
        if end == "is closed":
            engine.gate.clear()
            await asyncio.to_thread(entered.wait, 10)
            await batcher.close(grace=0)
        for told in await asyncio.wait_for(asyncio.gather(*waiting, return_exceptions=True), 5):
            assert type(told) is error

    run(use)


def test_a_clock_that_stands_still_harms_nobody(monkeypatch) -> None:
    monkeypatch.setattr(batching, "time", SimpleNamespace(monotonic=lambda: 5.0))

    async def use(batcher: Batcher, engine: Recorder) -> None:
        for number in range(3):
            assert await batcher.score([[number]]) == [number]

    run(use)
