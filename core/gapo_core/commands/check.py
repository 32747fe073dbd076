"""`gapo check`: every constraint of a prompt, checked on a response and explained in the terminal."""

import io
import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from gapo_core.constraints.document import encodable
from gapo_core.constraints.parsing import parse
from gapo_core.constraints.registry import ConstraintError
from gapo_core.constraints.types import Constraint, Mode, Span, Verdict

MARKS = {"satisfied": ("✓", "green"), "violated": ("✗", "red"), "unknown": ("?", "yellow")}
VIOLATED, UNKNOWN = 3, 4  # exit statuses
CONTEXT = 24  # characters of the response around a piece of evidence
SHOWN = 4  # pieces of evidence a constraint


@dataclass(frozen=True)
class Checked:
    """A constraint with its verdict, and the span of the prompt it was read from."""

    constraint: Constraint
    verdict: Verdict
    span: Span | None = None

    def as_json(self) -> dict[str, Any]:
        verdict = asdict(self.verdict)
        verdict["evidence"] = [{"start": span.start, "end": span.end} for span in self.verdict.evidence]
        source = None if self.span is None else {"start": self.span.start, "end": self.span.end}
        return {"id": self.constraint.id, "kwargs": dict(self.constraint.kwargs), "span": source, **verdict}


def given(text: str) -> Constraint:
    """The constraint of `ID` or `ID:JSON-KWARGS`. Raises `ConstraintError`."""
    id, brace, rest = text.partition(":{")
    try:
        kwargs = json.loads(brace[1:] + rest) if brace else {}
    except ValueError as error:
        raise ConstraintError(f"--constraint {text!r}: the keyword arguments are not JSON: {error}") from None
    return Constraint(id, kwargs)


def overall(checked: list[Checked]) -> Literal["satisfied", "violated", "unknown"]:
    """Violated where anything is; unknown where nothing is violated and something unknown, or nothing was checked."""
    statuses = {one.verdict.status for one in checked}
    return "violated" if "violated" in statuses else "satisfied" if statuses == {"satisfied"} else "unknown"


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


def _table(checked: list[Checked], response: str) -> Table:
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
            checked, remainder = _check(demand, answer, constraint or [], mode)
        except (ConstraintError, OSError, UnicodeDecodeError) as error:
            typer.echo(f"error: {error}", err=True)
            raise typer.Exit(1) from None
        status = overall(checked)
        if as_json:
            found = [one.as_json() for one in checked]
            typer.echo(json.dumps({"status": status, "mode": mode, "constraints": found, "remainder": remainder}))
        else:
            console = Console()
            console.print(_table(checked, answer) if checked else "no constraint found in the prompt")
            if remainder and remainder.strip():
                console.print(Text(f"not checked: {_line(remainder)}", "dim"))
        raise typer.Exit({"satisfied": 0, "violated": VIOLATED, "unknown": UNKNOWN}[status])


def _check(prompt: str | None, response: str, given_: list[str], mode: Mode) -> tuple[list[Checked], str | None]:
    """The verdicts, and what of the prompt is no constraint (None where constraints were given)."""
    if given_:
        constraints = [given(text) for text in given_]
        return [Checked(one, one.check(response, prompt=prompt, mode=mode)) for one in constraints], None
    parsed = parse(prompt or "")
    checked = [
        Checked(one.constraint, one.constraint.check(response, prompt=prompt, mode=mode), one.span)
        for one in parsed.constraints
    ]
    return checked, parsed.remainder
