"""The asyncio client."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from types import TracebackType
from typing import Any, TypeVar

import grpc
import httpx

from gapo import checks, gates, wire
from gapo.chunks import Limits, Pair, chunks
from gapo.errors import GapoError
from gapo.retry import Retry
from gapo.v1 import constraints_pb2_grpc, gate_pb2, gate_pb2_grpc, reward_pb2, reward_pb2_grpc

T = TypeVar("T")


class AsyncClient:
    """As `Client`, for asyncio: `async with AsyncClient(url) as client: await client.score(…)`.

    A large list goes in up to `concurrency` requests at once. gRPC clients must be made in a running event loop.
    """

    def __init__(
        self,
        url: str = "http://127.0.0.1:8080",
        *,
        api_key: str | None = None,
        timeout: float = 60.0,
        retry: Retry = Retry(),
        concurrency: int = 4,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._address, headers = wire.parse_url(url), wire.key_headers(api_key)
        self._timeout, self._retry, self._concurrency = timeout, retry, concurrency
        self._limits: Limits | None = None
        if self._address.is_grpc:
            target = self._address.target
            self._channel = (
                grpc.aio.secure_channel(target, grpc.ssl_channel_credentials())
                if self._address.secure
                else grpc.aio.insecure_channel(target)
            )
            self._metadata = tuple(headers.items())
            self._stub = reward_pb2_grpc.RewardServiceStub(self._channel)  # type: ignore[no-untyped-call]
            self._checks = constraints_pb2_grpc.ConstraintServiceStub(self._channel)  # type: ignore[no-untyped-call]
            self._gates = gate_pb2_grpc.GateServiceStub(self._channel)  # type: ignore[no-untyped-call]
        else:
            self._http = httpx.AsyncClient(
                base_url=self._address.target, headers=headers, timeout=timeout, transport=transport
            )

    async def score(
        self,
        prompt: str,
        response: str,
        *,
        model: str = "",
        truncation: str = "",
        prompt_budget: int | None = None,
        response_budget: int | None = None,
    ) -> wire.Score:
        """The score of one pair; options as in `Client.score_batch`."""
        options = wire.Options(model, truncation, prompt_budget, response_budget)
        wire.check_options(options)
        return (await self._score(wire.checked([(prompt, response)]), options))[0]

    async def score_batch(
        self,
        pairs: Iterable[Pair],
        *,
        model: str = "",
        truncation: str = "",
        prompt_budget: int | None = None,
        response_budget: int | None = None,
    ) -> list[wire.Score]:
        """As `Client.score_batch`."""
        options = wire.Options(model, truncation, prompt_budget, response_budget)
        wire.check_options(options)
        return await self._in_requests(wire.checked(pairs), lambda chunk: self._score(chunk, options))

    async def check(
        self,
        prompt: str,
        response: str,
        *,
        constraints: Sequence[checks.Constraint] | None = None,
        mode: str = "strict",
    ) -> checks.CheckResult:
        """What rules say of one pair; options as in `Client.check_batch`."""
        question = checks.Question(constraints, mode)
        return (await self._check(wire.checked([(prompt, response)]), question))[0]

    async def check_batch(
        self,
        pairs: Iterable[Pair],
        *,
        constraints: Sequence[checks.Constraint] | None = None,
        mode: str = "strict",
    ) -> list[checks.CheckResult]:
        """As `Client.check_batch`."""
        question = checks.Question(constraints, mode)
        return await self._in_requests(wire.checked(pairs), lambda chunk: self._check(chunk, question))

    async def gate(
        self,
        prompt: str,
        response: str,
        *,
        policy: gates.PolicyOrName = "",
        constraints: Sequence[checks.Constraint] | None = None,
    ) -> gates.GateResult:
        """The decision on one pair; options as in `Client.gate_batch`."""
        question = gates.Question(policy, constraints)
        return (await self._gate(wire.checked([(prompt, response)]), question))[0]

    async def gate_batch(
        self,
        pairs: Iterable[Pair],
        *,
        policy: gates.PolicyOrName = "",
        constraints: Sequence[checks.Constraint] | None = None,
    ) -> list[gates.GateResult]:
        """As `Client.gate_batch`."""
        question = gates.Question(policy, constraints)
        return await self._in_requests(wire.checked(pairs), lambda chunk: self._gate(chunk, question))

    async def policies(self) -> list[gates.Policy]:
        """The served policies."""
        if self._address.is_grpc:
            request = gate_pb2.ListPoliciesRequest()
            return gates.grpc_policies(await self._call(lambda: self._rpc(self._gates.ListPolicies, request)))

        async def ask() -> list[gates.Policy]:
            return gates.rest_policies(await self._http.get("/v1/policies"))

        return await self._call(ask)

    async def models(self) -> list[wire.Model]:
        """The served models, the default one first."""
        return (await self._models())[0]

    async def limits(self) -> Limits:
        """What one request may hold; asked once."""
        if self._limits is None:
            self._limits = (await self._models())[1]
        return self._limits

    async def _in_requests(self, pairs: list[Pair], ask: Callable[[Sequence[Pair]], Awaitable[list[T]]]) -> list[T]:
        places = asyncio.Semaphore(self._concurrency)

        async def one(first: int, chunk: Sequence[Pair]) -> list[T]:
            async with places:
                try:
                    return await ask(chunk)
                except GapoError as error:
                    raise error.shifted(first, len(chunk)) from error.__cause__

        tasks = [asyncio.ensure_future(one(*chunk)) for chunk in list(chunks(pairs, await self.limits()))]
        try:
            return [answer for answers in await asyncio.gather(*tasks) for answer in answers]
        finally:
            for task in tasks:
                task.cancel()

    async def _score(self, pairs: Sequence[Pair], options: wire.Options) -> list[wire.Score]:
        if self._address.is_grpc:
            request = wire.grpc_request(pairs, options)
            return wire.grpc_scores(await self._call(lambda: self._rpc(self._stub.Score, request)))
        body = wire.rest_body(pairs, options)

        async def ask() -> list[wire.Score]:
            return wire.rest_scores(await self._http.post("/v1/score", json=body))

        return await self._call(ask)

    async def _check(self, pairs: Sequence[Pair], question: checks.Question) -> list[checks.CheckResult]:
        if self._address.is_grpc:
            request = checks.grpc_request(pairs, question)
            return checks.grpc_results(await self._call(lambda: self._rpc(self._checks.Check, request)), question)
        body = checks.rest_body(pairs, question)

        async def ask() -> list[checks.CheckResult]:
            return checks.rest_results(await self._http.post("/v1/check", json=body))

        return await self._call(ask)

    async def _gate(self, pairs: Sequence[Pair], question: gates.Question) -> list[gates.GateResult]:
        if self._address.is_grpc:
            request = gates.grpc_request(pairs, question)
            return gates.grpc_results(await self._call(lambda: self._rpc(self._gates.Gate, request)))
        body = gates.rest_body(pairs, question)

        async def ask() -> list[gates.GateResult]:
            return gates.rest_results(await self._http.post("/v1/gate", json=body))

        return await self._call(ask)

    async def _models(self) -> tuple[list[wire.Model], Limits]:
        if self._address.is_grpc:
            request = reward_pb2.ListModelsRequest()
            return wire.grpc_models(await self._call(lambda: self._rpc(self._stub.ListModels, request)))

        async def ask() -> tuple[list[wire.Model], Limits]:
            return wire.rest_models(await self._http.get("/v1/models"))

        return await self._call(ask)

    def _rpc(self, method: Any, request: Any) -> Any:
        return method(request, timeout=self._timeout, metadata=self._metadata)

    async def _call(self, ask: Callable[[], Awaitable[T]]) -> T:
        attempt = 0
        while True:
            attempt += 1
            try:
                return await ask()
            except GapoError as told:
                error = told
            except grpc.RpcError as failed:
                error = wire.grpc_error(failed, self._address)
            except httpx.RequestError as failed:
                error = wire.rest_error(failed, self._address)
            delay = self._retry.delay(attempt, error)
            if delay is None:
                raise error
            await asyncio.sleep(delay)

    async def close(self) -> None:
        if self._address.is_grpc:
            await self._channel.close(None)
        else:
            await self._http.aclose()

    async def __aenter__(self) -> "AsyncClient":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
