"""A language model as judge, behind any endpoint that speaks OpenAI's chat/completions."""

import asyncio
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Literal

import httpx
from gapo.errors import GapoError, Unavailable
from gapo.retry import Retry

from gapo_training.judges import rows

PROMPT = Path(__file__).parent / "judge_prompt.txt"
Judgement = Literal["yes", "no", "unparsable"]
# "VERDICT: YES", however it is dressed: **Verdict:** yes, "verdict": "no", Verdict - NO. With the rest of its line.
_VERDICT = re.compile(r"""\bverdict\b["'*_`\s]*[:=\-–—]\s*["'*_`\s\[]*(yes|no)\b(?=(.*))""", re.I)
# Nothing but punctuation, or the next key of a JSON object.
_CLEAR = re.compile(r"""[\W_]*$|["']\s*,\s*["'][^"']*["']\s*:""")
PATIENT = Retry(attempts=6, first_delay=1.0, max_delay=60.0)
_OUTSIDE = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})  # statuses that another try may change


@dataclass(frozen=True)
class Item:
    """What is judged; `id` names it in the output."""

    id: str
    prompt: str
    response: str


@dataclass(frozen=True)
class Endpoint:
    """`url` is the base, as OpenAI's clients take it: …/v1."""

    url: str
    model: str
    api_key: str = ""
    timeout: float = 120.0  # seconds of one request
    max_tokens: int = 1024  # of the judge's reply
    concurrency: int = 8  # requests in flight


def read_items(file: Path) -> list[Item]:
    """Rows with `prompt` and `response`; the id is `key` where there is one, else the line's place. `ValueError`."""
    items: dict[str, Item] = {}
    for where, row in rows.read(file, ("prompt", "response")):
        id = str(row.get("key", where.rpartition(":")[2]))
        if id in items:
            raise ValueError(f"{where}: key: {id} stands twice")
        items[id] = Item(id, rows.text(row, "prompt", where), rows.text(row, "response", where))
    if not items:
        raise ValueError(f"{file}: holds no responses")
    return list(items.values())


def wording(template: str, item: Item) -> str:
    """The template with both texts in their places, put in at once: a text that says {response} stays as it is."""
    return re.sub(r"\{(prompt|response)\}", lambda place: str(getattr(item, place[1])), template)


def verdict(reply: str) -> Judgement:
    """What a reply says. A reply without a verdict, with two that differ, or with one that its line goes on to qualify
    is never guessed at."""
    found = {said.lower() if _CLEAR.match(rest) else "" for said, rest in _VERDICT.findall(reply)}
    if found == {"yes"}:
        return "yes"
    return "no" if found == {"no"} else "unparsable"


async def _ask(client: httpx.AsyncClient, endpoint: Endpoint, text: str, retry: Retry) -> str:
    body = {
        "model": endpoint.model,
        "messages": [{"role": "user", "content": text}],
        "temperature": 0,
        "max_tokens": endpoint.max_tokens,
    }
    for attempt in count(1):
        try:
            return await _send(client, endpoint, body)
        except Unavailable as error:
            if (wait := retry.delay(attempt, error)) is None:
                raise
        await asyncio.sleep(wait)
    raise AssertionError("counting never ends")


async def _send(client: httpx.AsyncClient, endpoint: Endpoint, body: dict[str, Any]) -> str:
    """The reply's text. Raises `Unavailable` where another try may help, `GapoError` where none will."""
    try:
        reply = await client.post("chat/completions", json=body)
    except (httpx.UnsupportedProtocol, httpx.LocalProtocolError, httpx.DecodingError) as error:
        raise GapoError(f"{endpoint.url}: {type(error).__name__}; check --url") from None  # its text may hold the key
    except httpx.TransportError as error:
        raise Unavailable(f"{endpoint.url}: {type(error).__name__}: {error}") from error
    if reply.status_code in _OUTSIDE:
        after = reply.headers.get("retry-after", "")
        wait = float(after) if after.isdigit() else None
        raise Unavailable(f"{endpoint.url}: status {reply.status_code}: {reply.text[:200]}", retry_after=wait)
    if not reply.is_success:
        raise GapoError(
            f"{endpoint.url}: status {reply.status_code} for model {endpoint.model!r}: {reply.text[:200]}; "
            "check --url, --model and the key in GAPO_JUDGE_API_KEY"
        )
    try:
        content = reply.json()["choices"][0]["message"]["content"]
    except (ValueError, LookupError, TypeError, RecursionError):
        raise GapoError(
            f"{endpoint.url}: the reply is none of chat/completions: {reply.text[:200]}; does --url end in /v1?"
        ) from None
    return content if isinstance(content, str) else ""  # a refusal has no content


async def judge(
    items: Sequence[Item],
    endpoint: Endpoint,
    file: Path,
    template: str,
    progress: Callable[[int], None] = lambda done: None,
    retry: Retry = PATIENT,
) -> list[Judgement]:
    """The verdict of every item, in order; each is appended to `file` with the reply as soon as it comes.

    Items that the file holds with the same texts, model and template are not asked again. Raises `ValueError` where
    the file is another judge's, and a `GapoError` when the endpoint refuses or stays away; what came before is kept.
    """
    source = rows.digest(endpoint.model, str(endpoint.max_tokens), template)
    if not re.fullmatch(r"[!-~]*", endpoint.api_key):
        raise ValueError("GAPO_JUDGE_API_KEY: holds a space, an end of a line or a character that no key has")
    headers = {"authorization": f"Bearer {endpoint.api_key}"} if endpoint.api_key else {}
    try:
        base = httpx.URL(endpoint.url.rstrip("/") + "/")
    except httpx.InvalidURL as error:
        raise ValueError(f"--url: {endpoint.url!r} is no URL ({error})") from None
    with rows.Growing(file, source, "--out") as output:
        told: dict[str, Judgement] = {row["texts"]: row["verdict"] for row in output.rows}
        texts = [rows.digest(item.id, item.prompt, item.response) for item in items]
        left = [(item, key) for item, key in zip(items, texts, strict=True) if key not in told]
        done = len(items) - len(left)
        progress(done)
        waiting = iter(left)  # shared: each worker takes the next item

        async with httpx.AsyncClient(base_url=base, headers=headers, timeout=endpoint.timeout) as client:

            async def work() -> None:
                nonlocal done
                for item, key in waiting:
                    reply = await _ask(client, endpoint, wording(template, item), retry)
                    told[key] = verdict(reply)
                    output.append({"id": item.id, "verdict": told[key], "reply": reply, "texts": key})
                    done += 1
                    progress(done)

            workers = [asyncio.create_task(work()) for _ in range(min(endpoint.concurrency, len(left)))]
            try:
                await asyncio.gather(*workers)
            finally:
                for worker in workers:
                    worker.cancel()
                await asyncio.gather(*workers, return_exceptions=True)
    return [told[key] for key in texts]


def summary(verdicts: Sequence[Judgement]) -> dict[str, float | int | None]:
    """Counts and the share of `yes`: of all items, where unparsable replies count as not kept, and of parsed ones."""
    yes, unparsable = verdicts.count("yes"), verdicts.count("unparsable")
    parsed = len(verdicts) - unparsable
    return {
        "judged": len(verdicts),
        "yes": yes,
        "no": parsed - yes,
        "unparsable": unparsable,
        "share_of_all": yes / len(verdicts),
        "share_of_parsed": yes / parsed if parsed else None,
    }
