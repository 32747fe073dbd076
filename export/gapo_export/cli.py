"""`gapo export`."""

import json
from pathlib import Path
from typing import Annotated

import typer
from gapo_core.bundle import BundleError

from gapo_export.publish import export_checkpoint


def register(app: typer.Typer) -> None:
    @app.command("export")
    def export(
        checkpoint: Annotated[Path, typer.Argument(help="Checkpoint folder.", exists=True, file_okay=False)],
        out: Annotated[Path, typer.Option(help="Store: the bundle becomes <out>/<name>/<version>.")],
        name: Annotated[str, typer.Option(help="Model name.")] = "gapo",
        version: Annotated[str, typer.Option(help="Model version.")] = "1",
        half_weights: Annotated[bool, typer.Option(help="Store weights as fp16; compute in fp32.")] = False,
        quality: Annotated[Path | None, typer.Option(help="JSON of `gapo eval rm` for the manifest.")] = None,
    ) -> None:
        """Export a reward-model checkpoint to a validated fp32 bundle."""
        figures = json.loads(quality.read_text(encoding="utf-8")) if quality else {}
        try:
            path = export_checkpoint(checkpoint, out, name, version, half_weights, figures)
        except BundleError as error:
            typer.echo(f"error: {error}", err=True)
            raise typer.Exit(1) from None
        typer.echo(str(path))
