"""`gapo train rm`, `gapo data build|inspect`, `gapo eval rm`."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, cast

import typer
from gapo.cli import Application
from gapo_core.bundle import BundleError
from gapo_core.pairs import PairEncoder
from gapo_export.recover import is_bundle, model_of
from gapo_model.checkpoint import load_checkpoint, save_checkpoint
from gapo_model.longformerize import longformerize
from gapo_model.packed_longformer import PackedLongformer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch.utils.tensorboard import SummaryWriter

from gapo_training import splits
from gapo_training.baselines.cli import add_baseline_commands
from gapo_training.calibrate import calibrate
from gapo_training.corpora import pairs_file
from gapo_training.discriminator import one_logit
from gapo_training.distributed import accelerator_of, finish
from gapo_training.evaluate import report, score
from gapo_training.gapo.cli import add_eval_commands, add_train_commands, told
from gapo_training.gapo.config import ConfigError, changed, from_mapping, settings_of
from gapo_training.gapo.provenance import refuse_mixing
from gapo_training.preferential import PreferentialPrompt
from gapo_training.soup import average
from gapo_training.surroundings import SHORTEST, surrounded
from gapo_training.warmup import WarmupConfig
from gapo_training.warmup import train as warm_up

PRESETS = Path(__file__).parent / "presets"
RESUMABLE = ("steps", "learning_rate", "clip_norm", "evaluate_every", "checkpoint_every")
"""What a resumed `gapo train rm` may change."""
DATA_HELP = "Folder with rnnlg/ and e2e/."
Data = Annotated[Path, typer.Option(help=DATA_HELP, exists=True, file_okay=False)]


def configured(config: str, changes: list[str]) -> WarmupConfig:
    """A preset's name or a YAML file, with `key=value` changes. Raises `typer.BadParameter`."""
    file = PRESETS / f"{config}.yaml" if (PRESETS / f"{config}.yaml").exists() else Path(config)
    if not file.exists():
        raise typer.BadParameter(
            f"{config!r} is neither a preset ({', '.join(sorted(p.stem for p in PRESETS.glob('*.yaml')))}) nor a file"
        )
    try:
        settings = from_mapping(WarmupConfig, changed(settings_of(file), changes))
    except ConfigError as error:
        raise typer.BadParameter(str(error)) from None
    if not settings.steps:
        raise typer.BadParameter("steps: 0 train nothing; use 1 or more")
    return settings


def _model(start: Path, fresh_head: bool = False) -> PackedLongformer:
    """A checkpoint's or a bundle's module. Raises `typer.BadParameter`."""
    try:
        if is_bundle(start):
            return model_of(start)
        kind = json.loads((start / "config.json").read_text(encoding="utf-8")).get("model_type")
        if kind == "longformer" or not fresh_head:
            return one_logit(load_checkpoint(start, fresh_head=fresh_head))
        return longformerize(start)
    except (BundleError, OSError, ValueError) as error:
        raise typer.BadParameter(str(error)) from None


