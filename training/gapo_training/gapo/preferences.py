"""What a run's reward model is warmed up on: two prompts of one response, or two responses to one prompt."""

from collections.abc import Sequence
from dataclasses import replace
from random import Random

from gapo_training import preferential_responses
from gapo_training.gapo.config import DataConfig
from gapo_training.gapo.start import ROUNDS, pairs_of
from gapo_training.gapo.tasks import Corpus
from gapo_training.preferential import Preference


def preferences_of(corpus: Corpus, config: DataConfig, seed: int) -> Sequence[Preference]:
    """Preferences of `config.preference` from the first `preference_records` training records, shuffled."""
    chosen = replace(corpus, training_records=corpus.training_records[: config.preference_records or None])
    if config.preference == "prompt":
        return pairs_of(chosen, seed)
    rounds = (
        preferential_responses.draw(chosen.training_records, seed + i, most, pool=corpus.pool)
        for i, most in enumerate(ROUNDS)
    )
    pairs = [pair for round_ in rounds for pair in round_]
    Random(seed).shuffle(pairs)
    return pairs
