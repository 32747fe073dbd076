"""The blocking client."""

import time
from collections.abc import Callable, Iterable, Sequence
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


class Client:
    """Scores, checks and gates pairs on a server: `Client("http://127.0.0.1:8080")` or `Client("grpc://127.0.0.1:8081")`.

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
            self._checks = constraints_pb2_grpc.ConstraintServiceStub(self._channel)  # type: ignore[no-untyped-call]
            self._gates = gate_pb2_grpc.GateServiceStub(self._channel)  # type: ignore[no-untyped-call]
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
        wire.check_options(options)
        return self._score(wire.checked([(prompt, response)]), options)[0]

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
        wire.check_options(options)
        return self._in_requests(wire.checked(pairs), lambda chunk: self._score(chunk, options))

    def check(
        self,
        prompt: str,
        response: str,
        *,
        constraints: Sequence[checks.Constraint] | None = None,
        mode: str = "strict",
    ) -> checks.CheckResult:
        """What rules say of one pair; options as in `check_batch`."""
        question = checks.Question(constraints, mode)
        return self._check(wire.checked([(prompt, response)]), question)[0]

    def check_batch(
        self,
        pairs: Iterable[Pair],
        *,
        constraints: Sequence[checks.Constraint] | None = None,
        mode: str = "strict",
    ) -> list[checks.CheckResult]:
        """What rules say, in the order of the pairs, however many.

        `constraints` are (id, keyword arguments), checked on every pair; None: each prompt's own, as far as they can
        be read. `mode` is strict (what a person would say), compat or compat_loose (what IFEval's reference says).
        """
        question = checks.Question(constraints, mode)
        return self._in_requests(wire.checked(pairs), lambda chunk: self._check(chunk, question))

    def gate(
        self,
        prompt: str,
        response: str,
        *,
        policy: gates.PolicyOrName = "",
        constraints: Sequence[checks.Constraint] | None = None,
    ) -> gates.GateResult:
        """The decision on one pair; options as in `gate_batch`."""
        question = gates.Question(policy, constraints)
        return self._gate(wire.checked([(prompt, response)]), question)[0]

    def gate_batch(
        self,
        pairs: Iterable[Pair],
        *,
        policy: gates.PolicyOrName = "",
        constraints: Sequence[checks.Constraint] | None = None,
    ) -> list[gates.GateResult]:
        """Decisions in the order of the pairs, however many.

        `policy` is the name of a served one, or a policy of your own: a mapping of what docs/gate.md lists.
        `constraints` are checked on every pair instead of what its prompt demands, as in `check_batch`.
        """
        question = gates.Question(policy, constraints)
        return self._in_requests(wire.checked(pairs), lambda chunk: self._gate(chunk, question))

    def policies(self) -> list[gates.Policy]:
        """The served policies."""
        if self._address.is_grpc:
            request = gate_pb2.ListPoliciesRequest()
            return self._call(lambda: gates.grpc_policies(self._rpc(self._gates.ListPolicies, request)))
        return self._call(lambda: gates.rest_policies(self._http.get("/v1/policies")))

    def models(self) -> list[wire.Model]:
        """The served models, the default one first."""
        return self._models()[0]

    def limits(self) -> Limits:
        """What one request may hold; asked once."""
        if self._limits is None:
            self._limits = self._models()[1]
        return self._limits

    def _in_requests(self, pairs: list[Pair], ask: Callable[[Sequence[Pair]], list[T]]) -> list[T]:
        answers: list[T] = []
        for first, chunk in chunks(pairs, self.limits()):
            try:
                answers += ask(chunk)
            except GapoError as error:
                raise error.shifted(first, len(chunk)) from error.__cause__
        return answers

    def _score(self, pairs: Sequence[Pair], options: wire.Options) -> list[wire.Score]:
        if self._address.is_grpc:
            request = wire.grpc_request(pairs, options)
            return self._call(lambda: wire.grpc_scores(self._rpc(self._stub.Score, request)))
        body = wire.rest_body(pairs, options)
        return self._call(lambda: wire.rest_scores(self._http.post("/v1/score", json=body)))

    def _check(self, pairs: Sequence[Pair], question: checks.Question) -> list[checks.CheckResult]:
        if self._address.is_grpc:
            request = checks.grpc_request(pairs, question)
            return self._call(lambda: checks.grpc_results(self._rpc(self._checks.Check, request), question))
        body = checks.rest_body(pairs, question)
        return self._call(lambda: checks.rest_results(self._http.post("/v1/check", json=body)))

    def _gate(self, pairs: Sequence[Pair], question: gates.Question) -> list[gates.GateResult]:
        if self._address.is_grpc:
            request = gates.grpc_request(pairs, question)
            return self._call(lambda: gates.grpc_results(self._rpc(self._gates.Gate, request)))
        body = gates.rest_body(pairs, question)
        return self._call(lambda: gates.rest_results(self._http.post("/v1/gate", json=body)))

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
