"""The `gapo` program: its commands come from the entry-point group `gapo.commands`."""

import sys
from importlib.metadata import entry_points

import typer

EXTRAS = {"gapo_server": "server", "gapo_training": "training", "gapo_export": "export"}


def _missing(app: typer.Typer, name: str, extra: str, cause: ImportError) -> None:
    @app.command(name, help=f"(needs: pip install 'gapo[{extra}]')", context_settings={"ignore_unknown_options": True})
    def command(arguments: list[str] = typer.Argument(None)) -> None:
        typer.echo(f"error: {cause}; `gapo {name}` needs: pip install 'gapo[{extra}]'", err=True)
        raise typer.Exit(1)


def build(only: str = "") -> typer.Typer:
    """The program with all its commands, or with the one that was asked for: others may take seconds to import."""
    app = typer.Typer(no_args_is_help=True, help="GAPO: a reward model that understands constraints.")

    @app.callback()
    def _root() -> None:
        """GAPO: train, export, serve and ask a reward model that understands constraints."""

    points = sorted(entry_points(group="gapo.commands"), key=lambda point: point.name)
    for point in [point for point in points if point.name == only] or points:
        try:
            register = point.load()
        except ImportError as error:
            _missing(app, point.name, EXTRAS.get(point.module.partition(".")[0], "server"), error)
            continue
        register(app)
    return app


def main() -> None:
    build(sys.argv[1] if len(sys.argv) > 1 else "")()
