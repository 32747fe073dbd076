"""The client's own behaviour: retries, chunks, order, errors; its wire against injected transports."""

import asyncio
import json

import gapo
import httpx
import pytest
from gapo.chunks import PAIRS, Limits, chunks
from hypothesis import given
from hypothesis import strategies as st

QUICK = gapo.Retry(attempts=3, first_delay=0.001, max_delay=0.01)
LIMITS = {"max_pairs": 10, "max_body_bytes": 60_000, "max_text_bytes": 1000, "max_request_tokens": 5000}


class Server:
    """An httpx handler that scores a pair by the number in its response, and fails as told."""

    def __init__(self, *failures: httpx.Response | Exception) -> None:
        self.failures = list(failures)
        self.sizes: list[int] = []
        self.headers: httpx.Headers | None = None

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if self.failures:
            failure = self.failures.pop(0)
            if isinstance(failure, Exception):
                raise failure
            # A reply is read once: every time a new one.
            return httpx.Response(failure.status_code, content=failure.content, headers=failure.headers)
        self.headers = request.headers
        if request.url.path == "/v1/models":
            return httpx.Response(200, json={"models": [], "limits": LIMITS | {"later": 1}})
        pairs = json.loads(request.content)["pairs"]
        self.sizes.append(len(pairs))
        for number, pair in enumerate(pairs):
            if pair["response"] == "bad":
                return refusal(422, "invalid_input", f"pairs[{number}].response")
        counts = {"prompt_tokens": 1, "response_tokens": 1, "truncated_tokens": 0, "later": "field"}
        results = [{"score": float(p["response"]), "probability": 0.5} | counts for p in pairs]
        return httpx.Response(200, json={"model": "m", "model_version": "1", "results": results})

    def client(self, **kwargs) -> gapo.Client:
        return gapo.Client("http://x", transport=httpx.MockTransport(self), retry=QUICK, **kwargs)

    def aclient(self) -> gapo.AsyncClient:
        return gapo.AsyncClient("http://x", transport=httpx.MockTransport(self), retry=QUICK)


def refusal(status: int, reason: str, field: str = "", **headers: str) -> httpx.Response:
    body = {"error": {"reason": reason, "field": field, "message": "the remedy"}}
    return httpx.Response(status, json=body, headers={"x-request-id": "r1"} | headers)


def test_large_lists_go_in_requests_that_the_server_takes_and_come_back_in_order() -> None:
    pairs = [("p", str(i)) for i in range(95)]
    server = Server()
    assert [s.score for s in server.client().score_batch(pairs)] == list(range(95))
    assert server.sizes == [10] * 9 + [5]
    server = Server()

    async def main() -> list[gapo.Score]:
        async with server.aclient() as client:
            return await client.score_batch(pairs)

    assert [s.score for s in asyncio.run(main())] == list(range(95))
    assert sorted(server.sizes) == [5] + [10] * 9


@given(
    st.lists(st.tuples(st.text(max_size=200), st.text(max_size=200)), max_size=80),
    st.integers(1, 100),
    st.integers(2000, 20000),
)
def test_chunks_hold_every_pair_once_and_keep_the_limits(pairs, most, size) -> None:
    limits = Limits(most, size, 1000, 10**6)
    found = list(chunks(pairs, limits))
    assert [pair for _, chunk in found for pair in chunk] == pairs
    for first, chunk in found:
        assert pairs[first] == chunk[0]
        assert 1 <= len(chunk) <= min(most, PAIRS)
        body = json.dumps([list(pair) for pair in chunk])
        assert len(chunk) == 1 or len(body) <= size + 10 * len(chunk)


def test_a_text_over_the_servers_limit_is_not_sent() -> None:
    server = Server()
    with pytest.raises(gapo.TooLarge, match=r"pairs\[1\]\.prompt: has 1001 bytes"):
        server.client().score_batch([("p", "1"), ("p" * 1001, "2")])
    assert server.sizes == []


