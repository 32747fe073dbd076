"""`gapo models`."""

from pathlib import Path
from typing import Annotated

import typer
from gapo_core.bundle import BundleError, load

from gapo_server.config import EMBEDDED, Settings
from gapo_server.scoring.service import ServedModel


def register(app: typer.Typer) -> None:
    group = typer.Typer(no_args_is_help=True, help="List, show and verify bundles.")
    app.add_typer(group, name="models")

    @group.command("list")
    def list_(store: Annotated[Path, typer.Option(help="Folder of bundles.")] = EMBEDDED) -> None:
        """List the bundles of a store."""
        for manifest in sorted(store.glob("[!.]*/[!.]*/manifest.json")):
            typer.echo(f"{manifest.parent.parent.name} {manifest.parent.name}")

    @group.command()
    def verify(bundle: Path) -> None:
        """Check every hash, load the graph and score the golden pair."""
        try:
            ServedModel(load(bundle), Settings())
        except BundleError as error:
            typer.echo(f"error: {error}", err=True)
            raise typer.Exit(1) from None
        typer.echo("ok")

    @group.command()
    def show(bundle: Path) -> None:
        """Print the manifest."""
        typer.echo((bundle / "manifest.json").read_text(encoding="utf-8"))
