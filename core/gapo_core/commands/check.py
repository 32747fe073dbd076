"""`gapo check`: every constraint of a prompt, checked on a response and explained in the terminal."""

import io
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from gapo_core.constraints import checking
from gapo_core.constraints.checking import Checked
from gapo_core.constraints.document import encodable
from gapo_core.constraints.registry import ConstraintError
from gapo_core.constraints.types import Constraint, Verdict

MARKS = {"satisfied": ("✓", "green"), "violated": ("✗", "red"), "unknown": ("?", "yellow")}
VIOLATED, UNKNOWN = 3, 4  # exit statuses
CONTEXT = 24  # characters of the response around a piece of evidence
SHOWN = 4  # pieces of evidence a constraint


def given(text: str) -> Constraint:
    """The constraint of `ID` or `ID:JSON-KWARGS`. Raises `ConstraintError`."""
    id, brace, rest = text.partition(":{")
    try:
        kwargs = json.loads(brace[1:] + rest) if brace else {}
    except ValueError as error:
        raise ConstraintError(f"--constraint {text!r}: the keyword arguments are not JSON: {error}") from None
    return Constraint(id, kwargs)


def _line(text: str) -> str:
    return " ".join(encodable(text).split())


def _highlighted(response: str, verdict: Verdict, style: str) -> Text:
    """The first pieces of evidence, each with some of the response around it."""
    shown = Text()
    for start, end in verdict.evidence[:SHOWN]:
        if shown:
            shown.append("\n")
        shown.append("…" * (start > CONTEXT) + _line(response[max(0, start - CONTEXT) : start] + "|")[:-1], "dim")
        shown.append(_line(response[start : min(end, start + 80)]) or "␠", f"bold {style}")
        shown.append("…" if end > start + 80 else _line("|" + response[end : end + CONTEXT])[1:], "dim")
    if (more := len(verdict.evidence) - SHOWN) > 0:
        shown.append(f"\nand {more} more", "dim")
    return shown


def _table(checked: Sequence[Checked], response: str) -> Table:
    table = Table(show_lines=True)
    for title in ("", "constraint", "finding", "evidence"):
        table.add_column(title, overflow="fold")
    for one in checked:
        mark, style = MARKS[one.verdict.status]
        demand = Text(_line(one.constraint.render())).append(f"\n{one.constraint.id}", "dim")
        table.add_row(Text(mark, style), demand, _line(one.verdict.reason), _highlighted(response, one.verdict, style))
    return table


def _text(value: str | None, file: Path | None, name: str) -> str | None:
    if value is not None and file is not None:
        raise typer.BadParameter(f"give --{name} or --{name}-file, not both")
    if file is None:
        return value
    # Bytes, since a terminal's encoding and its leniency are none of the text's; a byte order mark is no part of it.
    read = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    return io.StringIO(read.decode("utf-8-sig"), newline=None).read()


def register(app: typer.Typer) -> None:
    @app.command()
    def check(
        prompt: Annotated[str | None, typer.Option(help="The prompt; its constraints are read from it.")] = None,
        response: Annotated[str | None, typer.Option(help="The response to check.")] = None,
        prompt_file: Annotated[Path | None, typer.Option(help="File with the prompt; - is stdin.")] = None,
        response_file: Annotated[Path | None, typer.Option(help="File with the response; - is stdin.")] = None,
        constraint: Annotated[
            list[str] | None,
            typer.Option(help="ID or ID:JSON-KWARGS, repeatable; without it, constraints are read from the prompt."),
        ] = None,
        mode: Annotated[
            Literal["strict", "compat", "compat_loose"],
            typer.Option(envvar="GAPO_CHECK_MODE", help="strict: as a person would say; compat: as the reference."),
        ] = "strict",
        as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    ) -> None:
        """Check a response against constraints. Exit status: 0 all satisfied, 3 any violated, 4 unknown.

        A prompt in which no constraint is found says nothing of its response: unknown.
        """
        if prompt_file is not None and str(prompt_file) == str(response_file) == "-":
            raise typer.BadParameter("stdin is read once; give the prompt or the response in a file of its own")
        try:
            demand, answer = _text(prompt, prompt_file, "prompt"), _text(response, response_file, "response")
            if answer is None:
                raise typer.BadParameter("give --response or --response-file")
            if demand is None and not constraint:
                raise typer.BadParameter("give --constraint, or --prompt or --prompt-file to read constraints from")
            asked = [given(text) for text in constraint] if constraint else None
            report = checking.check(answer, prompt=demand, constraints=asked, mode=mode)
        except (ConstraintError, OSError, UnicodeDecodeError) as error:
            typer.echo(f"error: {error}", err=True)
            raise typer.Exit(1) from None
        remainder = report.remainder
        if as_json:
            found = [one.as_json() for one in report.constraints]
            typer.echo(
                json.dumps({"status": report.status, "mode": mode, "constraints": found, "remainder": remainder})
            )
        else:
            console = Console()
            checked = report.constraints
            console.print(_table(checked, answer) if checked else "no constraint found in the prompt")
            if remainder and remainder.strip():
                console.print(Text(f"not checked: {_line(remainder)}", "dim"))
        raise typer.Exit({"satisfied": 0, "violated": VIOLATED, "unknown": UNKNOWN}[report.status])
