"""A generator of a few steps on the small corpus: seconds, as in the `smoke` preset."""

from pathlib import Path

import pytest
from accelerate import Accelerator
from gapo_training.gapo import config, start, tasks
from gapo_training.gapo.journal import Journal


@pytest.fixture(scope="session")
def corpus(corpus_folder):
    settings = config.read("smoke")
    return tasks.load(corpus_folder, settings.data, settings.seed)


@pytest.fixture(scope="session")
def supervised(corpus, tmp_path_factory) -> Path:
    """The folder of a generator after four supervised steps."""
    out = tmp_path_factory.mktemp("supervised")
    with Journal(out, active=True, resume=False) as journal:
        return start.supervised_generator(Accelerator(cpu=True), config.read("smoke"), corpus, out, journal, False)