def test_a_pair_that_no_request_can_hold_is_named_where_it_is_alone_too() -> None:
    server = Server()
    client = server.client()
    with pytest.raises(gapo.TooLarge, match=r"pairs\[0\]\.prompt: has 1001 bytes"):
        client.score_batch([("p" * 1001, "1")])
    # The server's own limit, as for control characters, of which JSON makes six bytes; then that of a proxy.
    for refused in (refusal(413, "too_large", "body"), httpx.Response(413, text="<html>")):
        server.failures = [refused]
        with pytest.raises(gapo.TooLarge) as caught:
            client.score_batch([("p", "1")])
        assert (caught.value.field, server.sizes) == ("pairs[0]", [])


CANNOT_BE_SENT = [
    (("\ud800", "r"), {}, "pairs[0].prompt"),
    (("p", "r\udfff"), {}, "pairs[0].response"),
    (("p", 3), {}, "pairs[0].response"),
    (("p", "r"), {"model": "\ud800"}, "model"),
    (("p", "r"), {"truncation": "never"}, "truncation"),
    (("p", "r"), {"prompt_budget": 0}, "prompt_budget"),
    (("p", "r"), {"prompt_budget": 1 << 40}, "prompt_budget"),
    (("p", "r"), {"response_budget": True}, "response_budget"),
]


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "grpc://127.0.0.1:9"])
@pytest.mark.parametrize(("pair", "options", "field"), CANNOT_BE_SENT)
def test_what_cannot_be_sent_is_invalid_input_over_both_protocols(url, pair, options, field) -> None:
    async def main() -> None:
        async with gapo.AsyncClient(url, retry=QUICK) as client:
            await client.score(*pair, **options)

    with pytest.raises(gapo.InvalidInput) as caught:
        asyncio.run(main())
    assert caught.value.field == field
    with gapo.Client(url, retry=QUICK) as client, pytest.raises(gapo.InvalidInput) as caught:
        client.score_batch([("p", "r")] * 70 + [pair], **options)
    assert caught.value.field == field.replace("[0]", "[70]")


@pytest.mark.parametrize(
    "pair",
    [("p", "r", "more"), ("p",), "pr", {"prompt": "p", "response": "r"}, None],
    ids=lambda pair: type(pair).__name__,
)
def test_what_is_no_pair_is_named(pair) -> None:
    with (
        gapo.Client(retry=QUICK) as client,
        pytest.raises(gapo.InvalidInput, match=r"give \(prompt, response\)") as caught,
    ):
        client.score_batch([("p", "r"), pair])
    assert caught.value.field == "pairs[1]"


def test_pairs_may_come_from_an_iterator() -> None:
    prompts, responses = ["p"] * 70, [str(i) for i in range(70)]
    assert Server().client().score_batch(zip(prompts, responses, strict=True)) == Server().client().score_batch(
        list(zip(prompts, responses, strict=True))
    )


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "grpc://127.0.0.1:9"])
def test_none_is_no_option(url) -> None:
    with gapo.Client(url, retry=QUICK) as client, pytest.raises(gapo.Unavailable):
        client.score("p", "r", model=None, truncation=None)


def test_an_error_names_the_pair_of_the_callers_list() -> None:
    pairs = [("p", str(i)) for i in range(50)]
    pairs[37] = ("p", "bad")
    with pytest.raises(gapo.InvalidInput) as caught:
        Server().client().score_batch(pairs)
    assert (caught.value.field, caught.value.pair, caught.value.request_id) == ("pairs[37].response", 37, "r1")
    assert str(caught.value) == "pairs[37].response: the remedy"


