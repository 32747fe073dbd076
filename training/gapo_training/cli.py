"""`gapo train rm`, `gapo data inspect`, `gapo eval rm`."""

import json
from dataclasses import fields
from pathlib import Path
from random import Random
from typing import Annotated, Any

import typer
import yaml
from gapo_core.pairs import PairEncoder
from gapo_model.checkpoint import load_checkpoint
from gapo_model.longformerize import longformerize
from gapo_model.packed_longformer import PackedLongformer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch.utils.tensorboard import SummaryWriter

from gapo_training import natural_errors
from gapo_training.corpora import e2e, rnnlg
from gapo_training.evaluate import report, score
from gapo_training.gapo.cli import add_eval_commands, add_train_commands
from gapo_training.preferential import PreferentialPrompt, augment
from gapo_training.warmup import WarmupConfig
from gapo_training.warmup import train as warm_up

PRESETS = Path(__file__).parent / "presets"
Data = Annotated[Path, typer.Option(help="Folder with rnnlg/ and e2e/.", exists=True, file_okay=False)]


def training_pairs(data: Path, seed: int, rounds: int = 2) -> list[PreferentialPrompt]:
    """Preferential prompts of the training splits, each record augmented `rounds` times, shuffled.

    Restaurant texts that also stand in the evaluation file are left out, so that no response crosses.
    """
    held_out = {p.response.strip() for p in natural_errors.read(data / "e2e/devel-fixed.no-ol.csv", 0)}
    valid = {r.text for r in rnnlg.read(data / "rnnlg", "valid")}
    records = [r for r in rnnlg.read(data / "rnnlg", "train") if r.text not in valid]
    records += [r for r in e2e.read(data / "e2e/train-filtered.csv") if r.text not in held_out]
    pairs = [pair for number in range(rounds) for pair in augment(records, seed + number)]
    Random(seed).shuffle(pairs)
    return pairs


def configured(config: str, changes: list[str]) -> WarmupConfig:
    """A preset's name or a YAML file, with `key=value` changes. Raises `typer.BadParameter`."""
    file = PRESETS / f"{config}.yaml" if (PRESETS / f"{config}.yaml").exists() else Path(config)
    if not file.exists():
        raise typer.BadParameter(
            f"{config!r} is neither a preset ({', '.join(sorted(p.stem for p in PRESETS.glob('*.yaml')))}) nor a file"
        )
    settings: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
    for change in changes:
        key, separator, value = change.partition("=")
        if not separator:
            raise typer.BadParameter(f"--set {change!r}: write key=value")
        settings[key] = yaml.safe_load(value)
    known = {f.name for f in fields(WarmupConfig)}
    if unknown := sorted(set(settings) - known):
        raise typer.BadParameter(f"unknown setting {unknown[0]!r}; known are {', '.join(sorted(known))}")
    return WarmupConfig(**settings)


def _model(start: Path) -> PackedLongformer:
    kind = json.loads((start / "config.json").read_text(encoding="utf-8")).get("model_type")
    return load_checkpoint(start) if kind == "longformer" else longformerize(start)


def register_train(app: typer.Typer) -> None:
    group = typer.Typer(no_args_is_help=True, help="Train reward models.")
    app.add_typer(group, name="train")
    add_train_commands(group)

    @group.callback()
    def _train() -> None:
        """Train reward models."""

    @group.command()
    def rm(
        data: Data,
        start: Annotated[Path, typer.Option(help="BERT or Longformer checkpoint to start from.", exists=True)],
        out: Annotated[Path, typer.Option(help="Where checkpoints and logs go.")],
        config: Annotated[str, typer.Option(help="Preset (mini, paper) or YAML file.")] = "mini",
        set_: Annotated[list[str] | None, typer.Option("--set", help="key=value; repeatable.")] = None,
        resume: Annotated[bool, typer.Option(help="Go on from the last checkpoint in --out.")] = False,
    ) -> None:
        """Warm up the reward model on preferential prompts (BCE)."""
        settings = configured(config, set_ or [])
        pairs = training_pairs(data, settings.seed)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns) as bar, SummaryWriter(str(out / "tensorboard")) as board:
            task = bar.add_task("warm-up", total=settings.steps)

            def progress(step: int, loss: float) -> None:
                bar.update(task, completed=step, description=f"warm-up, loss {loss:.3f}")
                board.add_scalar("loss", loss, step)

            warm_up(_model(start), start / "tokenizer.json", pairs, settings, out, resume, progress)
        typer.echo(f"checkpoint: {out / 'checkpoint'}")


def register_data(app: typer.Typer) -> None:
    group = typer.Typer(no_args_is_help=True, help="Preferential-prompt data.")
    app.add_typer(group, name="data")

    @group.callback()
    def _data() -> None:
        """Preferential-prompt data."""

    @group.command()
    def inspect(data: Data, seed: int = 0, show: int = 5) -> None:
        """Print how many pairs a corpus gives, and some of them as JSON lines."""
        pairs = training_pairs(data, seed)
        typer.echo(f"{len(pairs)} pairs", err=True)
        for pair in pairs[:show]:
            typer.echo(json.dumps(pair.__dict__, ensure_ascii=False))


def evaluation_sets(data: Path, seed: int = 0) -> dict[str, list[PreferentialPrompt]]:
    """Held-out pairs in wordings that training never saw."""
    return {
        "laptop_tv_valid": augment(rnnlg.read(data / "rnnlg", "valid"), seed, evaluation=True),
        "restaurant_natural_errors": natural_errors.read(data / "e2e/devel-fixed.no-ol.csv", seed),
    }


def register_eval(app: typer.Typer) -> None:
    group = typer.Typer(no_args_is_help=True, help="Evaluate.")
    app.add_typer(group, name="eval")
    add_eval_commands(group)

    @group.callback()
    def _eval() -> None:
        """Evaluate."""

    @group.command("rm")
    def rm(
        checkpoint: Annotated[Path, typer.Argument(help="Checkpoint folder.", exists=True, file_okay=False)],
        data: Data,
        seed: int = 0,
    ) -> None:
        """Held-out pair accuracy, label accuracy and AUROC, beside the artefact baselines; JSON on stdout."""
        model = load_checkpoint(checkpoint)
        encoder = PairEncoder(checkpoint / "tokenizer.json", model.shape.max_tokens)
        sets = evaluation_sets(data, seed)
        figures = {n: report(pairs, lambda texts: score(model, encoder, texts)) for n, pairs in sets.items()}
        typer.echo(json.dumps(figures, indent=2))