def register_train(app: Application) -> None:
    group = app.group("train", "Train reward models and generators.")
    add_train_commands(group)
    add_baseline_commands(group)

    @group.command()
    def rm(
        start: Annotated[
            Path, typer.Option(help="BERT or Longformer checkpoint, or fp32 bundle, to start from.", exists=True)
        ],
        out: Annotated[Path, typer.Option(help="Where checkpoints and logs go.")],
        data: Annotated[Path | None, typer.Option(help=DATA_HELP, exists=True, file_okay=False)] = None,
        pairs: Annotated[
            Path | None, typer.Option("--pairs", help="Pairs of your own, one JSON object a line.", exists=True)
        ] = None,
        config: Annotated[str, typer.Option(help="Preset (mini, paper) or YAML file.")] = "mini",
        set_: Annotated[list[str] | None, typer.Option("--set", help="key=value; repeatable.")] = None,
        long: Annotated[
            float, typer.Option(min=0, max=1, help="With --data: share of responses put among texts of other topics.")
        ] = 0.0,
        most_words: Annotated[int, typer.Option(min=SHORTEST, help="Longest such response.")] = 250,
        resume: Annotated[bool, typer.Option(help="Go on from the last checkpoint in --out.")] = False,
    ) -> None:
        """Warm up the reward model on preferential prompts (BCE)."""
        settings = configured(config, set_ or [])
        if (out / "training_state.pt").exists() and not resume:
            raise typer.BadParameter(f"out: {out} holds a run already; go on with --resume or choose another folder")
        if (data is None) == (pairs is None):
            raise typer.BadParameter("give either --data or --pairs")
        origin = {"start": start, "data": data, "pairs": pairs, "long": long, "most_words": most_words}
        with told():
            _as_begun(out, settings, origin)
        if pairs and long:
            raise typer.BadParameter("--long: goes with --data; pairs of your own are taken as they are")
        # 1.4 tokens a word in these corpora, and a prompt: what is asked must not be in a part that is cut out.
        if long and (needed := 3 * most_words // 2 + 128) > settings.max_tokens:
            raise typer.BadParameter(f"most_words: {most_words} words may not fit; give --set max_tokens={needed}")
        with told(), Console(stderr=True).status("reading and drawing preferential prompts"):
            drawn, held_out = splits.pairs_of(data, settings.seed) if data else _from_file(cast(Path, pairs))
            drawn = surrounded(drawn, long, most_words, settings.seed)
        model = _model(start, fresh_head=True)
        accelerator = accelerator_of("no", cpu=False)
        first = accelerator.is_main_process
        _encoder(start, settings.max_tokens)
        try:
            settings.for_processes(accelerator.num_processes)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from None
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with (
            told(),
            Progress(*columns, console=Console(stderr=True), disable=not first) as bar,
            SummaryWriter(str(out / "tensorboard")) as board,
        ):
            task = bar.add_task("warm-up", total=settings.steps)

            def progress(step: int, loss: float) -> None:
                bar.update(task, completed=step, description=f"warm-up, loss {loss:.3f}")
                board.add_scalar("loss", loss, step)

            def evaluated(step: int, figures: dict[str, float]) -> None:
                bar.console.print(f"step {step}: {_sentence(figures)}")
                for name, figure in figures.items():
                    board.add_scalar(f"held_out/{name}", figure, step)

            tokenizer = start / "tokenizer.json"
            if first:
                (out / "run.json").write_text(json.dumps(origin, default=str, indent=2) + "\n", encoding="utf-8")
                # Of weights that are trained further; its end fits another.
                (out / "checkpoint" / "calibration.json").unlink(missing_ok=True)
            warm_up(accelerator, model, tokenizer, drawn, settings, out, resume, progress, held_out, evaluated)
        if first:
            _calibrated(model, _encoder(start, model.shape.max_tokens), held_out, out / "checkpoint")
        finish()

    @group.command("average")
    def average_(
        models: Annotated[
            list[Path], typer.Argument(help="Checkpoints or fp32 bundles that share a start.", exists=True)
        ],
        out: Annotated[Path, typer.Option(help="Where the averaged checkpoint goes.")],
        data: Annotated[Path, typer.Option(help=f"{DATA_HELP} Its held-out pairs calibrate.", exists=True)],
        seed: int = 0,
    ) -> None:
        """Average the weights of reward models: often better on unfamiliar prompts than each of them."""
        if len(models) < 2:
            raise typer.BadParameter("models: name two or more")
        try:
            made = average([_model(path) for path in models])
        except ValueError as error:
            raise typer.BadParameter(f"models: {error}") from None
        tokenizer = models[0] / "tokenizer.json"
        encoder = _encoder(models[0], made.shape.max_tokens)
        save_checkpoint(made, out / "checkpoint", tokenizer.read_text(encoding="utf-8"))
        with told(), Console(stderr=True).status("drawing held-out pairs"):
            held_out = splits.held_out_of(data, seed)
        _calibrated(made, encoder, held_out, out / "checkpoint")


def _as_begun(out: Path, settings: WarmupConfig, origin: Mapping[str, object]) -> None:
    """Raises `ConfigError` where the run in `out` was begun with other settings or from something else."""
    for name, wanted in (("config.json", asdict(settings)), ("run.json", origin)):
        if (out / name).exists():
            begun = json.loads((out / name).read_text(encoding="utf-8"))
            refuse_mixing(
                out, begun, wanted, ("steps", "learning_rate", "clip_norm", "evaluate_every", "checkpoint_every")
            )


def _encoder(folder: Path, max_tokens: int) -> PairEncoder:
    """With the tokenizer of a checkpoint or bundle. Raises `typer.BadParameter`."""
    try:
        return PairEncoder(folder / "tokenizer.json", max_tokens)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def _calibrated(
    model: PackedLongformer, encoder: PairEncoder, held_out: list[PreferentialPrompt], checkpoint: Path
) -> None:
    """Says where the checkpoint is, calibrated or not: hours of training end here."""
    typer.echo(f"checkpoint: {checkpoint}")
    try:
        with Console(stderr=True).status("calibrating on held-out pairs"):
            calibrate(model, encoder, held_out, checkpoint)
    except ValueError as error:
        typer.echo(f"error: it is not calibrated, so probabilities would be the plain logistic's: {error}", err=True)
        raise typer.Exit(1) from None


def _from_file(file: Path) -> tuple[list[PreferentialPrompt], list[PreferentialPrompt]]:
    try:
        return splits.by_text(pairs_file.read(file), lambda pair: pair.response)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def _sentence(figures: dict[str, float]) -> str:
    shown = ("pair_accuracy", "label_accuracy", "auroc", "pair_accuracy_flags", "pair_accuracy_paraphrased")
    return ", ".join(f"{name} {figures[name]:.4f}" for name in shown if name in figures)


def register_data(app: Application) -> None:
    group = app.group("data", "Preferential-prompt data.")

    @group.command()
    def inspect(data: Data, seed: int = 0, show: int = 5) -> None:
        """Print how many pairs a corpus gives, and some of them as JSON lines."""
        with told():
            pairs = splits.pairs_of(data, seed)[0]
        typer.echo(f"{len(pairs)} pairs", err=True)
        for pair in pairs[:show]:
            typer.echo(json.dumps(asdict(pair), ensure_ascii=False))

    @group.command()
    def build(
        data: Data,
        out: Annotated[Path, typer.Option(help="JSON lines.")],
        seed: int = 0,
        held_out: Annotated[bool, typer.Option(help="The pairs held out of training instead.")] = False,
    ) -> None:
        """Draw the preferential prompts of a corpus, for `gapo train rm --pairs` or `gapo export --pairs`."""
        with told(), Console(stderr=True).status("reading and drawing preferential prompts"):
            out.parent.mkdir(parents=True, exist_ok=True)  # before the long work
            pairs = splits.held_out_of(data, seed) if held_out else splits.pairs_of(data, seed)[0]
            pairs_file.write(pairs, out)
        typer.echo(f"{len(pairs)} pairs in {out}", err=True)


def register_eval(app: Application) -> None:
    group = app.group("eval", "Evaluate.")
    add_eval_commands(group)

    @group.command("rm")
    def rm(
        checkpoint: Annotated[Path, typer.Argument(help="Checkpoint or fp32 bundle.", exists=True, file_okay=False)],
        data: Data,
        seed: int = 0,
    ) -> None:
        """Held-out pair accuracy, label accuracy and AUROC, beside the artefact baselines; JSON on stdout."""
        model = _model(checkpoint)
        encoder = _encoder(checkpoint, model.shape.max_tokens)
        with told():
            sets = splits.evaluation_sets(data, seed)
        figures = {n: report(pairs, lambda texts: score(model, encoder, texts)) for n, pairs in sets.items()}
        typer.echo(json.dumps(figures, indent=2))
