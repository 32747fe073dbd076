"""The `gapo` program: its commands come from the entry-point group `gapo.commands`."""

import sys
from importlib.metadata import entry_points, version

import typer
from rich.markup import escape

EXTRAS = {"gapo_core": "core", "gapo_server": "server", "gapo_training": "training", "gapo_export": "export"}


class Application(typer.Typer):
    """The root; its groups are shared by the packages that put commands into them."""

    def group(self, name: str, help: str) -> typer.Typer:
        """The group of this name, made when it is first asked for."""
        for info in self.registered_groups:
            if info.name == name and info.typer_instance is not None:
                return info.typer_instance
        made = typer.Typer(no_args_is_help=True, help=help)
        made.callback(help=help)(lambda: None)  # with a callback, a lone command keeps its name
        self.add_typer(made, name=name)
        return made


def _missing(app: Application, path: str, extra: str, cause: ImportError) -> None:
    """In place of a command that cannot be imported: one that says what to install."""
    group, _, name = path.rpartition(".")
    place = app.group(group, f"{group.capitalize()}.") if group else app

    needs = escape(f"(needs: pip install 'gapo[{extra}]')")  # or rich takes the extra for a style

    @place.command(name, help=needs, context_settings={"ignore_unknown_options": True})
    def command(arguments: list[str] = typer.Argument(None)) -> None:
        typer.echo(f"error: {cause}; `gapo {path.replace('.', ' ')}` needs: pip install 'gapo[{extra}]'", err=True)
        raise typer.Exit(1)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"gapo {version('gapo')}")
        raise typer.Exit


def build(only: str = "") -> Application:
    """The program with the commands of all installed packages, or with the one or the group that was asked for:
    others may take seconds to import. An entry point is named as its command is called, `serve`, or `eval.rm` within a
    group; what it points to is called with the application."""
    app = Application(no_args_is_help=True, help="GAPO: a reward model that understands constraints.")

    @app.callback()
    def _root(
        show_version: bool = typer.Option(False, "--version", is_eager=True, callback=_version, help="The version."),
    ) -> None:
        """GAPO: train, export, serve and ask a reward model that understands constraints."""

    found = [] if only == "--version" else entry_points(group="gapo.commands")
    points = sorted(found, key=lambda point: point.name)
    for point in [point for point in points if point.name.partition(".")[0] == only] or points:
        try:
            register = point.load()
        except ImportError as error:
            _missing(app, point.name, EXTRAS.get(point.module.partition(".")[0], "server"), error)
            continue
        register(app)
    return app


def main() -> None:
    build(sys.argv[1] if len(sys.argv) > 1 else "")()
