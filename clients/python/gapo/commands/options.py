"""Options that commands on pairs share."""

from pathlib import Path
from typing import Annotated

import typer

from gapo.commands.whole_file import OnError

Prompt = Annotated[str | None, typer.Option(help="Task and constraints.")]
Response = Annotated[str | None, typer.Option(help="The text to judge.")]
Input = Annotated[str | None, typer.Option(help='JSONL with "prompt" and "response"; - is stdin.')]
Output = Annotated[str, typer.Option(help="JSONL of results, in order; - is stdout.")]
Url = Annotated[str | None, typer.Option(envvar="GAPO_URL", help="http://… or grpc://…; none asks in this process.")]
Bundle = Annotated[Path | None, typer.Option(help="Without --url: this bundle, not the embedded one.")]
ApiKey = Annotated[str | None, typer.Option(envvar="GAPO_API_KEY", help="The server's key.")]
AtErrors = Annotated[OnError, typer.Option(help="At a line that gets no result.")]
Errors = Annotated[Path | None, typer.Option(help="JSONL of skipped lines; default: <output>.errors, or stderr.")]
Resume = Annotated[bool, typer.Option("--resume", help="Continue an output that was cut short.")]
Force = Annotated[bool, typer.Option("--force", help="Overwrite the output.")]
Timeout = Annotated[float, typer.Option(envvar="GAPO_TIMEOUT", help="With --url: seconds of one request.")]
Retries = Annotated[int, typer.Option(min=0, help="Tries again when the server is full or away.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]
