"""`gapo score`."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from gapo.client import Client
from gapo.errors import GapoError

BATCH = 64


def register(app: typer.Typer) -> None:
    @app.command()
    def score(
        prompt: Annotated[str | None, typer.Option(help="Task and constraints.")] = None,
        response: Annotated[str | None, typer.Option(help="The text to judge.")] = None,
        input: Annotated[Path | None, typer.Option(help='JSONL with "prompt" and "response".', dir_okay=False)] = None,
        output: Annotated[Path | None, typer.Option(help="JSONL of scores, in order.")] = None,
        url: Annotated[str, typer.Option(envvar="GAPO_URL", help="http://… or grpc://…")] = "http://127.0.0.1:8080",
        truncation: Annotated[str, typer.Option(help="error, keep_head, keep_tail or keep_both_ends.")] = "",
        as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    ) -> None:
        """Score one pair (--prompt, --response) or a file (--input, --output) on a running server."""
        try:
            with Client(url) as client:
                if input and output:
                    _file(client, input, output, truncation)
                elif prompt is not None and response is not None:
                    result = client.score(prompt, response, truncation=truncation)
                    typer.echo(
                        json.dumps(asdict(result))
                        if as_json
                        else f"score {result.score:.4f}  probability {result.probability:.4f}"
                    )
                else:
                    raise typer.BadParameter("give --prompt and --response, or --input and --output")
        except (GapoError, OSError, ValueError) as error:
            typer.echo(f"error: {error}", err=True)
            raise typer.Exit(1) from None


def _read(file: Path) -> list[tuple[str, str]]:
    pairs = []
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            pair = (row["prompt"], row["response"])
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{file}:{number}: not an object with prompt and response ({error})") from None
        if not all(isinstance(text, str) for text in pair):
            raise ValueError(f"{file}:{number}: prompt and response must be strings")
        pairs.append(pair)
    return pairs


def _file(client: Client, source: Path, output: Path, truncation: str) -> None:
    pairs = _read(source)
    with Progress() as bar, output.open("w", encoding="utf-8") as stream:
        task = bar.add_task("scoring", total=len(pairs))
        for first in range(0, len(pairs), BATCH):
            batch = pairs[first : first + BATCH]
            for result in client.score_batch(batch, truncation=truncation):
                stream.write(json.dumps(asdict(result)) + "\n")
            stream.flush()  # what was scored survives a crash
            bar.advance(task, len(batch))
