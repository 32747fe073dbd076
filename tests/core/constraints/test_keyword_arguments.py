"""Keyword arguments that cannot be, and constraints that exclude each other."""

from typing import Any

import pytest
from gapo_core.constraints import Constraint, ConstraintError

WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("count:numbers", {}, "N: Field required"),
    ("count:numbers", {"N": -1}, "N: .*greater than or equal to 0"),
    ("count:numbers", {"N": 2.5}, "N: .*integer"),
    ("count:numbers", {"N": "2"}, "N: .*integer"),
    ("count:numbers", {"N": True}, "N: .*integer"),
    ("count:numbers", {"N": 2, "M": 3}, "M: "),
    ("count:conjunctions", {"small_n": 8}, "small_n"),
    ("count:person_names", {"N": 51}, "N: "),
    ("count:word_count_range", {"min_words": 5, "max_words": 3}, "min_words 5 is above max_words 3"),
    ("count:keywords_multiple", {"keyword1": "a"}, "keyword2: Field required"),
    ("sentence:keyword", {"word": " ", "N": 1}, "word"),
    ("format:options", {"options": "yes"}, "one option only"),
    ("repeat:repeat_span", {"prompt_to_repeat": "a b", "n_start": 3, "n_end": 1}, "n_start 3 is above n_end 1"),
    ("ratio:stop_words", {"percentage": 101}, "percentage"),
    ("custom:multiples", {"N": 1}, "N: "),
    ("attribute:flag", {"slot": "wifi", "value": "maybe"}, "value"),
    ("attribute:range", {"slot": "price"}, "neither minimum nor maximum"),
    ("attribute:range", {"slot": "price", "minimum": 3, "maximum": 1}, "minimum 3.0 is above maximum 1.0"),
    ("attribute:value", {"slot": "", "value": "x"}, "slot"),
    ("numbers:contains", {"number": 3, "unit": "parsnips"}, "'parsnips' is no known unit"),
    ("numbers:contains", {"number": float("nan")}, "number"),
    ("json:schema", {"schema": {"type": "thing"}}, "is no JSON Schema"),
    ("json:schema", {"schema": {"$ref": "file:///etc/passwd"}}, "put what it needs under"),
    ("json:schema", {"schema": {"pattern": "(a)\\1"}}, "no back-reference"),
    ("text:regex", {"pattern": "(?=a)"}, "no look-around"),
    ("text:regex", {"pattern": "("}, "missing"),
    ("text:regex", {"pattern": "((a{1000}){1000}){1000}"}, "pattern"),
    ("markdown:heading", {"count": 1, "relation": "at least", "level": 7}, "level"),
    ("length:words", {"count": 1, "relation": "about"}, "relation"),
    ("phrases:required", {"phrases": []}, "phrases"),
    ("startend:starts", {"phrase": "\n"}, "phrase"),
]


@pytest.mark.parametrize(("id", "kwargs", "message"), WRONG, ids=lambda value: str(value)[:60])
def test_a_wrong_keyword_argument_is_named(id: str, kwargs: dict[str, Any], message: str) -> None:
    with pytest.raises(ConstraintError, match=message) as error:
        Constraint(id, kwargs)
    assert str(error.value).startswith(f"{id}: ")


def test_published_rows_write_whole_numbers_as_floats() -> None:
    assert Constraint("count:numbers", {"N": 2.0}) == Constraint("count:numbers", {"N": 2})


CONFLICTS: list[tuple[tuple[str, dict[str, Any]], tuple[str, dict[str, Any]], bool]] = [
    (("count:numbers", {"N": 2}), ("count:numbers", {"N": 3}), True),
    (
        ("count:word_count_range", {"min_words": 1, "max_words": 5}),
        ("count:word_count_range", {"min_words": 6, "max_words": 9}),
        True,
    ),
    (
        ("count:word_count_range", {"min_words": 1, "max_words": 5}),
        ("count:word_count_range", {"min_words": 5, "max_words": 9}),
        False,
    ),
    (("format:options", {"options": "yes/no"}), ("format:options", {"options": "true/false"}), True),
    (("format:options", {"options": "yes/no"}), ("format:options", {"options": "no/never"}), False),
    (("attribute:flag", {"slot": "wifi", "value": "yes"}), ("attribute:flag", {"slot": "wifi", "value": "no"}), True),
    (
        ("attribute:value", {"slot": "colour", "value": "red"}),
        ("attribute:absent", {"slot": "colour", "value": "red"}),
        True,
    ),
    (
        ("attribute:value", {"slot": "colour", "value": "red"}),
        ("attribute:absent", {"slot": "colour", "value": "blue"}),
        False,
    ),
    (("attribute:range", {"slot": "price", "maximum": 5}), ("attribute:range", {"slot": "price", "minimum": 6}), True),
    (("phrases:required", {"phrases": ["in conclusion"]}), ("phrases:forbidden", {"phrases": ["conclusion"]}), True),
    (("numbers:unit", {"unit": "kg"}), ("numbers:unit", {"unit": "pounds"}), True),
    (("numbers:unit", {"unit": "kg"}), ("numbers:unit", {"unit": "kilograms"}), False),
    (("startend:starts", {"phrase": "Dear"}), ("startend:starts", {"phrase": "Dear reader"}), False),
    (("startend:starts", {"phrase": "Dear"}), ("startend:starts", {"phrase": "Hello"}), True),
    (
        ("length:tokens", {"count": 5, "relation": "at most", "tokenizer": "a"}),
        ("length:tokens", {"count": 9, "relation": "at least", "tokenizer": "a"}),
        True,
    ),
    (
        ("length:tokens", {"count": 5, "relation": "at most", "tokenizer": "a"}),
        ("length:tokens", {"count": 9, "relation": "at least", "tokenizer": "b"}),
        False,
    ),
]


@pytest.mark.parametrize(("one", "other", "expected"), CONFLICTS, ids=lambda value: str(value)[:70])
def test_conflicts(one: tuple[str, dict[str, Any]], other: tuple[str, dict[str, Any]], expected: bool) -> None:
    first, second = Constraint(*one), Constraint(*other)
    assert first.conflicts_with(second) is expected
    assert second.conflicts_with(first) is expected
