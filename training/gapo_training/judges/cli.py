"""`gapo eval ifeval`, `gapo eval judge`, `gapo eval sheet` and `gapo eval agreement`."""

import asyncio
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from gapo.cli import Application
from gapo.errors import GapoError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn, track
from rich.table import Table

from gapo_training.judges import ifeval, judge, sheet

ERRORS = Console(stderr=True)
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@contextmanager
def _refusing() -> Iterator[None]:
    """Errors that the user can mend become one line and exit status 1."""
    try:
        yield
    except (GapoError, OSError, ValueError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from None


@contextmanager
def _bar(name: str, total: int) -> Iterator[Callable[[int], None]]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=ERRORS) as bar:
        task = bar.add_task(name, total=total)
        yield lambda done: bar.update(task, completed=done)


def register(app: Application) -> None:
    group = app.group("eval", "Evaluate.")

    @group.command("ifeval")
    def ifeval_(
        prompts: Annotated[Path, typer.Option(help="IFEval's or IFBench's prompts, JSON lines.", exists=True)],
        responses: Annotated[
            Path | None, typer.Option(help="JSON lines with response and key (or prompt).", exists=True)
        ] = None,
        generator: Annotated[
            Path | None, typer.Option(help="Local Hugging Face folder that answers greedily.", file_okay=False)
        ] = None,
        save_responses: Annotated[
            Path | None, typer.Option(help="Where the generator's answers go; a killed command goes on there.")
        ] = None,
        out: Annotated[Path | None, typer.Option(help="JSON: the summary and every verdict.")] = None,
        batch: Annotated[int, typer.Option(min=1, help="Prompts that are answered together.")] = 16,
        max_new_tokens: Annotated[int, typer.Option(min=1, help="Longest answer.")] = 1280,
        cpu: Annotated[bool, typer.Option(help="Stay off the GPU.")] = False,
        as_json: Json = False,
    ) -> None:
        """IFEval's accuracies of a responses file or a local generator.

        strict and loose are IFEval's protocols, the reference's defects included, so that published numbers compare;
        person is this project's own reading of the same instructions.
        """
        if (responses is None) == (generator is None):
            raise typer.BadParameter("give either --responses or --generator")
        if generator is not None and save_responses is None:
            raise typer.BadParameter("--generator needs --save-responses: answers are kept there as they come")
        with _refusing():
            wanted = ifeval.read_prompts(prompts)
            if generator is not None and save_responses is not None:
                import torch

                from gapo_training.judges.answers import answer

                device = torch.device("cuda" if torch.cuda.is_available() and not cpu else "cpu")
                with _bar("answering", len(wanted)) as shown:
                    answer(generator, wanted, save_responses, batch, max_new_tokens, device, shown)
                responses = save_responses
            assert responses is not None
            answers = ifeval.read_answers(responses, wanted)
            report = ifeval.evaluate(
                wanted, answers.responses, lambda rest: track(rest, "checking", console=ERRORS, transient=True)
            )
            found = report.as_json() | {"ignored_responses": answers.ignored, "reworded_prompts": answers.reworded}
            if out:
                out.parent.mkdir(parents=True, exist_ok=True)
                out.write_text(json.dumps(found | {"verdicts": report.verdicts}, indent=1) + "\n", encoding="utf-8")
        for count, told in (
            (len(report.unanswered), "prompts have no response and count nowhere"),
            (answers.ignored, "responses answer none of the prompts"),
            (len(answers.reworded), "responses answer a prompt of the same key in other words"),
        ):
            if count:
                typer.echo(f"note: {count} {told}", err=True)
        if as_json:
            typer.echo(json.dumps(found))
            return
        Console().print(_ifeval_table(report))

    @group.command("judge")
    def judge_(
        responses: Annotated[Path, typer.Option(help="JSON lines with prompt and response.", exists=True)],
        url: Annotated[str, typer.Option(envvar="GAPO_JUDGE_URL", help="Base of an OpenAI-compatible API: …/v1.")],
        model: Annotated[str, typer.Option(envvar="GAPO_JUDGE_MODEL", help="The judge's name there.")],
        out: Annotated[Path, typer.Option(help="JSON lines of verdicts; a killed command goes on there.")],
        template: Annotated[
            Path, typer.Option("--prompt-file", help="Judge prompt with {prompt} and {response}.", exists=True)
        ] = judge.PROMPT,
        concurrency: Annotated[int, typer.Option(min=1, help="Requests in flight.")] = 8,
        max_tokens: Annotated[int, typer.Option(min=1, help="Longest reply of the judge.")] = 1024,
        timeout: Annotated[float, typer.Option(help="Seconds of one request.")] = 120.0,
    ) -> None:
        """A language model as judge, at temperature 0; JSON on stdout.

        The key is read from the environment variable GAPO_JUDGE_API_KEY. Replies without a clear verdict are counted
        as unparsable, never guessed at.
        """
        with _refusing():
            key = os.environ.get("GAPO_JUDGE_API_KEY", "")
            endpoint = judge.Endpoint(url, model, key, timeout, max_tokens, concurrency)
            items = judge.read_items(responses)
            wording = template.read_text(encoding="utf-8")
            if missing := [name for name in ("{prompt}", "{response}") if name not in wording]:
                raise ValueError(f"--prompt-file: {template} lacks {missing[0]}")
            with _bar("judging", len(items)) as shown:
                verdicts = asyncio.run(judge.judge(items, endpoint, out, wording, shown))
        typer.echo(json.dumps(judge.summary(verdicts)))

    @group.command("sheet")
    def sheet_(
        responses: Annotated[
            list[Path], typer.Option(help="JSON lines with prompt and response; repeat for systems.", exists=True)
        ],
        out: Annotated[Path, typer.Option(help="CSV; with several annotators NAME.1.csv, NAME.2.csv …")],
        annotators: Annotated[int, typer.Option(min=1, help="How many people; each gets the same items.")] = 2,
        seed: int = 0,
    ) -> None:
        """Blind, shuffled sheets for people, with instructions and a key beside them."""
        with _refusing():
            for file in sheet.write(responses, out, annotators, seed):
                typer.echo(str(file))

    @group.command("agreement")
    def agreement(
        sheets: Annotated[list[Path], typer.Argument(help="Two or more filled sheets.", exists=True)],
        key: Annotated[Path | None, typer.Option(help="NAME.key.csv: adds the share of yes by system.")] = None,
        seed: Annotated[int, typer.Option(help="Of the bootstrap.")] = 0,
    ) -> None:
        """Cohen's kappa of every two annotators, Fleiss' kappa of three and more, with 95 % intervals; JSON."""
        with _refusing():
            found = sheet.agreement(sheets, key, seed)
        typer.echo(json.dumps(found.as_json(), indent=2, ensure_ascii=False))


def _ifeval_table(report: ifeval.Report) -> Table:
    table = Table(title=f"{report.prompts.total:,} responses, {report.instructions.total:,} instructions")
    for title in ("", "n", *ifeval.MODES):
        table.add_column(title, no_wrap=True)
    last = len(report.ids)
    rows = [("prompt level", report.prompts), ("instruction level", report.instructions), *sorted(report.ids.items())]
    for place, (name, tally) in enumerate(rows):
        shares = (f"{tally.share(protocol):.2%}" for protocol in ifeval.MODES)
        table.add_row(name, f"{tally.total:,}", *shares, end_section=place == len(rows) - last - 1)
    return table
