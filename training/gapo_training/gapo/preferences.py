"""What a run's reward model is warmed up on: two prompts of one response, or two responses to one prompt."""

from collections.abc import Callable, Sequence
from random import Random

from gapo_training import preferential_responses
from gapo_training.gapo.config import DataConfig
from gapo_training.gapo.tasks import Corpus
from gapo_training.preferential import Preference, augment

# How many constraints the prompts of each round of drawing have at most. Prompts of one constraint say where the
# fault is and are learned first; they also teach the judgement of one constraint at a time.
ROUNDS = (5, 1, 5, 1)


def preferences_of(corpus: Corpus, config: DataConfig, seed: int) -> Sequence[Preference]:
    """Preferences of `config.preference` from the first `preference_records` training records, shuffled."""
    records = corpus.training_records[: config.preference_records or None]
    draw: Callable[..., Sequence[Preference]] = (
        augment if config.preference == "prompt" else preferential_responses.draw
    )
    pairs = [pair for i, most in enumerate(ROUNDS) for pair in draw(records, seed + i, most=most, pool=corpus.pool)]
    Random(seed).shuffle(pairs)
    return pairs
