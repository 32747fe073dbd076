"""`gapo eval verifiers`: how often the compat verdicts equal the published ones."""

import json
from pathlib import Path
from typing import Annotated, Protocol

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from gapo_core.constraints.agreement import Report, Share, measure, rows
from gapo_core.constraints.registry import ConstraintError


class Application(Protocol):
    """The `gapo` program, as far as a command in a group needs it."""

    def group(self, name: str, help: str) -> typer.Typer: ...


def _cell(share: Share | None) -> str:
    return "" if share is None else f"{share.value:8.2%} of {share.total:,}"


def _tables(report: Report) -> tuple[Table, Table]:
    strict, loose = report.protocols["strict"], report.protocols["loose"]
    shares = Table(title=f"agreement over {report.responses:,} responses")
    for title in ("", "strict protocol", "loose protocol"):
        shares.add_column(title, no_wrap=True)
    shares.add_row("constraints", _cell(strict.constraints), _cell(loose.constraints))
    shares.add_row("prompts", _cell(strict.prompts), _cell(loose.prompts), end_section=True)
    for id in sorted(strict.ids):
        shares.add_row(id, _cell(strict.ids[id]), _cell(loose.ids.get(id)))
    different = Table(title="disagreements")
    for title in ("cause", "id", "protocol", "key", "position", "published", "model"):
        different.add_column(title, overflow="fold")
    for one in sorted(report.disagreements, key=lambda one: (one.cause, one.id, one.key)):
        published = "followed" if one.published else "not followed"
        different.add_row(one.cause, one.id, one.protocol, str(one.key), str(one.position), published, one.model)
    return shares, different


def register(app: Application) -> None:
    group = app.group("eval", "Evaluate.")

    @group.command()
    def verifiers(
        data: Annotated[Path, typer.Option(help="Folder with ifeval/responses/*.jsonl.", exists=True, file_okay=False)],
        as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    ) -> None:
        """Agreement of the compat verdicts with the verdicts published for IFEval, by constraint and by prompt."""
        try:
            read = list(rows(data / "ifeval/responses"))
            report = measure(track(read, "checking", console=Console(stderr=True), transient=True))
        except (ConstraintError, OSError, ValueError) as error:
            typer.echo(f"error: {error}", err=True)
            raise typer.Exit(1) from None
        if as_json:
            typer.echo(json.dumps(report.as_json()))
        else:
            console = Console()
            for table in _tables(report):
                if table.row_count:
                    console.print(table)
