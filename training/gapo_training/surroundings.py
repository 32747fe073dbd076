"""Responses among other texts, so that a reward model finds facts wherever they stand in a long response."""

from collections.abc import Sequence
from dataclasses import replace
from math import exp, log
from random import Random

from gapo_core.constraints.attributes import states

from gapo_training.preferential import PreferentialPrompt

SHORTEST = 60  # words; most of the corpora's own texts are shorter


def surrounded(
    pairs: Sequence[PreferentialPrompt], share: float, most_words: int, seed: int
) -> list[PreferentialPrompt]:
    """A `share` of the pairs with responses of other topics before and behind their own, the others as they are.

    The words of a response, at most `most_words`, are uniform in their logarithm. Labels still hold: what is asked
    stands in the text as before, and what is asked wrongly is neither spoken of in texts of other topics nor does its
    value stand there in plain words. Raises `ValueError` where all pairs are of one topic, or for `most_words` below
    `SHORTEST`.
    """
    if share and most_words < SHORTEST:
        raise ValueError(f"most_words: {most_words} is below {SHORTEST}, which no surroundings fit into")
    texts: dict[str, list[str]] = {}
    for pair in pairs:
        texts.setdefault(pair.topic, []).append(pair.response)
    others = {topic: [text for t, found in texts.items() if t != topic for text in found] for topic in texts}
    if share and len(texts) < 2:
        raise ValueError("surrounded: all texts are of one topic; use 0, or a corpus of several topics")
    rng, found = Random(f"{seed}/surroundings"), []
    for pair in pairs:
        if rng.random() < share:
            words = exp(rng.uniform(log(SHORTEST), log(most_words)))
            pair = replace(pair, response=_among(pair, others[pair.topic], words, rng))
        found.append(pair)
    return found


def _among(pair: PreferentialPrompt, others: Sequence[str], words: float, rng: Random) -> str:
    room, around = words - len(pair.response.split()), list[str]()
    for text in rng.choices(others, k=int(words)):  # more than there is room for
        if any(states(text, wrong.value) for wrong in pair.wrong):
            continue
        room -= len(text.split())
        if room < 0:
            break
        around.append(text)
    place = rng.randint(0, len(around))
    return " ".join([*around[:place], pair.response, *around[place:]])
