"""Preferential responses: one prompt, a response that keeps it and a near miss."""

import pytest
from gapo_core.constraints.attributes import Attribute, states
from gapo_training.corpora import rnnlg
from gapo_training.corpora.record import Record
from gapo_training.gapo import tasks
from gapo_training.gapo.config import DataConfig
from gapo_training.gapo.preferences import preferences_of
from gapo_training.preferential_responses import draw

VALUES = ("2 gb", "4 gb", "8 gb")


def record(memory: str, name: str) -> Record:
    stated = (Attribute("memory", memory), Attribute("name", name))
    return Record("laptop", f"{name} with {memory}", stated, {"memory": tuple(v for v in VALUES if v != memory)})


def test_the_rejected_response_misses_an_asked_fact_and_keeps_what_it_can() -> None:
    records = [record(memory, name) for memory in VALUES for name in ("hades", "tecra", "erebus")]
    pairs = draw(records, seed=0)
    assert len(pairs) >= 6
    assert pairs == draw(records, seed=0) != draw(records, seed=1)
    for pair in pairs:
        assert pair.rows == ((pair.prompt, pair.chosen), (pair.prompt, pair.rejected))
        memory = next(value for value in VALUES if value in pair.chosen)
        assert memory in pair.prompt  # names have no value that is known to be unstated: only memory can be missed
        assert memory not in pair.rejected
        if (name := pair.chosen.split(" with ")[0]) in pair.prompt:
            assert pair.rejected.startswith(name)


def test_the_rejected_text_never_states_all_of_the_chosen_one(corpus_folder) -> None:
    records = rnnlg.read(corpus_folder / "rnnlg", "train")
    by_text = {record.text: record for record in records}
    pairs = draw(records, seed=1, most=5)
    assert len(pairs) > 80  # of 120
    for pair in pairs:
        chosen = by_text[pair.chosen]
        assert chosen.topic == by_text[pair.rejected].topic == pair.topic
        assert not all(states(pair.rejected, fact.value) for fact in chosen.stated)


def test_the_setting_chooses_what_is_drawn_and_from_how_many_records(corpus_folder) -> None:
    config = DataConfig()
    corpus = tasks.load(corpus_folder, config, seed=0)
    prompts = preferences_of(corpus, config, 0)
    responses = preferences_of(corpus, DataConfig(preference="response"), 0)
    assert all(pair.rows[0][1] == pair.rows[1][1] for pair in prompts)
    assert all(pair.rows[0][0] == pair.rows[1][0] for pair in responses)
    few = preferences_of(corpus, DataConfig(preference_records=50), 0)
    assert few
    assert {pair.response for pair in few} <= {record.text for record in corpus.training_records[:50]}


@pytest.mark.parametrize("preference", ["prompt", "response"])
def test_pairs_are_the_same_for_a_seed(corpus_folder, preference) -> None:
    config = DataConfig(preference=preference)
    corpus = tasks.load(corpus_folder, config, seed=0)
    first, again, other = (preferences_of(corpus, config, seed) for seed in (0, 0, 1))
    assert list(first) == list(again) != list(other)
