"""`gapo export`."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from gapo_core.bundle import MAX_TOKENS, BundleError
from gapo_core.pairs import TruncationPolicy

from gapo_export.target import Precision, Target


def register(app: typer.Typer) -> None:
    @app.command("export")
    def export(
        checkpoint: Annotated[Path, typer.Argument(help="Checkpoint folder.", exists=True, file_okay=False)],
        out: Annotated[Path, typer.Option(envvar="GAPO_OUT", help="Store: the result is <out>/<name>/<version>.")],
        name: Annotated[str, typer.Option(envvar="GAPO_NAME", help="Model name.")] = "gapo",
        version: Annotated[str, typer.Option(envvar="GAPO_VERSION", help="Model version.")] = "1",
        target: Annotated[
            Target, typer.Option(envvar="GAPO_TARGET", help="What runs it; triton: the store is its repository too.")
        ] = Target.CPU,
        max_tokens: Annotated[
            int | None,
            typer.Option(
                envvar="GAPO_MAX_TOKENS",
                min=6,
                max=MAX_TOKENS,
                help="Longest input, special tokens included; beyond the checkpoint's limit its positions are tiled.",
            ),
        ] = None,
        truncation: Annotated[
            TruncationPolicy,
            typer.Option(envvar="GAPO_TRUNCATION", help="For pairs that are too long; a request may say otherwise."),
        ] = TruncationPolicy.ERROR,
        precision: Annotated[
            Precision, typer.Option(envvar="GAPO_PRECISION", help="Arithmetic; one below fp32 is accepted on --pairs.")
        ] = Precision.FP32,
        pairs: Annotated[
            Path | None,
            typer.Option(
                envvar="GAPO_PAIRS", exists=True, dir_okay=False, help="Real pairs, JSON lines of `gapo data`."
            ),
        ] = None,
        half_weights: Annotated[bool, typer.Option(help="Store weights as fp16; compute in fp32.")] = False,
        quality: Annotated[Path | None, typer.Option(help="JSON of `gapo eval rm` for the manifest.")] = None,
    ) -> None:
        """Export a reward-model checkpoint (Longformer), or a generator's (any causal language model)."""
        try:
            options = {
                "target": target,
                "max_tokens": max_tokens,
                "truncation": truncation,
                "precision": precision,
                "pairs": pairs,
                "half_weights": half_weights,
                "quality": _quality(quality) if quality else None,
            }
            path = _export(checkpoint, out, name, version, options)
        except (BundleError, OSError, ValueError) as error:
            typer.echo(f"error: {error}", err=True)
            raise typer.Exit(1) from None
        typer.echo(str(path))


def _quality(path: Path) -> Any:
    return _object(path, f"--quality {path}", "give the JSON of `gapo eval rm`")


def _object(file: Path, called: str, remedy: str) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BundleError(f"{called}: {error}; {remedy}") from error
    if not isinstance(found, dict):
        raise BundleError(f"{called}: is no JSON object; {remedy}")
    return found


def _export(checkpoint: Path, out: Path, name: str, version: str, options: dict[str, Any]) -> Path:
    """`options` are those of `export_checkpoint`; a generator takes none of them."""
    file = checkpoint / "config.json"
    config = _object(file, str(file), "give a Hugging Face checkpoint folder")
    # torch and optimum take seconds to load: not for `gapo --help`.
    if config.get("model_type") == "longformer":
        from gapo_export.publish import export_checkpoint

        return export_checkpoint(checkpoint, out, name, version, **options)
    try:
        from gapo_export.generator import export_generator, is_generator
    except ImportError as error:
        raise BundleError(f"{error}; what is no Longformer needs: pip install 'gapo[export]'") from error

    if not is_generator(config):
        raise BundleError(
            f"{file}: model_type {config.get('model_type')!r} with architectures "
            f"{config.get('architectures')} is neither a Longformer nor a causal language model"
        )
    plain = (None, False, Target.CPU, Target.CUDA, TruncationPolicy.ERROR, Precision.FP32)
    given = [f"--{option.replace('_', '-')}" for option, value in options.items() if value not in plain]
    if given:
        raise BundleError(
            f"a generator is exported in fp32 for cpu or cuda, with its own length: leave out {', '.join(given)}"
        )
    return export_generator(checkpoint, out, name, version)
