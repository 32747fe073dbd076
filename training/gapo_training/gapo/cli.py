"""`gapo train gapo`, `gapo train sft` and `gapo eval generator`."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from gapo import GapoError
from gapo_core.bundle import BundleError
from gapo_core.pairs import PairEncoder

from gapo_training.corpora.record import CorpusError
from gapo_training.distributed import accelerator_of, finish
from gapo_training.gapo import config as settings
from gapo_training.gapo import provenance, start, tasks
from gapo_training.gapo import reward_model as reward_models
from gapo_training.gapo.checkpoint_judgement import judge_checkpoint
from gapo_training.gapo.evaluation import judge_discrimination, judge_pairs, kept
from gapo_training.gapo.folders import check_generator, check_reward_model
from gapo_training.gapo.journal import Journal
from gapo_training.gapo.plan import describe
from gapo_training.gapo.ppo import TrainingStopped
from gapo_training.gapo.reward import ModuleReward
from gapo_training.gapo.stages import run
from gapo_training.preferential import augment

Data = Annotated[Path, typer.Option(help="Folder with rnnlg/.", exists=True, file_okay=False)]
Out = Annotated[Path, typer.Option(help="Where checkpoints, metrics and bundles go.")]
Config = Annotated[str, typer.Option(help="Preset (laptop, smoke, paper) or YAML file.")]
Set = Annotated[list[str] | None, typer.Option("--set", help="part.key=value; repeatable.")]
Resume = Annotated[bool, typer.Option(help="Go on from the last checkpoint in --out.")]
Cpu = Annotated[bool, typer.Option(help="Stay off the GPU.")]


def _read(config: str, changes: list[str] | None) -> settings.GapoConfig:
    try:
        return settings.read(config, changes or [])
    except settings.ConfigError as error:
        raise typer.BadParameter(str(error)) from None


@contextmanager
def told() -> Iterator[None]:
    """Why a run cannot begin or go on, in one line instead of a traceback."""
    try:
        yield
    except (
        settings.ConfigError,
        CorpusError,
        TrainingStopped,
        FloatingPointError,
        GapoError,
        BundleError,
        OSError,
    ) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from None


def add_train_commands(group: typer.Typer) -> None:
    """Adds `gapo` and `sft` to `gapo train`."""

    @group.command("gapo")
    def gapo(
        data: Data,
        out: Out,
        config: Config = "laptop",
        set_: Set = None,
        resume: Resume = False,
        cpu: Cpu = False,
        dry_run: Annotated[bool, typer.Option(help="Print the plan and the expected memory, and stop.")] = False,
    ) -> None:
        """Adversarial training of generator and reward model: SFT, warm-up, then stages A1 … An."""
        chosen = _read(config, set_)
        with told():
            if dry_run:
                typer.echo(describe(chosen))
                return
            run(chosen, data, out, resume, cpu)
        finish()

    @group.command("sft")
    def sft(
        data: Data, out: Out, config: Config = "laptop", set_: Set = None, resume: Resume = False, cpu: Cpu = False
    ) -> None:
        """Supervised start alone; give its folder to other runs with --set generator.path=OUT/sft --set sft.steps=0."""
        chosen = _read(config, set_)
        with told():
            accelerator = accelerator_of(chosen.mixed_precision, cpu)
            chosen.sft.for_processes(accelerator.num_processes, chosen.sft.rows)
            provenance.admit(accelerator, out, chosen, resume)
            corpus = tasks.load(data, chosen.data, chosen.seed)
            with Journal(out, accelerator.is_main_process, resume, chosen.tracker, chosen.as_dict()) as journal:
                if accelerator.is_main_process:
                    provenance.write(out, chosen, corpus, accelerator.num_processes)
                folder = start.supervised_generator(accelerator, chosen, corpus, out, journal, resume)
        if accelerator.is_main_process:
            typer.echo(f"checkpoint: {folder}")
        finish()


def add_eval_commands(group: typer.Typer) -> None:
    """Adds `generator` to `gapo eval`."""

    @group.command("generator")
    def generator_(
        checkpoint: Annotated[Path, typer.Argument(help="Generator folder.", exists=True, file_okay=False)],
        data: Data,
        config: Config = "laptop",
        set_: Set = None,
        reward_model: Annotated[
            Path | None, typer.Option(help="Checkpoint or fp32 bundle whose scores stand beside.")
        ] = None,
        temperature: Annotated[float, typer.Option(help="0 decodes greedily.")] = 0.0,
        seed: int = 0,
    ) -> None:
        """Rule-checked satisfaction on held-out prompts; JSON on stdout."""
        chosen = _read(config, set_)
        with told():
            check_generator(checkpoint, "CHECKPOINT")
            if reward_model:
                check_reward_model(reward_model, "--reward-model")
            corpus = tasks.load(data, chosen.data, chosen.seed)
            figures, texts = judge_checkpoint(checkpoint, chosen, corpus, temperature, seed)
            if reward_model:
                judge_model = reward_models.load(reward_model, "--reward-model")
                encoder = PairEncoder(reward_model / "tokenizer.json", judge_model.shape.max_tokens)
                outputs = [(task.prompt, text) for task, text in zip(corpus.held_out, texts, strict=True)]
                verdicts = [kept(task, text, corpus) for task, text in zip(corpus.held_out, texts, strict=True)]
                pairs = augment(corpus.held_out_records, 0, pool=corpus.pool)[: chosen.data.rm_pairs]
                scorer = ModuleReward(judge_model, encoder).score
                figures |= judge_pairs(scorer, pairs) | judge_discrimination(scorer(outputs), verdicts)
        typer.echo(json.dumps(figures, indent=2))
