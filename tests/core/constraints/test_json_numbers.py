"""Numbers of JSON documents under a schema."""

from time import process_time

import pytest
from gapo_core.constraints import Constraint


def check(id: str, response: str, **kwargs: object) -> str:
    return Constraint(id, kwargs).check(response).status


@pytest.mark.parametrize(
    ("number", "step", "status"),
    [
        ("19.99", 0.01, "satisfied"),
        ("1.13", 0.01, "satisfied"),
        ("0.3", 0.1, "satisfied"),
        ("19.995", 0.01, "violated"),
        ("7", 2, "violated"),
        ("8.0", 2, "satisfied"),
        ("true", 2, "satisfied"),  # no number
        ("1e999", 0.01, "violated"),
        ("1" + 400 * "0", 0.01, "satisfied"),
        ("1" + 400 * "0", 0.03, "violated"),
        ("1e308", 1e-308, "satisfied"),
    ],
)
def test_multiples_are_those_of_the_number_as_it_is_written(number: str, step: float, status: str) -> None:
    schema = {"properties": {"p": {"multipleOf": step}}}
    assert check("json:schema", f'{{"p": {number}}}', schema=schema) == status


def test_many_huge_exponents_are_compared_quickly() -> None:
    response = f"[{','.join(['1e308'] * 10_000)}]"
    begun = process_time()
    assert check("json:schema", response, schema={"items": {"multipleOf": 1e-308}}) == "satisfied"
    assert process_time() - begun < 2


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity"])
def test_json_of_a_schema_has_no_constants_of_its_own(constant: str) -> None:
    assert check("json:schema", f'{{"p": {constant}}}', schema={"type": "object"}) == "violated"
