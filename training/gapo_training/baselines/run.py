"""A baseline run: preferences, one method's steps from the supervised generator, and the generator's folder."""

import os
import shutil
from dataclasses import replace
from pathlib import Path

from transformers import PrinterCallback

from gapo_training.baselines import encoding
from gapo_training.baselines.config import BaselineConfig
from gapo_training.baselines.record import Record, last_checkpoint
from gapo_training.gapo import generator, provenance, tasks
from gapo_training.gapo.config import ConfigError, settings_of
from gapo_training.gapo.folders import check_generator
from gapo_training.gapo.journal import Journal
from gapo_training.gapo.preferences import preferences_of

__all__ = ["BaselineConfig", "train"]


def train(config: BaselineConfig, data: Path, out: Path, resume: bool = False) -> Path:
    """Trains and returns the generator's folder `out`/generator, for `gapo eval generator`.

    `out` also gets metrics.jsonl, tensorboard/, config.yaml and run.json. With `resume` a run goes on from its last
    whole checkpoint, or from the start where it has none; a finished one is kept. One process, one device.
    Raises `ConfigError`, and `FloatingPointError` when a loss is not finite.
    """
    folder, states = out / "generator", out / "trainer"
    _check(config, out, resume)
    if resume and folder.exists():
        return folder
    try:
        from gapo_training.baselines import trainers
    except ModuleNotFoundError as error:
        if error.name not in ("trl", "datasets"):
            raise
        raise ConfigError("method: needs TRL; pip install 'gapo[baselines]' (Python 3.11 or newer)") from None
    corpus = tasks.load(data, config.data, config.seed)
    (model, speech), (reference, _) = generator.load(config.generator), generator.load(config.generator)
    drawn = preferences_of(corpus, replace(config.data, preference=config.preference), config.seed)
    pairs = drawn[: config.pairs or None]
    if len(pairs) < config.rows:
        raise ConfigError(f"rows: {config.rows} is more than the {len(pairs)} pairs of the data; use fewer")
    both = encoding.encode(pairs, speech, config, model.config.max_position_embeddings)
    with Journal(out, active=True, resume=resume) as journal:
        provenance.write(out, config, corpus, 1, (*provenance.PACKAGES, "trl"))
        trainer = trainers.build(config, model, reference, speech, both, states)
        trainer.remove_callback(PrinterCallback)  # stdout is the command's own
        trainer.add_callback(Record(journal, config))
        checkpoint = last_checkpoint(states) if resume else None
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    beside = out / "generator.tmp"
    shutil.rmtree(beside, ignore_errors=True)  # of a run that was killed here
    generator.save(trainer.accelerator.unwrap_model(trainer.model), speech, beside)
    beside.rename(folder)
    shutil.rmtree(states)
    return folder


def _check(config: BaselineConfig, out: Path, resume: bool) -> None:
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise ConfigError("baseline: runs in one process, each step on all its rows; start it without torchrun")
    check_generator(config.generator, "generator")
    if not (out / "config.yaml").exists():
        return
    if not resume:
        raise ConfigError(f"out: {out} holds a run already; go on with --resume or choose another folder")
    provenance.refuse_mixing(out, settings_of(out / "config.yaml"), config.as_dict())
