"""Starts that cells share: each supervised generator and each warmed-up reward model is trained once a seed."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gapo_training.distributed import accelerator_of
from gapo_training.gapo import start, tasks
from gapo_training.gapo.config import GapoConfig
from gapo_training.gapo.journal import Journal
from gapo_training.gapo.preferences import preferences_of
from gapo_training.studies.plan import digest

MEASURED = ("held_out", "held_out_within", "rm_pairs")  # settings of the data that only evaluation reads
PREFERENCES = ("preference", "preference_records")  # and those that only the reward model's warm-up reads


class Busy(RuntimeError):
    """Another command works in the folder."""


@contextmanager
def locked(folder: Path, wait: bool) -> Iterator[None]:
    """Keeps other commands out of `folder`, as long as this process lives. Raises `Busy` where `wait` is off."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            raise Busy(f"{folder}: another command works here") from None
        yield


def generator(config: GapoConfig, data: Path, out: Path, cpu: bool) -> Path:
    """The supervised generator's folder; it depends on its own settings, the data and the seed alone."""
    values = config.as_dict()
    corpora = {name: value for name, value in values["data"].items() if name not in (*MEASURED, *PREFERENCES)}
    folder = out / "starts" / f"sft-{digest(corpora, values['generator'], values['sft'])}" / f"seed{config.seed}"
    with locked(folder, wait=True):
        if (folder / "sft" / "done").exists():
            return folder / "sft"
        accelerator = accelerator_of(config.mixed_precision, cpu)
        corpus = tasks.load(data, config.data, config.seed)
        with Journal(folder, accelerator.is_main_process, resume=True) as journal:
            return start.supervised_generator(accelerator, config, corpus, folder, journal, resume=True)


def reward_model(config: GapoConfig, data: Path, out: Path, cpu: bool) -> Path:
    """The warmed-up reward model's checkpoint; it depends on its own settings, the preferences and the seed alone."""
    values = config.as_dict()
    corpora = {name: value for name, value in values["data"].items() if name not in MEASURED}
    key = digest(corpora, values["reward_model"], {k: v for k, v in values["warmup"].items() if k != "seed"})
    folder = out / "starts" / f"warmup-{key}" / f"seed{config.seed}"
    with locked(folder, wait=True):
        if (folder / "warmup" / "done").exists():
            return folder / "warmup" / "checkpoint"
        accelerator = accelerator_of(config.mixed_precision, cpu)
        corpus = tasks.load(data, config.data, config.seed)
        pairs = preferences_of(corpus, config.data, config.seed)
        with Journal(folder, accelerator.is_main_process, resume=True) as journal:
            return start.warmed_reward_model(accelerator, config, pairs, folder, journal, resume=True)
