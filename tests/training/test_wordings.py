"""Prompts: every value stands in them, lists of equal length are worded alike, evaluation shares no wording."""

from random import Random

import pytest
from gapo_core.constraints.attributes import Attribute
from gapo_training.attribute_names import NAMES, STATEMENTS
from gapo_training.notations import HELD_OUT_MARKS, Fact, composed
from gapo_training.wordings import EVALUATION, PLAIN, TRAIN, render
from hypothesis import given
from hypothesis import strategies as st

FACTS = [
    Attribute("memory", "8 gb"),
    Attribute("color", "red"),
    Attribute("hasusbport", "yes"),
    Attribute("name", "x 1"),
]


POOLS = st.sampled_from((TRAIN, PLAIN, EVALUATION))


@given(st.integers(), POOLS, st.permutations(FACTS), st.integers(1, 4))
def test_every_value_is_asked_for(seed, pool, facts, count) -> None:
    prompt = render("laptop", facts[:count], Random(seed), pool)
    for fact in facts[:count]:
        said = ("yes", "true", "Yes", *STATEMENTS[fact.slot, fact.value]) if fact.value == "yes" else (fact.value,)
        assert any(words in prompt for words in said)


@given(st.integers(), POOLS)
def test_two_lists_that_differ_in_a_value_are_worded_alike(seed, pool) -> None:
    other = [FACTS[0], Attribute("color", "tan"), *FACTS[2:]]
    one, two = (render("laptop", facts, Random(seed), pool) for facts in (FACTS, other))
    assert one.replace("red", "tan") == two.replace("red", "tan")


@pytest.mark.parametrize("part", ["tasks", "openings", "remarks"])
def test_evaluation_wordings_are_unseen(part) -> None:
    assert not set(getattr(TRAIN, part)) & set(getattr(EVALUATION, part))


def test_evaluation_names_are_unseen() -> None:
    training = {name for names, _ in NAMES.values() for name in names}
    assert not training & {name for _, names in NAMES.values() for name in names}


@given(st.integers())
def test_made_up_notations_never_use_marks_of_evaluation(seed) -> None:
    made = composed(Random(seed))([Fact("color", "red"), Fact("memory", "8 gb")])
    assert not set(made.replace("color", " ").replace("memory", " ").split()) & HELD_OUT_MARKS


@given(st.integers())
def test_a_statement_and_its_denial_are_worded_alike(seed) -> None:
    yes, no = (render("tv", [Attribute("hasusbport", v)], Random(seed)) for v in ("yes", "no"))
    place = next((n for n, said in enumerate(STATEMENTS["hasusbport", "yes"]) if said in yes), None)
    if place is not None:
        denial = STATEMENTS["hasusbport", "no"][place]
        assert yes.replace(STATEMENTS["hasusbport", "yes"][place], denial) == no


def test_statements_come_in_pairs() -> None:
    for slot in {slot for slot, _ in STATEMENTS}:
        assert len(STATEMENTS[slot, "yes"]) == len(STATEMENTS[slot, "no"])
