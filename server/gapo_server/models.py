"""`gapo models`."""

import json
from pathlib import Path
from typing import Annotated

import typer
from gapo_core.bundle import BundleError, load, read_manifest

from gapo_server.config import EMBEDDED, Settings

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(no_args_is_help=True, help="List, show and verify bundles.")
    app.add_typer(group, name="models")

    @group.command("list")
    def list_(
        store: Annotated[Path, typer.Option(envvar="GAPO_STORE", help="Folder of bundles.")] = EMBEDDED,
        as_json: AsJson = False,
    ) -> None:
        """List the bundles of a store."""
        from gapo_server.store import list_bundles

        found = [{"name": path.parent.name, "version": path.name} for path in list_bundles(store)]
        if as_json:
            typer.echo(json.dumps({"models": found}))
        else:
            for bundle in found:
                typer.echo(f"{bundle['name']} {bundle['version']}")

    @group.command()
    def verify(bundle: Path, as_json: AsJson = False) -> None:
        """Check every hash, load the graph, run a warm-up batch and score the golden pair."""
        from gapo_server.store import ServedModel

        problem = ""
        try:
            ServedModel(load(bundle), Settings(prompt_budget=None, response_budget=None))
        except BundleError as error:
            problem = str(error)
        if as_json:
            typer.echo(json.dumps({"bundle": str(bundle), "ok": not problem, "problem": problem}))
        else:
            typer.echo(f"error: {problem}" if problem else "ok", err=bool(problem))
        if problem:
            raise typer.Exit(1)

    @group.command()
    def show(bundle: Path) -> None:
        """Print the manifest."""
        try:
            typer.echo(read_manifest(bundle / "manifest.json").model_dump_json(indent=2))
        except BundleError as error:
            typer.echo(f"error: {error}", err=True)
            raise typer.Exit(1) from None
