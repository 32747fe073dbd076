"""Preferential prompts: labels by construction, no artefact in the prompt alone."""

import numpy as np
import pytest
from gapo_core.constraints.attributes import Attribute
from gapo_training import natural_errors
from gapo_training.corpora import e2e, rnnlg
from gapo_training.corpora.record import Record
from gapo_training.evaluate import auroc, pair_accuracy
from gapo_training.preferential import PreferentialPrompt, augment


@pytest.fixture(scope="module")
def records(real_data):
    restaurants = e2e.read(real_data / "e2e/train-filtered.csv")[::4]
    return rnnlg.read(real_data / "rnnlg", "valid") + restaurants


@pytest.fixture(scope="module")
def pairs(records):
    return augment(records, seed=3)


def test_augmentation_is_seeded_and_uses_both_actions(records, pairs) -> None:
    assert augment(records[:500], seed=3) == augment(records[:500], seed=3)
    assert augment(records[:500], seed=3) != augment(records[:500], seed=4)
    share = np.mean([p.action == "modification" for p in pairs])
    assert 0.3 < share < 0.7
    assert len({(p.accepted, p.rejected, p.response) for p in pairs}) == len(pairs)


def test_prompts_that_read_alike_are_no_pair() -> None:
    """A high rating in a high price's place, worded by values alone."""
    price, rating = Attribute("priceRange", "high"), {"customer rating": ("high",)}
    record = Record("restaurant", "It is high priced.", (price,), rating)
    drawn = [augment([record], seed) for seed in range(300)]
    assert all(pair.accepted != pair.rejected for pairs in drawn for pair in pairs)
    assert 0 < sum(map(len, drawn)) < 300


def test_the_prompt_alone_says_nothing(pairs) -> None:
    """A bag of words that sees the prompts only stays at chance on unseen prompts."""
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.linear_model import LogisticRegression

    texts = [p.accepted for p in pairs] + [p.rejected for p in pairs]
    labels = np.repeat([1, 0], len(pairs))
    fold = np.tile(np.arange(len(pairs)) % 2, 2)
    words = CountVectorizer(min_df=5, ngram_range=(1, 2)).fit_transform(texts)
    model = LogisticRegression(max_iter=2000, C=0.1).fit(words[fold == 0], labels[fold == 0])
    scores, held_out = model.decision_function(words[fold == 1]), labels[fold == 1]
    assert auroc(scores[held_out == 1], scores[held_out == 0]) <= 0.55


def test_length_says_nothing(pairs) -> None:
    shorter = pair_accuracy(
        np.array([-float(len(p.accepted)) for p in pairs]), np.array([-float(len(p.rejected)) for p in pairs])
    )
    assert abs(shorter - 0.5) < 0.08


def test_natural_errors_match_in_number(real_data) -> None:
    found = natural_errors.read(real_data / "e2e/devel-fixed.no-ol.csv", seed=0)
    assert len(found) > 1000
    assert all(p.accepted != p.rejected for p in found)


def test_the_blind_reading_holds_every_natural_error(real_data) -> None:
    found = natural_errors.read(real_data / "e2e/devel-fixed.no-ol.csv", seed=0)
    read = {line.split(",")[0] for line in natural_errors.READING.read_text(encoding="utf-8").splitlines()[1:]}
    assert {natural_errors.fingerprint(pair) for pair in found} == read
    supported = natural_errors.supported(found)
    assert 0.5 < len(supported) / len(found) < 0.7


def test_only_a_label_that_the_reading_supports_counts(tmp_path, monkeypatch) -> None:
    price = Attribute("priceRange", "cheap"), Attribute("priceRange", "high")
    place = Attribute("area", "riverside"), Attribute("name", "Cotto")

    def pair(response: str, *replaced: Attribute) -> PreferentialPrompt:
        return PreferentialPrompt("a", "b", response, "modification", replaced, (price[1],), "restaurant")

    pairs = [pair(f"text {number}", price[0], *place) for number in range(4)]
    verdicts = ("1,0", "1,1", "0,1", "1,?")
    lines = [f"{natural_errors.fingerprint(p)},{verdict}" for p, verdict in zip(pairs, verdicts, strict=True)]
    monkeypatch.setattr(natural_errors, "READING", tmp_path / "reading.csv")
    natural_errors.READING.write_text("\n".join(["pair,replaced,wrong", *lines]), encoding="utf-8")
    assert natural_errors.supported([*pairs, pair("not read", price[0])]) == pairs[:1]
    assert natural_errors.supported([pair("text 0", *reversed(place), price[0])])
