"""`gapo train baseline`."""

from pathlib import Path
from typing import Annotated

import typer

from gapo_training.baselines import run
from gapo_training.baselines.config import Form, Method, Preference
from gapo_training.gapo.cli import told
from gapo_training.gapo.config import ConfigError, changed, from_mapping


def add_baseline_commands(group: typer.Typer) -> None:
    """Adds `baseline` to `gapo train`."""

    @group.command("baseline")
    def baseline(
        method: Annotated[Method, typer.Argument(help="dpo and kto keep near the generator that they start from.")],
        generator: Annotated[
            Path,
            typer.Option(help="Generator to start from: the sft/ of a run.", exists=True, file_okay=False),
        ],
        data: Annotated[Path, typer.Option(help="Folder with rnnlg/.", exists=True, file_okay=False)],
        out: Annotated[Path, typer.Option(help="Where the generator, checkpoints and metrics go.")],
        preference: Annotated[
            Preference,
            typer.Option(help="prompt: one response, two prompts. response: one prompt, two responses."),
        ] = "prompt",
        form: Annotated[
            Form,
            typer.Option(
                help="masked: the loss is over responses alone. naive: also over the prompts from where they part, as "
                "in a trainer for one shared prompt."
            ),
        ] = "masked",
        set_: Annotated[
            list[str] | None,
            typer.Option("--set", help="key=value, such as steps=800, rows=16, beta=0.2, pairs=2000; repeatable."),
        ] = None,
        resume: Annotated[bool, typer.Option(help="Go on from the last checkpoint in --out.")] = False,
        cpu: Annotated[bool, typer.Option(help="Stay off the GPU.")] = False,
    ) -> None:
        """Train a generator by a preference method on the pairs that GAPO's reward model learns from.

        gapo train baseline dpo --generator runs/laptop/sft --data DATA --out runs/dpo

        gapo eval generator runs/dpo/generator --data DATA
        """
        if any(change.startswith("data.preference=") for change in set_ or []):
            raise typer.BadParameter("data.preference: give it as --preference")
        given = {"method": method, "generator": generator, "preference": preference, "form": form, "cpu": cpu}
        try:
            config = from_mapping(run.BaselineConfig, changed(given, set_ or []))
        except ConfigError as error:
            raise typer.BadParameter(str(error)) from None
        with told():
            folder = run.train(config, data, out, resume)
        typer.echo(f"generator: {folder}")
