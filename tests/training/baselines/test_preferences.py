"""Branches begin where their form says; steps see the same pairs whatever the method."""

import pytest
from gapo_training.baselines import encoding
from gapo_training.baselines.config import BaselineConfig
from gapo_training.gapo import generator
from gapo_training.gapo.config import DataConfig
from gapo_training.gapo.generator import ANSWER
from gapo_training.gapo.preferences import preferences_of
from trl.data_utils import extract_prompt


def test_the_naive_form_begins_where_trl_finds_the_common_prefix(corpus, supervised) -> None:
    _, speech = generator.load(supervised)
    for pair in preferences_of(corpus, DataConfig(), 0)[:30]:
        naive, masked = (encoding.branches(pair, speech, form) for form in ("naive", "masked"))
        texts = [prompt + ANSWER + response for prompt, response in pair.rows]
        for text, branch, prompt in zip(texts, masked, (pair.accepted, pair.rejected), strict=True):
            assert [*speech.tokenizer.encode(text), speech.end] == branch.ids
            assert branch.start == len(speech.prompt(prompt))
        shared = extract_prompt(dict(zip(("chosen", "rejected"), texts, strict=True)))["prompt"]
        ids = speech.tokenizer.encode(shared)
        assert naive[0].start == naive[1].start < min(b.start for b in masked)
        assert abs(naive[0].start - len(ids)) <= 3  # the cut may fall within a token


def test_a_step_takes_the_same_pairs_and_every_epoch_takes_all(tmp_path) -> None:
    config = BaselineConfig("dpo", tmp_path, steps=10, rows=3)
    places = encoding.order(15, config)
    assert len(places) == 30
    assert sorted(places[:15]) == sorted(places[15:]) == list(range(15))
    assert places[:15] != places[15:]
    assert encoding.order(15, BaselineConfig("kto", tmp_path, steps=10, rows=3)) == places


def test_ktos_mismatched_responses_are_never_the_matching_one(corpus, supervised) -> None:
    """With distinct texts: a pair's two branches share their response."""
    _, speech = generator.load(supervised)
    pairs = list({p.response: p for p in preferences_of(corpus, DataConfig(), 0)[:60]}.values())[:8]
    both = [encoding.branches(p, speech, "masked") for p in pairs]
    rows = list(encoding.unpaired(both, range(8), 4))
    assert [r["label"] for r in rows] == [*[True] * 4, *[False] * 4] * 2
    for row in rows:
        assert row["KL_completion_ids"] != row["completion_ids"]
    for step in (rows[:8], rows[8:]):
        assert sorted(r["KL_completion_ids"] for r in step) == sorted(r["completion_ids"] for r in step)


def test_a_row_beyond_the_generators_positions_is_refused(corpus, supervised) -> None:
    _, speech = generator.load(supervised)
    config = BaselineConfig("dpo", supervised)
    with pytest.raises(ValueError, match=r"tokens does not fit its 20 positions; lower data\.most_attributes"):
        encoding.encode(preferences_of(corpus, DataConfig(), 0)[:5], speech, config, 20)
