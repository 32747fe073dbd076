"""`gapo serve`: its options are the fields of `Settings`."""

import inspect
import os
from typing import Annotated, Any, Literal, get_args, get_origin

import typer
from gapo_core.bundle import BundleError
from pydantic import SecretStr, ValidationError

from gapo_server import EMBEDDED
from gapo_server.config import Settings


def _parameter(name: str) -> inspect.Parameter:
    """The field as a typer option with its description, default and variable."""
    field = Settings.model_fields[name]
    kind: Any = field.annotation
    if kind == SecretStr | None:
        kind = str | None
    elif get_origin(kind) is Literal:
        kind = type(get_args(kind)[0])
    shown = field.default not in (None, EMBEDDED)
    option = typer.Option(help=field.description, envvar=f"GAPO_{name.upper()}", show_default=shown)
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=field.default, annotation=Annotated[kind, option]
    )


def register(app: typer.Typer) -> None:
    def serve(**options: Any) -> None:
        """Serve a reward model over REST and gRPC. Every option is also a variable GAPO_… ."""
        try:
            from gapo_server.app import run  # the runtime is loaded by those who serve, not by `gapo --help`
        except ImportError as error:
            typer.echo(f"error: {error}; `gapo serve` needs: pip install 'gapo[server]'", err=True)
            raise typer.Exit(1) from None

        if options["api_key"] is None:  # click takes an empty variable for none, and would open the server
            options["api_key"] = os.environ.get("GAPO_API_KEY")
        try:
            run(Settings(**options))
        except ValidationError as error:
            first = error.errors()[0]
            flag = str(first["loc"][0]).replace("_", "-")
            typer.echo(f"error: --{flag}: {first['msg']}", err=True)
            raise typer.Exit(2) from None
        except (BundleError, OSError, ValueError) as error:
            typer.echo(f"error: {error}", err=True)
            raise typer.Exit(1) from None

    parameters = [_parameter(name) for name in Settings.model_fields]
    serve.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    serve.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters} | {"return": None}
    app.command()(serve)
