"""`gapo serve`."""

from pathlib import Path
from typing import Annotated

import typer
from gapo_core.bundle import BundleError

from gapo_server.app import run
from gapo_server.config import Settings
from gapo_server.engine.base import Device


def register(app: typer.Typer) -> None:
    @app.command()
    def serve(
        store: Annotated[
            Path | None, typer.Option(help="Folder of <model>/<version> bundles; default: the embedded model.")
        ] = None,
        bundle: Annotated[Path | None, typer.Option(help="Serve this one bundle.")] = None,
        host: Annotated[str | None, typer.Option(help="Address to listen on (127.0.0.1).")] = None,
        http_port: Annotated[int | None, typer.Option(help="REST port (8080); 0 takes a free one.")] = None,
        grpc_port: Annotated[int | None, typer.Option(help="gRPC port (8081); 0 takes a free one.")] = None,
        max_batch_tokens: Annotated[int | None, typer.Option(help="Token budget of one batch (16384).")] = None,
        threads: Annotated[int | None, typer.Option(help="Threads of the runtime; 0 lets it choose.")] = None,
        device: Annotated[Device | None, typer.Option(help="Where the model runs (auto).")] = None,
        numa_node: Annotated[int | None, typer.Option(help="Keep process and memory on this NUMA node.")] = None,
    ) -> None:
        """Serve a reward model over REST and gRPC. Every option is also a variable GAPO_… ."""
        given = {key: value for key, value in locals().items() if value is not None}
        try:
            run(Settings(**given))
        except (BundleError, OSError, ValueError) as error:
            typer.echo(f"error: {error}", err=True)
            raise typer.Exit(1) from None
