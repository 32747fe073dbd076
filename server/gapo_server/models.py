"""`gapo models`: what a store holds, whether it is sound, and which version is served."""

import json
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from gapo_core.bundle import BundleError, load, read_manifest
from gapo_core.store import check_place, list_bundles, promote, promoted

from gapo_server import EMBEDDED
from gapo_server.config import from_environment
from gapo_server.engine.base import DeviceUnavailable

Store = Annotated[Path, typer.Option(envvar="GAPO_STORE", help="Folder of bundles; default: the embedded model's.")]
Which = Annotated[str, typer.Argument(metavar="BUNDLE", help="NAME/VERSION in the store, or a bundle's folder.")]
Promoted = Annotated[str, typer.Argument(metavar="BUNDLE", help="NAME/VERSION in the store.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(no_args_is_help=True, help="List, show, verify and promote bundles.")
    app.add_typer(group, name="models")

    @group.command("list")
    def list_(store: Store = EMBEDDED, as_json: AsJson = False) -> None:
        """List the bundles of a store; the default of each model is the one that is served."""
        if not store.is_dir():
            _fail(f"{store}: this folder does not exist; give --store a folder of <model>/<version> bundles")
        newest = {path.parent: path for path in list_bundles(store)}
        served, problems = set(), []
        for home, path in newest.items():
            try:
                default = promoted(home) or path
                check_place(default, read_manifest(default / "manifest.json"))
                served.add(default)
            except BundleError as error:
                problems.append(str(error))
        rows = [_row(path, path in served) for path in list_bundles(store)]
        if as_json:
            typer.echo(json.dumps({"models": rows}))
        else:
            for row in rows:
                mark = "default" if row["default"] else ""
                typer.echo(f"{row['name']} {row['version']} {row['precision']} {row['max_tokens']} {mark}".rstrip())
        if problems:
            _fail("\nerror: ".join(problems))

    @group.command()
    def show(bundle: Which, store: Store = EMBEDDED) -> None:
        """Print the manifest."""
        try:
            typer.echo(read_manifest(_find(bundle, store) / "manifest.json").model_dump_json(indent=2))
        except BundleError as error:
            _fail(str(error))

    @group.command()
    def verify(bundle: Which, store: Store = EMBEDDED, as_json: AsJson = False) -> None:
        """Check every hash, load the graph, run a warm-up batch and score the golden pair."""
        from gapo_server.store import ServedModel  # the runtime is loaded by those who run a graph

        path, problem = _find(bundle, store), ""
        try:
            settings = from_environment(prompt_budget=None, response_budget=None)
        except ValueError as error:
            _fail(str(error))
        try:
            ServedModel(load(path), settings)
        except (BundleError, DeviceUnavailable) as error:
            problem = str(error)
        if as_json:
            typer.echo(json.dumps({"bundle": str(path), "ok": not problem, "problem": problem}))
        else:
            typer.echo(f"error: {problem}" if problem else "ok", err=bool(problem))
        if problem:
            raise typer.Exit(1)

    @group.command("promote")
    def promote_(bundle: Promoted, store: Store = EMBEDDED) -> None:
        """Make NAME/VERSION the version that servers of this store serve from their next start on."""
        name, _, version = bundle.partition("/")
        if not name or not version or "/" in version:
            _fail(
                f"{bundle}: is not NAME/VERSION, a bundle in the store {store}; a folder elsewhere cannot be promoted"
            )
        try:
            path = promote(store, name, version)
        except (BundleError, OSError) as error:
            _fail(str(error))
        typer.echo(str(path))


def _find(bundle: str, store: Path) -> Path:
    """The folder in the store, or else the path as given."""
    return store / bundle if (store / bundle / "manifest.json").is_file() else Path(bundle)


def _row(path: Path, is_default: bool) -> dict[str, Any]:
    row: dict[str, Any] = {"name": path.parent.name, "version": path.name, "default": is_default}
    try:
        manifest = read_manifest(path / "manifest.json")
    except BundleError as error:
        return row | {"precision": "unreadable", "max_tokens": 0, "created_at": "", "problem": str(error)}
    row |= {"precision": manifest.precision, "max_tokens": manifest.architecture.max_tokens}
    row |= {"created_at": manifest.created_at, "problem": ""}
    try:
        check_place(path, manifest)
    except BundleError as error:
        row["problem"] = str(error)
    return row


def _fail(message: str) -> NoReturn:
    typer.echo(f"error: {message}", err=True)
    raise typer.Exit(1)
