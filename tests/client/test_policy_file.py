"""Policies as files: YAML without its surprises."""

from pathlib import Path

import pytest
from gapo.policy_file import read


def written(folder: Path, text: str, name: str = "a.yaml") -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-1", 0.1),
        ("1.5E+3", 1500.0),
        (".5", 0.5),
        ("-3", -3),
        ("0", 0),
        ("0100", "0100"),
        ("1:30", "1:30"),
        ("0x10", "0x10"),
        ("'3'", "3"),
        ("no", False),
        ("text", "text"),
    ],
)
def test_numbers_are_those_of_yaml_1_2(tmp_path, text, value) -> None:
    found = read(written(tmp_path, f"x: {text}"))
    assert found == {"x": value}
    assert type(found["x"]) is type(value)


def test_json_is_read_as_json(tmp_path) -> None:
    assert read(written(tmp_path, '{\n\t"x": 8e-1}', "a.json")) == {"x": 0.8}
    assert read(written(tmp_path, "\ufeffx: 1")) == {"x": 1}


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("a.yaml", "x: 1\nx: 2", "'x' stands here twice"),
        ("a.yaml", "a:\n  x: 1\n  x: 2", "'x' stands here twice"),
        ("a.yaml", "1: 2", "1 is no name; quote it"),
        ("a.yaml", "a: &a {x: 1}\nb: {<<: *a}", "is no YAML of a policy"),
        ("a.yaml", "a: !!python/object:os.system {}", "is no YAML of a policy"),
        ("a.yaml", "x: [", "is no YAML of a policy"),
        ("a.yaml", "", "holds no fields"),
        ("a.yaml", "[]", "holds no fields"),
        ("a.yaml", "[" * 5000, "is no YAML of a policy"),
        ("a.json", '{"x": 1, "x": 2}', "'x' stands in one object twice"),
        ("a.json", "x: 1", "is no JSON of a policy"),
    ],
)
def test_what_is_no_policy_is_told(tmp_path, name, text, told) -> None:
    with pytest.raises(ValueError, match=r"^(is no|holds no)") as caught:
        read(written(tmp_path, text, name))
    assert told in str(caught.value)
