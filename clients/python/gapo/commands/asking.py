"""One pair or a file of them, asked of a server or of this process: what `gapo score` and `gapo gate` share."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import httpx
import typer

from gapo.aio import AsyncClient
from gapo.commands.jsonl import FileError, Source
from gapo.commands.results_file import ResultsFile
from gapo.commands.whole_file import OnError, Work, work_through
from gapo.errors import GapoError
from gapo.retry import Retry


@dataclass(frozen=True)
class Place:
    """Which server is asked; where there is no `url`, this process, with `bundle` or the embedded model."""

    url: str | None
    bundle: Path | None
    api_key: str | None
    timeout: float
    retries: int


@dataclass(frozen=True)
class Files:
    """Where pairs come from and results go; no `input`: there is one pair."""

    input: str | None
    output: str
    errors: Path | None
    on_error: OnError
    resume: bool
    force: bool


@asynccontextmanager
async def open_client(place: Place) -> AsyncIterator[AsyncClient]:
    """A client of the server at `url`, or of the server's application in this process when there is none.

    The latter comes through the entry point `gapo.local`, which the server extra fills: the client itself
    imports nothing of the server. Raises `FileError` when the extra is missing.
    """
    retry = Retry(attempts=place.retries + 1)
    if place.url is not None:
        options: dict[str, Any] = {"api_key": place.api_key, "timeout": place.timeout, "retry": retry}
        async with AsyncClient(place.url, concurrency=1, **options) as client:
            yield client
        return
    points = list(entry_points(group="gapo.local"))
    try:
        open_app = points[0].load() if points else None
    except ImportError:
        open_app = None
    if open_app is None:
        raise FileError("no --url, and without a server this needs: pip install 'gapo[server]'")
    async with open_app(place.bundle) as app:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with AsyncClient("http://in-process", retry=retry, concurrency=1, transport=transport) as client:
            yield client


def run(
    prompt: str | None,
    response: str | None,
    files: Files,
    place: Place,
    as_json: bool,
    work: Callable[[AsyncClient], Work],
    shown: Callable[[Any], str],
) -> Any:
    """Prints what came out, and returns the result of a single pair.

    Raises `typer.BadParameter` where options contradict each other, and `typer.Exit` after telling an error.
    """
    _check(prompt, response, files, place, as_json)

    async def asked() -> Any:
        async with open_client(place) as client:
            if files.input is None:
                (result,) = await work(client).ask([(prompt or "", response or "")])
                typer.echo(json.dumps(asdict(result)) if as_json else shown(result))
                return result
            with (
                Source(files.input) as source,
                ResultsFile(files.output, files.errors, files.resume, files.force, source) as results,
            ):
                summary = await work_through(work(client), source, results, files.on_error)
            if as_json:
                typer.echo(json.dumps(summary.as_json()))
            else:
                typer.echo(str(summary), err=True)
            return None

    try:
        return asyncio.run(asked())
    except BrokenPipeError:
        sys.stderr.close()  # whoever read stdout has gone; nothing more to say
        raise typer.Exit(1) from None
    except (GapoError, FileError, OSError, ValueError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from None


def _check(prompt: str | None, response: str | None, files: Files, place: Place, as_json: bool) -> None:
    one = prompt is not None and response is not None
    if one == (files.input is not None) or (not one and (prompt is not None or response is not None)):
        raise typer.BadParameter("give --prompt and --response, or --input")
    if one and (files.output != "-" or files.errors or files.resume or files.force):
        raise typer.BadParameter("--output, --errors, --resume and --force go with --input; one pair is printed")
    if place.url is not None and place.bundle is not None:
        raise typer.BadParameter("--bundle is loaded in this process; leave out --url, and unset GAPO_URL")
    if as_json and files.input is not None and files.output == "-":
        raise typer.BadParameter("--json prints one object; give --output a file")
