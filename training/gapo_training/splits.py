"""Which pairs are trained on, which are held out to watch and calibrate, and which are for evaluation alone."""

from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import TypeVar
from zlib import crc32

from gapo_training import natural_errors
from gapo_training.corpora import e2e, rnnlg
from gapo_training.corpora.record import Record
from gapo_training.preferential import PreferentialPrompt, augment
from gapo_training.surroundings import surrounded

T = TypeVar("T")


def records(data: Path) -> list[Record]:
    """Training records of all corpora under `data`; no text of an evaluation set is among them."""
    held_out = {p.response.strip() for p in natural_errors.read(data / "e2e/devel-fixed.no-ol.csv", 0)}
    held_out |= {r.text for r in rnnlg.read(data / "rnnlg", "valid")}
    found = [*rnnlg.read(data / "rnnlg", "train"), *e2e.read(data / "e2e/train-filtered.csv")]
    return [record for record in found if record.text not in held_out]


def by_text(items: Sequence[T], text: Callable[[T], str], share: float = 0.02) -> tuple[list[T], list[T]]:
    """The items to train on and the `share` held out, one text at least; a text is always on one side.

    Raises `ValueError` for fewer than two texts.
    """
    places = [crc32(text(item).encode("utf-8", "surrogatepass")) for item in items]
    if len(set(places)) < 2:
        raise ValueError("there are not two different texts, one to train on and one to hold out")
    limit = max(share * 2**32, min(places) + 1)
    sides: tuple[list[T], list[T]] = ([], [])
    for item, place in zip(items, places, strict=True):
        sides[place < limit].append(item)
    return sides


def pairs_of(data: Path, seed: int, rounds: int = 2) -> tuple[list[PreferentialPrompt], list[PreferentialPrompt]]:
    """Training pairs, each record augmented `rounds` times in other ways and shuffled, and held-out pairs."""
    train, held_out = by_text(records(data), lambda record: record.text)
    pairs = [pair for number in range(rounds) for pair in augment(train, seed + number)]
    Random(seed).shuffle(pairs)
    return pairs, augment(held_out, seed)


def held_out_of(data: Path, seed: int) -> list[PreferentialPrompt]:
    """The held-out pairs alone, which are quickly drawn."""
    return augment(by_text(records(data), lambda record: record.text)[1], seed)


def evaluation_sets(data: Path, seed: int = 0) -> dict[str, list[PreferentialPrompt]]:
    """Pairs of texts and in wordings that training never saw."""
    errors = data / "e2e/devel-fixed.no-ol.csv"
    natural = natural_errors.read(errors, seed)
    valid = augment(rnnlg.read(data / "rnnlg", "valid"), seed, evaluation=True)
    return {
        "laptop_tv_valid": valid,
        "laptop_tv_valid_long": surrounded(valid[:1000], 1.0, 800, seed),
        "restaurant_natural_errors": natural,
        "restaurant_natural_errors_supported": natural_errors.supported(natural),
        "restaurant_natural_errors_single": natural_errors.read(errors, seed, single=True),
    }
