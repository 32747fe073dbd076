"""`gapo study`."""

import time
from pathlib import Path
from typing import Annotated

import typer
from gapo.cli import Application

from gapo_training.gapo.config import ConfigError
from gapo_training.gapo.config import read as read_config
from gapo_training.studies import plan


def register(app: Application) -> None:
    @app.command()
    def study(
        name: Annotated[str, typer.Argument(help=f"{', '.join(plan.names())}, or a YAML file.")],
        data: Annotated[Path, typer.Option(help="Folder with rnnlg/.", exists=True, file_okay=False)],
        out: Annotated[Path, typer.Option(help="Starts, cells and reports; studies share what they can there.")],
        seeds: Annotated[str, typer.Option(help="As in 0,1,2.")] = "0,1,2",
        preset: Annotated[str, typer.Option(help="Preset of `gapo train gapo` or YAML file.")] = "study",
        only: Annotated[list[str] | None, typer.Option(help="This cell; repeatable.")] = None,
        resume: Annotated[bool, typer.Option("--resume", help="Go on with cells that were killed.")] = False,
        report_only: Annotated[bool, typer.Option("--report-only", help="Run nothing; write the report.")] = False,
        minutes: Annotated[float, typer.Option(help="Begin no cell after so many; 0 for no limit.")] = 0.0,
        cpu: Annotated[bool, typer.Option(help="Stay off the GPU.")] = False,
    ) -> None:
        """Run a study of the paper cell by cell, and write its report.

        Finished cells are skipped, also those that another study ran, so a study may be split into commands:
        by --only, by --seeds, or by --minutes 60 again and again. Cells that never ran stand in the report as such.
        """
        from gapo_training.studies import cells, report, starts

        try:
            chosen = plan.read(name)
            read_config(preset)
            numbers = [int(part) for part in seeds.replace(",", " ").split()]
        except (ConfigError, ValueError) as error:
            raise typer.BadParameter(str(error)) from None
        if unknown := [cell for cell in only or () if cell not in chosen.cells]:
            raise typer.BadParameter(f"--only: {unknown[0]!r} is none of {', '.join(chosen.cells)}")
        begun = time.monotonic()
        # Seeds outside: a study that is cut short has compared all methods once instead of one method thrice.
        places = [(seed, cell) for seed in numbers for cell in only or chosen.cells]
        for number, (seed, cell) in enumerate([] if report_only else places, 1):
            if minutes and time.monotonic() - begun > 60 * minutes:
                typer.echo(f"{minutes:g} minutes are over; repeat the command for the rest", err=True)
                break
            typer.echo(f"[{number} of {len(places)}] {cell}, seed {seed}", err=True)
            try:
                done = cells.run(chosen.cells[cell], preset, seed, data, out, resume, cpu)
            except (ConfigError, starts.Busy) as error:
                typer.echo(f"not run: {error}", err=True)
                continue
            typer.echo(f"{done.status} {done.note}".strip(), err=True)
        typer.echo(str(report.write(chosen, preset, numbers, out)))
