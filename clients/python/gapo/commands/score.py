"""`gapo score`."""

from enum import Enum
from typing import Annotated

import typer

from gapo.aio import AsyncClient
from gapo.commands import asking, options
from gapo.commands.whole_file import OnError, Work
from gapo.wire import Options, Score


class Truncation(str, Enum):
    ERROR = "error"
    KEEP_HEAD = "keep_head"
    KEEP_TAIL = "keep_tail"
    KEEP_BOTH_ENDS = "keep_both_ends"


def shown(found: Score) -> str:
    return f"score {found.score:.4f}  probability {found.probability:.4f}"


def register(app: typer.Typer) -> None:
    @app.command()
    def score(
        prompt: options.Prompt = None,
        response: options.Response = None,
        input: options.Input = None,
        output: options.Output = "-",
        url: options.Url = None,
        bundle: options.Bundle = None,
        api_key: options.ApiKey = None,
        model: Annotated[str, typer.Option(envvar="GAPO_MODEL", help="A served model; none is the default.")] = "",
        truncation: Annotated[Truncation | None, typer.Option(help="For long pairs; none is the model's own.")] = None,
        prompt_budget: Annotated[int | None, typer.Option(min=1, help="Most tokens of a prompt.")] = None,
        response_budget: Annotated[int | None, typer.Option(min=1, help="Most tokens of a response.")] = None,
        on_error: options.AtErrors = OnError.STOP,
        errors: options.Errors = None,
        resume: options.Resume = False,
        force: options.Force = False,
        timeout: options.Timeout = 60.0,
        retries: options.Retries = 4,
        as_json: options.AsJson = False,
    ) -> None:
        """Score one pair (--prompt, --response) or a JSONL file (--input, --output), on a server or in this process."""
        wanted = Options(model, truncation.value if truncation else "", prompt_budget, response_budget)

        def work(client: AsyncClient) -> Work:
            return Work("scoring", lambda pairs: client.score_batch(pairs, **vars(wanted)), ("scored",))

        files = asking.Files(input, output, errors, on_error, resume, force)
        place = asking.Place(url, bundle, api_key, timeout, retries)
        asking.run(prompt, response, files, place, as_json, work, shown)
