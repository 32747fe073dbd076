"""Preferences from the preferential prompts of a GAPO run: the same pairs, turned to either side."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from gapo_training.baselines.config import Preference
from gapo_training.gapo.start import pairs_of
from gapo_training.gapo.tasks import Corpus, verdict
from gapo_training.preferential import PreferentialPrompt


@dataclass(frozen=True)
class Pair:
    """Two (prompt, response) branches, the first preferred."""

    accepted: tuple[str, str]
    rejected: tuple[str, str]


def load(corpus: Corpus, preference: Preference, seed: int, count: int) -> list[Pair]:
    """The first `count` pairs (0: all) that the reward model of a GAPO run with this seed warms up on.

    `prompt`: the response stays, the prompts differ. `response`: the accepted prompt stays, and another person's text
    stands for the rejected response (`rejected_response`); pairs for which no such text was drawn are left out.
    """
    prompts = pairs_of(corpus, seed)[: count or None]
    if preference == "prompt":
        return [Pair((p.accepted, p.response), (p.rejected, p.response)) for p in prompts]
    texts: dict[str, list[str]] = {}
    for record in corpus.training_records:
        texts.setdefault(record.topic, []).append(record.text)
    pairs = []
    for number, prompt in enumerate(prompts):
        rng = Random(f"{seed}/responses/{number}")
        rejected = rejected_response(prompt, texts[prompt.topic], rng)
        if rejected is not None:
            pairs.append(Pair((prompt.accepted, prompt.response), (prompt.accepted, rejected)))
    return pairs


def rejected_response(
    prompt: PreferentialPrompt, texts: Sequence[str], rng: Random, candidates: int = 32
) -> str | None:
    """A text that a person wrote for another prompt, and that breaks the accepted one by the rules.

    The accepted prompt asks for the facts in `prompt.replaced`. A text of the same topic breaks it when
    `tasks.verdict` finds one of them `missing` or `wrong` (`unknown` proves nothing). Of the `candidates` drawn that
    do, the one that shares the most words with the chosen response is taken (Jaccard): a pair differs in little else.
    None where no text drawn breaks the prompt.
    """
    words = set(prompt.response.lower().split())
    drawn = rng.sample(texts, min(candidates, len(texts)))
    # Other values of a slot only tell `missing` from `wrong`; both break the prompt.
    breaking = [t for t in drawn if any(verdict(a, t, {}) in ("missing", "wrong") for a in prompt.replaced)]

    def likeness(text: str) -> float:
        other = set(text.lower().split())
        return len(words & other) / len(words | other)

    return max(breaking, key=likeness, default=None)
