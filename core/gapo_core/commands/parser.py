"""`gapo eval parser`: how well the constraints of annotated prompts are read."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from gapo_core.commands.verifiers import Application
from gapo_core.constraints.parsing.evaluation import Figures, half, measure, rows


def figures(data: Path) -> dict[str, Figures]:
    """By set: IFEval, its development half and the other, IFBench. Raises `OSError` and `ValueError`."""
    ifeval = list(rows(data / "ifeval/input_data.jsonl"))
    return {
        "ifeval": measure(ifeval),
        "ifeval, development half": measure(row for row in ifeval if half(row.key) == 0),
        "ifeval, other half": measure(row for row in ifeval if half(row.key) == 1),
        "ifbench": measure(rows(data / "ifbench/IFBench_test.jsonl")),
    }


def _table(found: dict[str, Figures]) -> Table:
    table = Table(title="constraints read from annotated prompts")
    for title in ("", "prompts", "constraints", "precision", "recall", "arguments exact"):
        table.add_column(title, justify="left" if not title else "right", overflow="fold")
    for name, one in found.items():
        shares = (f"{share:.3f}" for share in (one.precision, one.recall, one.kwargs_exact))
        table.add_row(name, str(one.prompts), str(one.annotated), *shares)
    return table


def register(app: Application) -> None:
    group = app.group("eval", "Evaluate.")

    @group.command()
    def parser(
        data: Annotated[Path, typer.Option(help="Folder with ifeval/ and ifbench/.", exists=True, file_okay=False)],
        as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    ) -> None:
        """Precision and recall of ids, and exact arguments where the id is right, on IFEval's and IFBench's prompts."""
        try:
            found = figures(data)
        except (OSError, ValueError) as error:
            typer.echo(f"error: {error}", err=True)
            raise typer.Exit(1) from None
        if as_json:
            typer.echo(json.dumps({name: one.as_json() for name, one in found.items()}))
        else:
            Console().print(_table(found))
