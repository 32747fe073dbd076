"""Responses among other texts: labels hold, lengths spread, nothing else changes."""

from pathlib import Path

import pytest
from click.testing import Result
from gapo.cli import build
from gapo_core.constraints.attributes import Attribute, states
from gapo_server import EMBEDDED
from gapo_training import warmup
from gapo_training.preferential import PreferentialPrompt
from gapo_training.surroundings import SHORTEST, surrounded
from typer.testing import CliRunner

BUNDLE = next(EMBEDDED.glob("*/*/manifest.json")).parent
LAPTOP = "the aldra 3 is a budget laptop with 8 gb of memory ."
TV = ("a television with an expensive price range .", "the bellona 7 has two hdmi ports .", "it is large and bright .")


def pair(topic: str, response: str, wrong: str) -> PreferentialPrompt:
    right, other = Attribute("pricerange", "budget"), Attribute("pricerange", wrong)
    return PreferentialPrompt("accepted", "rejected", response, "modification", (right,), (other,), topic)


def test_the_response_stands_whole_among_texts_that_state_nothing_wrong() -> None:
    pairs = [pair("laptop", LAPTOP, "expensive")] * 200 + [pair("television", text, "cheap") for text in TV] * 20
    found = surrounded(pairs, 1.0, 400, seed=1)[:200]
    lengths = sorted(len(p.response.split()) for p in found)
    assert all(LAPTOP in p.response and not states(p.response, "expensive") for p in found)
    assert lengths[0] <= SHORTEST < lengths[100] < 300 < lengths[-1] <= 400
    places = [p.response.index(LAPTOP) / len(p.response) for p in found]
    assert min(places) == 0
    assert max(places) > 0.7
    assert {(p.accepted, p.rejected, p.wrong) for p in found} == {("accepted", "rejected", pairs[0].wrong)}
    assert found == surrounded(pairs, 1.0, 400, seed=1)[:200]


def test_a_share_of_the_pairs_is_surrounded() -> None:
    pairs = [pair("laptop", LAPTOP, "expensive"), pair("television", TV[1], "cheap")] * 200
    changed = [new != old for new, old in zip(surrounded(pairs, 0.3, 200, seed=0), pairs, strict=True)]
    assert 0.2 < sum(changed) / len(changed) < 0.4
    assert surrounded(pairs[:1], 0.0, 200, seed=0) == pairs[:1]


def test_what_cannot_be_surrounded_is_told() -> None:
    with pytest.raises(ValueError, match="all texts are of one topic"):
        surrounded([pair("laptop", LAPTOP, "expensive")], 0.5, 200, seed=0)
    with pytest.raises(ValueError, match="most_words: 10 is below 60"):
        surrounded([pair("laptop", LAPTOP, "expensive")], 0.5, 10, seed=0)


RESTAURANTS = """mr,ref
"name[The Mill], food[Italian], area[riverside]","The Mill on the riverside serves Italian food."
"name[The Vaults], food[French], priceRange[cheap]","The Vaults is a cheap place with French food."
"""
ERRORS = """mr,orig_mr,ref,fixed
"name[The Punter], food[Indian]","name[The Punter], food[Indian], area[riverside]","The Punter serves Indian food.",1
"""


@pytest.fixture(scope="module")
def data(corpus_folder, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("corpora")
    (folder / "e2e").mkdir()
    (folder / "rnnlg").symlink_to(corpus_folder / "rnnlg")
    (folder / "e2e/train-filtered.csv").write_text(RESTAURANTS, encoding="utf-8")
    (folder / "e2e/devel-fixed.no-ol.csv").write_text(ERRORS, encoding="utf-8")
    return folder


def train(*options: object) -> Result:
    return CliRunner().invoke(build("train"), ["train", "rm", "--start", str(BUNDLE), *map(str, options)])


def test_training_takes_long_responses(data, tmp_path, monkeypatch) -> None:
    seen = []
    batch_of = warmup.batch_of
    monkeypatch.setattr(warmup, "batch_of", lambda *given: seen.extend(batch_of(*given)) or seen[-4:])
    options = [part for change in ("steps=1", "pairs_per_step=4", "evaluate_every=0") for part in ("--set", change)]
    done = train("--data", data, "--out", tmp_path / "run", "--long", 1, "--most-words", 90, *options)
    assert done.exit_code == 0, done.output
    assert (tmp_path / "run/checkpoint/model.safetensors").is_file()
    assert max(len(pair.response.split()) for pair in seen) > 40


def test_long_responses_that_would_be_cut_are_refused(data, tmp_path) -> None:
    done = train("--data", data, "--out", tmp_path, "--long", 0.5, "--most-words", 800)
    assert done.exit_code == 2
    assert "most_words: 800 words may not fit; give --set max_tokens=1328" in " ".join(
        done.output.replace("│", " ").split()
    )
    done = train("--pairs", data / "e2e/train-filtered.csv", "--out", tmp_path, "--long", 0.5)
    assert done.exit_code == 2
    assert "--long: goes with --data" in done.output
