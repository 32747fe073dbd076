"""The blocking client."""

import time
from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import Any, TypeVar

import grpc
import httpx

from gapo import wire
from gapo.chunks import Limits, Pair, chunks
from gapo.errors import GapoError
from gapo.retry import Retry
from gapo.v1 import reward_pb2, reward_pb2_grpc

T = TypeVar("T")


class Client:
    """Scores pairs on a server: `Client("http://127.0.0.1:8080")` or `Client("grpc://127.0.0.1:8081")`.

    `timeout` is for one attempt of one request, in seconds. `transport` stands in for httpx's own (http only).
    Use it as a context manager, or `close` it. Raises `ValueError` for a URL or a key that cannot be; every method
    raises a `GapoError`.
    """

    def __init__(
        self,
        url: str = "http://127.0.0.1:8080",
        *,
        api_key: str | None = None,
        timeout: float = 60.0,
        retry: Retry = Retry(),
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._address, headers = wire.parse_url(url), wire.key_headers(api_key)
        self._timeout, self._retry = timeout, retry
        self._limits: Limits | None = None
        if self._address.is_grpc:
            target = self._address.target
            self._channel = (
                grpc.secure_channel(target, grpc.ssl_channel_credentials())
                if self._address.secure
                else grpc.insecure_channel(target)
            )
            self._metadata = tuple(headers.items())
            self._stub = reward_pb2_grpc.RewardServiceStub(self._channel)  # type: ignore[no-untyped-call]
        else:
            self._http = httpx.Client(
                base_url=self._address.target, headers=headers, timeout=timeout, transport=transport
            )

    def score(
        self,
        prompt: str,
        response: str,
        *,
        model: str = "",
        truncation: str = "",
        prompt_budget: int | None = None,
        response_budget: int | None = None,
    ) -> wire.Score:
        """The score of one pair; options as in `score_batch`."""
        options = wire.Options(model, truncation, prompt_budget, response_budget)
        return self._score(wire.checked([(prompt, response)], options), options)[0]

    def score_batch(
        self,
        pairs: Iterable[Pair],
        *,
        model: str = "",
        truncation: str = "",
        prompt_budget: int | None = None,
        response_budget: int | None = None,
    ) -> list[wire.Score]:
        """Scores in the order of the pairs, however many: they go in requests that the server takes.

        `truncation` is error, keep_head, keep_tail or keep_both_ends; budgets are tokens of one field.
        """
        options = wire.Options(model, truncation, prompt_budget, response_budget)
        taken = wire.checked(pairs, options)
        scores: list[wire.Score] = []
        for first, chunk in chunks(taken, self.limits()):
            try:
                scores += self._score(chunk, options)
            except GapoError as error:
                raise error.shifted(first, len(chunk)) from error.__cause__
        return scores

    def models(self) -> list[wire.Model]:
        """The served models, the default one first."""
        return self._models()[0]

    def limits(self) -> Limits:
        """What one request may hold; asked once."""
        if self._limits is None:
            self._limits = self._models()[1]
        return self._limits

    def _score(self, pairs: Sequence[Pair], options: wire.Options) -> list[wire.Score]:
        if self._address.is_grpc:
            request = wire.grpc_request(pairs, options)
            return self._call(lambda: wire.grpc_scores(self._rpc(self._stub.Score, request)))
        body = wire.rest_body(pairs, options)
        return self._call(lambda: wire.rest_scores(self._http.post("/v1/score", json=body)))

    def _models(self) -> tuple[list[wire.Model], Limits]:
        if self._address.is_grpc:
            request = reward_pb2.ListModelsRequest()
            return self._call(lambda: wire.grpc_models(self._rpc(self._stub.ListModels, request)))
        return self._call(lambda: wire.rest_models(self._http.get("/v1/models")))

    def _rpc(self, method: Any, request: Any) -> Any:
        return method(request, timeout=self._timeout, metadata=self._metadata)

    def _call(self, ask: Callable[[], T]) -> T:
        attempt = 0
        while True:
            attempt += 1
            try:
                return ask()
            except GapoError as told:
                error = told
            except grpc.RpcError as failed:
                error = wire.grpc_error(failed, self._address)
            except httpx.RequestError as failed:
                error = wire.rest_error(failed, self._address)
            delay = self._retry.delay(attempt, error)
            if delay is None:
                raise error
            time.sleep(delay)

    def close(self) -> None:
        (self._channel if self._address.is_grpc else self._http).close()

    def __enter__(self) -> "Client":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
