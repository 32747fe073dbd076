"""Tokenizing off the event loop, in a bounded number of threads, a few pairs at a time."""

import asyncio
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from gapo_core.pairs import Budgets, EncodedPair, PairEncoder, PairError, PairTooLong, TruncationPolicy

from gapo_server.errors import InvalidInput, TooLong
from gapo_server.metrics import Metrics

Pair = tuple[str, str]
CHUNK_PAIRS = 32
CHUNK_CHARACTERS = 1 << 16


def bound_threads(threads: int) -> None:
    """Keeps the tokenizer's own threads, which would be as many as the cores, to so many; RAYON_NUM_THREADS wins.

    They are started by the first text that is tokenized, so this comes before models are loaded.
    """
    os.environ.setdefault("RAYON_NUM_THREADS", str(threads))


class Encoding:
    def __init__(self, threads: int, metrics: Metrics) -> None:
        self._threads = ThreadPoolExecutor(threads, "gapo-tokenize")
        self._metrics = metrics

    async def encode(
        self,
        encoder: PairEncoder,
        pairs: Sequence[Pair],
        policy: TruncationPolicy,
        budgets: Budgets | None,
        empty_responses: bool = False,
    ) -> list[EncodedPair]:
        """Raises `InvalidInput` or `TooLong` whose field reads like `pairs[3].response`."""
        loop = asyncio.get_running_loop()
        with self._metrics.tokenize_seconds.time():
            done: list[EncodedPair] = []
            if budgets:
                try:
                    encoder.check(budgets)
                except PairError as error:
                    raise InvalidInput(error.message, error.field) from error
            # One chunk at a time: a large request shares the threads with small ones, and can be cancelled.
            for first, chunk in _chunks(pairs):
                done += await loop.run_in_executor(
                    self._threads, _encode, encoder, first, chunk, policy, budgets, empty_responses
                )
            return done

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


def _chunks(pairs: Sequence[Pair]) -> Iterator[tuple[int, Sequence[Pair]]]:
    """(number of the first pair, pairs), each chunk small enough to take milliseconds, or a single pair."""
    first = characters = 0
    for number, (prompt, response) in enumerate(pairs):
        size = len(prompt) + len(response)
        if number > first and (number - first == CHUNK_PAIRS or characters + size > CHUNK_CHARACTERS):
            yield first, pairs[first:number]
            first, characters = number, 0
        characters += size
    yield first, pairs[first:]


def _encode(
    encoder: PairEncoder,
    first: int,
    pairs: Sequence[Pair],
    policy: TruncationPolicy,
    budgets: Budgets | None,
    empty_responses: bool,
) -> list[EncodedPair]:
    try:
        return encoder.encode_batch(pairs, policy, budgets, empty_responses)
    except PairError as error:
        kind = TooLong if isinstance(error, PairTooLong) else InvalidInput
        raise kind(error.message, f"pairs[{first + error.number}].{error.field}") from error
