"""Words that can be read in two ways: what strict verdicts make of them."""

import pytest
from gapo_core.constraints import Constraint


def check(id: str, response: str, **kwargs: object) -> str:
    return Constraint(id, kwargs).check(response).status


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("World War I began in 1914. Elizabeth I ruled England.", "unknown"),
        ("The coal mine closed. Appendix I lists the rest.", "unknown"),
        ("They mine coal.", "unknown"),
        ("World War I began in 1914, and we remember it.", "violated"),
        ("When I was young, it rained.", "violated"),
        ("May I ask?", "violated"),
        ("Frankly I doubt it.", "violated"),
        ("In London, I saw it.", "violated"),
        ("Appendix\nI saw it.", "violated"),
        ("On Monday I think of it.", "violated"),
        ("World War I'm told.", "violated"),
        ("The house is mine.", "violated"),
        ("A friend of mine came.", "violated"),
        ("The miners left.", "satisfied"),
    ],
)
def test_a_numeral_and_a_pit_are_no_first_person(text: str, status: str) -> None:
    assert check("tone:no_first_person", text) == status


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("Everything's fine.", "violated"),
        ("Nobody's home.", "violated"),
        ("Something’s wrong.", "violated"),
        ("Everyone's opinion matters.", "unknown"),
        ("'Tis so.", "violated"),
        ("The team's a wonder.", "violated"),
        ("The team's not there.", "violated"),
        ("The team's winning.", "unknown"),
        ("The team's very best.", "unknown"),
        ("The team's winning, and it's late.", "violated"),
        ("The team's captain went to the dentist's. The family's home is the company's building.", "satisfied"),
        ("Today's in-house lunch of the 1990's in London.", "satisfied"),
        ("The TIS of the clothing's price.", "satisfied"),
    ],
)
def test_a_contraction_is_told_from_a_possessive_by_what_follows(text: str, status: str) -> None:
    assert check("tone:no_contractions", text) == status


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Made not only for business but also for play.", "yes"),
        ("It is no doubt for business.", "yes"),
        ("It is without a doubt for business.", "yes"),
        ("It isn't just for business.", "yes"),
        ("It is not for business.", "no"),
        ("There is no room for business.", "no"),
        ("Not only is it not for business.", "no"),
    ],
)
def test_a_flag_is_affirmed_by_not_only_and_no_doubt(text: str, said: str) -> None:
    assert check("attribute:flag", text, slot="is_for_business", value=said) == "satisfied"
    assert check("attribute:flag", text, slot="is_for_business", value="no" if said == "yes" else "yes") == "violated"
