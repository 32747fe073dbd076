"""The blocking client."""

from collections.abc import Sequence
from types import TracebackType

import grpc
import httpx

from gapo import wire
from gapo.errors import Unavailable
from gapo.v1 import reward_pb2_grpc


class Client:
    """Scores pairs on a server: `Client("http://127.0.0.1:8080")` or `Client("grpc://127.0.0.1:8081")`."""

    def __init__(self, url: str = "http://127.0.0.1:8080", timeout: float = 60.0) -> None:
        self._is_grpc, self._address = wire.split_url(url)
        self._timeout = timeout
        if self._is_grpc:
            self._channel = grpc.insecure_channel(self._address)
            self._stub = reward_pb2_grpc.RewardServiceStub(self._channel)  # type: ignore[no-untyped-call]
        else:
            self._http = httpx.Client(base_url=self._address, timeout=timeout)

    def score(self, prompt: str, response: str, *, model: str = "", truncation: str = "") -> wire.Score:
        return self.score_batch([(prompt, response)], model=model, truncation=truncation)[0]

    def score_batch(
        self, pairs: Sequence[tuple[str, str]], *, model: str = "", truncation: str = ""
    ) -> list[wire.Score]:
        """Scores in the order of the pairs. Raises a `GapoError`."""
        if self._is_grpc:
            try:
                request = wire.grpc_request(pairs, model, truncation)
                return wire.grpc_scores(self._stub.Score(request, timeout=self._timeout))
            except grpc.RpcError as error:
                raise wire.grpc_error(error) from None
        try:
            reply = self._http.post("/v1/score", json=wire.rest_body(pairs, model, truncation))
        except httpx.TransportError as error:
            raise Unavailable(f"{self._address}: {error}; is `gapo serve` running?") from error
        return wire.rest_scores(reply)

    def close(self) -> None:
        (self._channel if self._is_grpc else self._http).close()

    def __enter__(self) -> "Client":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
