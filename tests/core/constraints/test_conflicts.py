"""Constraints that exclude each other, and pairs that do not."""

import json
from itertools import combinations
from pathlib import Path

import pytest
from gapo_core.constraints import Constraint
from gapo_core.constraints.relations import RELATIONS, exclude, holds, interval, limit_for, listed
from hypothesis import given
from hypothesis import strategies as st


def words(relation: str, number: int) -> Constraint:
    return Constraint("length_constraints:number_words", {"num_words": number, "relation": relation})


def ends(phrase: str) -> Constraint:
    return Constraint("startend:end_checker", {"end_phrase": phrase})


def uses(*keywords: str) -> Constraint:
    return Constraint("keywords:existence", {"keywords": keywords})


def without(*keywords: str) -> Constraint:
    return Constraint("keywords:forbidden_words", {"forbidden_words": keywords})


def times(keyword: str, relation: str, number: int) -> Constraint:
    return Constraint("keywords:frequency", {"keyword": keyword, "relation": relation, "frequency": number})


def plain(id: str) -> Constraint:
    return Constraint(id, {})


CAPITAL, LOWER = plain("change_case:english_capital"), plain("change_case:english_lowercase")
GERMAN = Constraint("language:response_language", {"language": "de"})
FRENCH = Constraint("language:response_language", {"language": "fr"})
SHOUTS = Constraint("change_case:capital_word_frequency", {"capital_frequency": 2, "capital_relation": "at least"})
NO_COMMA = plain("punctuation:no_comma")
REQUEST = Constraint("combination:repeat_prompt", {"prompt_to_repeat": "Say hello, please."})
BULLETS = Constraint("detectable_format:number_bullet_lists", {"num_bullets": 3})

CONFLICTS = [
    (words("at least", 300), words("less than", 200)),
    (words("at least", 300), words("less than", 300)),
    (words("exactly", 5), words("exactly", 6)),
    (words("less than", 3), REQUEST),
    (CAPITAL, LOWER),
    (SHOUTS, LOWER),
    (GERMAN, FRENCH),
    (GERMAN, CAPITAL),
    (ends("Peace!"), ends("That is all.")),
    (ends("Well, that is all."), NO_COMMA),
    (REQUEST, NO_COMMA),
    (uses("river"), without("River", "stone")),
    (REQUEST, without("hello")),
    (times("river", "at least", 2), without("river")),
    (times("river", "at least", 2), times("River", "less than", 2)),
    (times("river", "less than", 1), uses("river")),
    (plain("detectable_format:json_format"), plain("startend:quotation")),
    (plain("detectable_format:json_format"), BULLETS),
    (BULLETS, Constraint("detectable_format:number_bullet_lists", {"num_bullets": 4})),
]
AGREE = [
    (words("at least", 200), words("less than", 300)),
    (words("at least", 200), words("at least", 300)),
    (SHOUTS, CAPITAL),
    (ends("all."), ends("That is all.")),
    (uses("rivers"), without("river")),
    (times("river", "at least", 2), times("stone", "less than", 2)),
    (GERMAN, LOWER.__class__("language:response_language", {"language": "de"})),
    (plain("startend:quotation"), NO_COMMA),
    (REQUEST, LOWER),
]


@pytest.mark.parametrize(("one", "other"), CONFLICTS)
def test_conflicts_are_found_in_both_orders(one: Constraint, other: Constraint) -> None:
    assert one.conflicts_with(other)
    assert other.conflicts_with(one)


@pytest.mark.parametrize(("one", "other"), AGREE)
def test_constraints_that_fit_do_not_conflict(one: Constraint, other: Constraint) -> None:
    assert not one.conflicts_with(other)
    assert not other.conflicts_with(one)


def test_what_one_response_satisfies_never_conflicts(real_data: Path) -> None:
    """Soundness on real responses: two constraints that hold at once exclude nothing."""
    clashes = set()
    for file in sorted((real_data / "ifeval/responses").glob("*.jsonl"))[:3]:
        for line in file.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            constraints = Constraint.from_ifeval(row["instruction_id_list"], row["kwargs"])
            kept = [one for one in constraints if one.check(row["response"]).status == "satisfied"]
            clashes |= {(row["key"], a.id, b.id) for a, b in combinations(kept, 2) if a.conflicts_with(b)}
    assert not clashes


relations = st.sampled_from(RELATIONS)
counts = st.integers(0, 60)


@given(relations, counts, counts)
def test_an_interval_holds_what_the_relation_allows(relation, limit: int, observed: int) -> None:
    low, high = interval(relation, limit)
    assert holds(relation, observed, limit) == (low <= observed <= high)


@given(relations, counts, relations, counts)
def test_relations_exclude_each_other_where_no_count_satisfies_both(one, limit: int, other, second: int) -> None:
    both = any(holds(one, n, limit) and holds(other, n, second) for n in range(200))
    assert exclude((one, limit), (other, second)) == (not both)


@given(relations, st.integers(0, 3000), st.booleans(), st.randoms(use_true_random=False))
def test_a_sampled_limit_gives_the_wanted_verdict(relation, observed: int, wanted: bool, rng) -> None:
    limit = limit_for(relation, observed, wanted, rng)
    assert limit is None or (limit >= 1 and holds(relation, observed, limit) == wanted)
    assert limit is not None or observed <= 1


@pytest.mark.parametrize(
    ("words", "text"), [((), ""), (("a",), "a"), (("a", "b"), "a and b"), (("a", "b", "c"), "a, b and c")]
)
def test_lists_are_written_as_in_prose(words: tuple[str, ...], text: str) -> None:
    assert listed(words) == text
