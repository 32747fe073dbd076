"""`gapo bench`: starts a benchmark of the source tree; it measures peers, so it is no part of the package."""

import subprocess
import sys
from pathlib import Path

import typer

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
_PASSED_ON = {"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []}


def register(app: typer.Typer) -> None:
    group = typer.Typer(no_args_is_help=True, help="Measure the engine and the training step beside their peers.")
    app.add_typer(group, name="bench")

    @group.callback()
    def _bench() -> None:
        """Measure."""

    @group.command("engine", context_settings=_PASSED_ON)
    def engine(context: typer.Context) -> None:
        """Scoring: workloads, peers, product peaks. `gapo bench engine --help` shows the script's options."""
        _start("engine", context.args)

    @group.command("train", context_settings=_PASSED_ON)
    def train(context: typer.Context) -> None:
        """A training step: forward and backward beside Hugging Face's. `--help` shows the script's options."""
        _start("train", context.args)


def _start(name: str, arguments: list[str]) -> None:
    script = BENCHMARKS / f"{name}.py"
    if not script.exists():
        typer.echo(
            f"error: {script} is missing: benchmarks run from a clone, installed with pip install -e .", err=True
        )
        raise typer.Exit(1)
    raise typer.Exit(subprocess.run([sys.executable, str(script), *arguments]).returncode)
