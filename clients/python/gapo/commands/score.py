"""`gapo score`."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from enum import Enum
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated

import httpx
import typer

from gapo.aio import AsyncClient
from gapo.commands.jsonl import FileError, Source
from gapo.commands.score_file import OnError, score_file
from gapo.commands.score_output import ScoreOutput
from gapo.errors import GapoError
from gapo.retry import Retry
from gapo.wire import Options


class Truncation(str, Enum):
    ERROR = "error"
    KEEP_HEAD = "keep_head"
    KEEP_TAIL = "keep_tail"
    KEEP_BOTH_ENDS = "keep_both_ends"


@asynccontextmanager
async def open_client(
    url: str | None, bundle: Path | None, api_key: str | None, timeout: float, retries: int
) -> AsyncIterator[AsyncClient]:
    """A client of the server at `url`, or of the server's application in this process when there is none.

    The latter comes through the entry point `gapo.local`, which the server extra fills: the client itself
    imports nothing of the server. Raises `FileError` when the extra is missing.
    """
    retry = Retry(attempts=retries + 1)
    if url is not None:
        async with AsyncClient(url, api_key=api_key, timeout=timeout, retry=retry, concurrency=1) as client:
            yield client
        return
    points = list(entry_points(group="gapo.local"))
    try:
        open_app = points[0].load() if points else None
    except ImportError:
        open_app = None
    if open_app is None:
        raise FileError("no --url, and scoring without a server needs: pip install 'gapo[server]'")
    async with open_app(bundle) as app:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with AsyncClient("http://in-process", retry=retry, concurrency=1, transport=transport) as client:
            yield client


def register(app: typer.Typer) -> None:
    @app.command()
    def score(
        prompt: Annotated[str | None, typer.Option(help="Task and constraints.")] = None,
        response: Annotated[str | None, typer.Option(help="The text to judge.")] = None,
        input: Annotated[str | None, typer.Option(help='JSONL with "prompt" and "response"; - is stdin.')] = None,
        output: Annotated[str, typer.Option(help="JSONL of scores, in order; - is stdout.")] = "-",
        url: Annotated[
            str | None, typer.Option(envvar="GAPO_URL", help="http://… or grpc://…; none scores in this process.")
        ] = None,
        bundle: Annotated[Path | None, typer.Option(help="Without --url: this bundle, not the embedded one.")] = None,
        api_key: Annotated[str | None, typer.Option(envvar="GAPO_API_KEY", help="The server's key.")] = None,
        model: Annotated[str, typer.Option(envvar="GAPO_MODEL", help="A served model; none is the default.")] = "",
        truncation: Annotated[Truncation | None, typer.Option(help="For long pairs; none is the model's own.")] = None,
        prompt_budget: Annotated[int | None, typer.Option(min=1, help="Most tokens of a prompt.")] = None,
        response_budget: Annotated[int | None, typer.Option(min=1, help="Most tokens of a response.")] = None,
        on_error: Annotated[OnError, typer.Option(help="At a line that cannot be scored.")] = OnError.STOP,
        errors: Annotated[
            Path | None, typer.Option(help="JSONL of skipped lines; default: <output>.errors, or stderr.")
        ] = None,
        resume: Annotated[bool, typer.Option("--resume", help="Continue an output that was cut short.")] = False,
        force: Annotated[bool, typer.Option("--force", help="Overwrite the output.")] = False,
        timeout: Annotated[
            float, typer.Option(envvar="GAPO_TIMEOUT", help="With --url: seconds of one request.")
        ] = 60.0,
        retries: Annotated[int, typer.Option(min=0, help="Tries again when the server is full or away.")] = 4,
        as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")] = False,
    ) -> None:
        """Score one pair (--prompt, --response) or a JSONL file (--input, --output), on a server or in this process."""
        options = Options(model, truncation.value if truncation else "", prompt_budget, response_budget)
        one = prompt is not None and response is not None
        if one == (input is not None) or (not one and (prompt is not None or response is not None)):
            raise typer.BadParameter("give --prompt and --response, or --input")
        if one and (output != "-" or errors or resume or force):
            raise typer.BadParameter("--output, --errors, --resume and --force go with --input; one pair is printed")
        if url is not None and bundle is not None:
            raise typer.BadParameter("--bundle is scored in this process; leave out --url, and unset GAPO_URL")
        if as_json and input is not None and output == "-":
            raise typer.BadParameter("--json prints one object; give --output a file")

        async def run() -> None:
            async with open_client(url, bundle, api_key, timeout, retries) as client:
                if input is not None:
                    with Source(input) as source, ScoreOutput(output, errors, resume, force, source) as sink:
                        summary = await score_file(client, source, sink, options, on_error)
                    if as_json:
                        typer.echo(json.dumps(asdict(summary)))
                    else:
                        typer.echo(str(summary), err=True)
                    return
                result = await client.score(prompt or "", response or "", **vars(options))
                if as_json:
                    typer.echo(json.dumps(asdict(result)))
                else:
                    typer.echo(f"score {result.score:.4f}  probability {result.probability:.4f}")

        try:
            asyncio.run(run())
        except BrokenPipeError:
            sys.stderr.close()  # whoever read stdout has gone; nothing more to say
            raise typer.Exit(1) from None
        except (GapoError, FileError, OSError, ValueError) as error:
            typer.echo(f"error: {error}", err=True)
            raise typer.Exit(1) from None