@pytest.mark.parametrize(
    "failure",
    [
        refusal(503, "overloaded"),
        refusal(429, "overloaded"),
        refusal(503, "stopping"),
        httpx.Response(502, text="bad gateway"),
        httpx.ConnectError("refused"),
        httpx.RemoteProtocolError("closed"),
    ],
)
def test_what_may_pass_is_tried_again_so_often(failure) -> None:
    assert Server(failure, failure).client().score("p", "7").score == 7
    with pytest.raises(gapo.Unavailable):
        Server(failure, failure, failure).client().score("p", "7")

    async def main() -> float:
        async with Server(failure, failure).aclient() as client:
            return (await client.score("p", "7")).score

    assert asyncio.run(main()) == 7


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (refusal(422, "invalid_input"), gapo.InvalidInput),
        (refusal(422, "too_long"), gapo.TooLong),
        (refusal(401, "unauthenticated"), gapo.Unauthenticated),
        (refusal(404, "unknown_model"), gapo.UnknownModel),
        (refusal(413, "too_large"), gapo.TooLarge),
        (refusal(504, "deadline_exceeded"), gapo.DeadlineExceeded),
        (refusal(500, "engine_failed"), gapo.GapoError),
        (httpx.Response(413, text="<html>"), gapo.TooLarge),
        (httpx.Response(403, text="<html>"), gapo.Unauthenticated),
        (httpx.Response(504, text="<html>"), gapo.DeadlineExceeded),
        (httpx.Response(200, text="<html>"), gapo.GapoError),
        (httpx.Response(404, json=["something else"]), gapo.GapoError),
        (httpx.Response(200, json={"object": "list", "data": []}), gapo.GapoError),
        (httpx.Response(200, json={"results": ["something else"]}), gapo.GapoError),
        (httpx.Response(400, json={"error": {"message": "no", "reason": ["x"], "field": None}}), gapo.GapoError),
        (httpx.DecodingError("no gzip"), gapo.GapoError),
        (httpx.ReadTimeout("slow"), gapo.DeadlineExceeded),
    ],
)
def test_what_would_come_again_is_raised_at_once(failure, kind) -> None:
    server = Server(failure)
    with pytest.raises(kind):
        server.client().score("p", "7")
    assert not server.failures
    assert server.sizes == []


def test_the_models_of_another_server_are_told_as_such() -> None:
    """OpenAI's and vLLM's servers answer 200 on the same path."""
    server = Server(httpx.Response(200, json={"object": "list", "data": [{"id": "qwen"}]}))
    with pytest.raises(gapo.GapoError, match="not a GAPO answer; is the URL right"):
        server.client().score_batch([("p", "7")])


def test_retry_after_is_honoured_and_bounded() -> None:
    retry = gapo.Retry(attempts=3, first_delay=0.1, max_delay=4)
    assert retry.delay(1, gapo.Unavailable("x", retry_after=3)) == 3
    assert retry.delay(1, gapo.Unavailable("x", retry_after=60)) == 4
    assert 0.1 <= retry.delay(2, gapo.Unavailable("x")) <= 0.2
    assert retry.delay(3, gapo.Unavailable("x")) is None
    assert retry.delay(1, gapo.InvalidInput("x")) is None


def test_the_key_is_sent() -> None:
    server = Server()
    server.client(api_key="k").score("p", "1")
    assert server.headers["authorization"] == "Bearer k"


WRONG_URLS = ["127.0.0.1:8080", "ftp://x", "http://", "", "http://[::1", "grpc://[::1", "grpc://\ud800", "http://a..b"]


@pytest.mark.parametrize("url", WRONG_URLS)
def test_a_url_that_cannot_be_is_refused(url) -> None:
    for kind in (gapo.Client, gapo.AsyncClient):
        with pytest.raises(ValueError, match="url"):
            kind(url)


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "grpc://127.0.0.1:9"])
@pytest.mark.parametrize("key", ["secr\u00e9t", "secret\n", " secret"])
def test_a_key_that_no_header_can_carry_is_refused_and_not_told(url, key) -> None:
    for kind in (gapo.Client, gapo.AsyncClient):
        with pytest.raises(ValueError, match="api_key") as caught:
            kind(url, api_key=key)
        assert "secr" not in str(caught.value)


def test_nobody_there_says_what_to_do() -> None:
    for url in ("http://127.0.0.1:9", "grpc://127.0.0.1:9"):
        with gapo.Client(url, retry=QUICK) as client, pytest.raises(gapo.Unavailable, match="gapo serve"):
            client.score("x", "y")
