"""Responses among other texts: labels hold, lengths spread, nothing else changes."""

import json

import pytest
from gapo.cli import build
from gapo_core.constraints.attributes import Attribute, states
from gapo_training.corpora import pairs_file
from gapo_training.preferential import PreferentialPrompt
from gapo_training.surroundings import SHORTEST, surrounded
from typer.testing import CliRunner

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


def test_data_build_writes_what_training_reads(corpus_folder, tmp_path) -> None:
    (tmp_path / "data/e2e").mkdir(parents=True)
    (tmp_path / "data/rnnlg").symlink_to(corpus_folder / "rnnlg")
    (tmp_path / "data/e2e/train-filtered.csv").write_text(RESTAURANTS, encoding="utf-8")
    (tmp_path / "data/e2e/devel-fixed.no-ol.csv").write_text(ERRORS, encoding="utf-8")
    out = tmp_path / "new/pairs.jsonl"
    arguments = [
        "data",
        "build",
        "--data",
        str(tmp_path / "data"),
        "--out",
        str(out),
        "--long",
        "1",
        "--most-words",
        "90",
    ]
    done = CliRunner().invoke(build("data"), arguments)
    assert done.exit_code == 0, done.output
    pairs = pairs_file.read(out)
    assert {p.topic for p in pairs} == {"laptop", "television", "restaurant"}
    assert max(len(p.response.split()) for p in pairs) > 40
    assert json.loads(out.read_text(encoding="utf-8").splitlines()[0])["response"] == pairs[0].response
