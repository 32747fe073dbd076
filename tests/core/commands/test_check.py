"""`gapo check` and the groups of the program."""

import json
from pathlib import Path

import pytest
from gapo.cli import build
from typer.testing import CliRunner

RUN = CliRunner()
WORDS = 'length_constraints:number_words:{"num_words": 3, "relation": "at least"}'


def gapo(*arguments: str, stdin: str | bytes | None = None):
    return RUN.invoke(build(), list(arguments), input=stdin, env={"COLUMNS": "160", "TERM": "dumb"})


def test_constraints_are_read_from_the_prompt() -> None:
    done = gapo("check", "--prompt", "Write about rain. Do not use any commas.", "--response", "Rain, rain.", "--json")
    answer = json.loads(done.stdout)
    (found,) = answer["constraints"]
    assert (found["id"], found["status"], found["observed"]) == ("punctuation:no_comma", "violated", 1)
    assert found["evidence"] == [{"start": 4, "end": 5}]
    assert found["span"]["start"] >= len("Write about rain.")
    assert "rain" in answer["remainder"]
    assert done.exit_code == 3


@pytest.mark.parametrize(
    ("response", "constraint", "status", "code"),
    [
        ("one two three", WORDS, "satisfied", 0),
        ("one two", WORDS, "violated", 3),
        ("123", 'language:response_language:{"language": "de"}', "unknown", 4),
    ],
)
def test_the_exit_status_tells_the_verdict(response: str, constraint: str, status: str, code: int) -> None:
    done = gapo("check", "--response", response, "--constraint", constraint, "--json")
    assert (json.loads(done.stdout)["status"], done.exit_code) == (status, code)
    assert gapo("check", "--response", response, "--constraint", constraint).exit_code == code


def test_a_prompt_without_constraints_is_no_proof() -> None:
    done = gapo("check", "--prompt", "Write about tea.", "--response", "Coffee.", "--json")
    assert (json.loads(done.stdout)["status"], json.loads(done.stdout)["constraints"], done.exit_code) == (
        "unknown",
        [],
        4,
    )


def test_the_table_marks_every_constraint_and_shows_the_evidence() -> None:
    done = gapo("check", "--response", "one, two", "--constraint", WORDS, "--constraint", "punctuation:no_comma")
    assert done.stdout.count("✗") == 2
    assert "1 comma found" in done.stdout
    assert "one, two" in done.stdout


def test_files_and_standard_input_are_read(tmp_path: Path) -> None:
    file = tmp_path / "prompt.txt"
    file.write_text("Answer in at least 3 words.", encoding="utf-8")
    done = gapo("check", "--prompt-file", str(file), "--response-file", "-", stdin="one two three")
    assert (done.exit_code, done.stdout.count("✓")) == (0, 1)


def test_a_byte_order_mark_is_no_part_of_a_text(tmp_path: Path) -> None:
    file = tmp_path / "response.txt"
    file.write_bytes(b"\xef\xbb\xbfDear reader,\r\nhello.")
    starts = 'startend:starts:{"phrase": "Dear reader"}'
    for given in (str(file), "-"):
        done = gapo("check", "--response-file", given, "--constraint", starts, stdin=file.read_bytes())
        assert done.exit_code == 0


def test_a_response_that_is_no_utf_8_is_an_error_from_a_file_and_from_standard_input(tmp_path: Path) -> None:
    file = tmp_path / "response.txt"
    file.write_bytes(b"caf\xe9")
    for given in (str(file), "-"):
        done = gapo("check", "--response-file", given, "--constraint", WORDS, stdin=file.read_bytes())
        assert (done.exit_code, done.stdout) == (1, "")
        assert "utf-8" in done.stderr


def test_the_mode_chooses_the_verdict() -> None:
    arguments = ["check", "--response", "42", "--constraint", "detectable_format:json_format"]
    assert gapo(*arguments).exit_code == 3
    assert gapo(*arguments, "--mode", "compat").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--response", "a", "--constraint", "keywords:existense"], "did you mean"),
        (["--response", "a", "--constraint", "keywords:existence:{"], "not JSON"),
        (["--response", "a", "--constraint", 'punctuation:no_comma:{"a": 1}'], "a: Extra inputs"),
        (["--response-file", "/nonexistent/file", "--constraint", "punctuation:no_comma"], "/nonexistent/file"),
        (["--prompt", "a"], "--response"),
        (["--response", "a"], "--constraint"),
        (["--response", "a", "--response-file", "b", "--prompt", "c"], "not both"),
        (["--prompt-file", "-", "--response-file", "-"], "stdin is read once"),
    ],
)
def test_mistakes_are_named(arguments: list[str], message: str) -> None:
    done = gapo("check", *arguments)
    assert done.exit_code in (1, 2)
    assert message in done.stderr
    assert not done.stdout


def test_verifiers_print_one_object(tmp_path: Path) -> None:
    responses = tmp_path / "ifeval/responses"
    responses.mkdir(parents=True)
    row = {"key": 1, "instruction_id_list": ["punctuation:no_comma"], "kwargs": [{}], "response": "a, b"}
    (responses / "model.jsonl").write_text(json.dumps({**row, "strict": [True], "loose": [False]}), encoding="utf-8")
    done = gapo("eval", "verifiers", "--data", str(tmp_path), "--json")
    report = json.loads(done.stdout)
    assert (report["strict"]["constraints"]["agreed"], report["loose"]["constraints"]["agreed"]) == (0, 1)
    assert report["disagreements"][0]["model"] == "model"
    table = gapo("eval", "verifiers", "--data", str(tmp_path)).stdout
    assert "punctuation:no_comma" in table
    assert "unexplained" in table


def test_packages_share_the_groups_of_the_program() -> None:
    groups = [info.name for info in build().registered_groups]
    assert groups.count("eval") == 1
    names = gapo("eval", "--help").stdout
    assert "verifiers" in names
    assert "rm" in names
