"""What `gapo score` does to the files that it is given, and when."""

import json
import sys
from pathlib import Path

import pytest
from gapo import InvalidInput, Score
from gapo.cli import build
from gapo.commands.jsonl import FileError, Line, Source
from gapo.commands.results_file import ResultsFile
from typer.testing import CliRunner

SCORED = (Line(1, 10), Score(0.5, 0.6, 1, 1, 0))
FAILED = (Line(2, 10), InvalidInput("is empty", "response"))


@pytest.fixture
def pairs(tmp_path) -> Path:
    path = tmp_path / "pairs.jsonl"
    path.write_text(json.dumps({"prompt": "x", "response": "y"}) + "\n")
    return path


@pytest.mark.parametrize("resume", [False, True])
def test_the_input_is_never_written_to(pairs, tmp_path, resume, monkeypatch) -> None:
    held, link, scores = pairs.read_bytes(), tmp_path / "link.jsonl", tmp_path / "scores.jsonl"
    link.symlink_to(pairs)
    (tmp_path / "pairs.errors").hardlink_to(pairs)
    with pairs.open() as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        for name, output, errors, message in (
            (pairs, pairs, None, "is the input; give --output"),
            (pairs, link, None, "is the input; give --output"),
            ("-", pairs, None, "is the input; give --output"),
            (pairs, scores, link, "is the input; give --errors"),
            (pairs, tmp_path / "pairs", None, "is the input; give --errors"),
            (pairs, scores, tmp_path / "absent/../scores.jsonl", "is the output; give --errors"),
        ):
            with Source(str(name)) as source, pytest.raises(FileError, match=message):
                ResultsFile(str(output), errors, resume, not resume, source)
    assert pairs.read_bytes() == held
    assert not scores.exists()


def test_a_folder_of_errors_that_is_not_there_is_told_at_once(pairs, tmp_path) -> None:
    with Source(str(pairs)) as source, pytest.raises(FileError, match="its folder does not exist"):
        ResultsFile(str(tmp_path / "scores.jsonl"), tmp_path / "absent/errors", False, False, source)


def test_a_device_takes_scores_and_errors(pairs) -> None:
    with Source(str(pairs)) as source, ResultsFile("/dev/null", Path("/dev/null"), False, False, source) as output:
        assert output.write([SCORED, FAILED]) == 1


def test_force_keeps_the_old_results_until_there_are_new_ones(pairs, tmp_path) -> None:
    scores, errors = tmp_path / "scores.jsonl", tmp_path / "scores.jsonl.errors"
    scores.write_text("old\n")
    errors.write_text("old\n")
    arguments = ["--input", str(pairs), "--output", str(scores), "--force", "--url", "http://127.0.0.1:9"]
    done = CliRunner().invoke(build("score"), ["score", *arguments, "--retries", "0"])
    assert done.exit_code == 1
    assert (scores.read_text(), errors.read_text()) == ("old\n", "old\n")
    with Source(str(pairs)) as source, ResultsFile(str(scores), None, False, True, source) as output:
        output.write([])  # as when the first line stops the run
        assert scores.read_text() == "old\n"
        output.write([SCORED])
        output.write([SCORED])
    assert len(scores.read_text().splitlines()) == 2
    assert errors.read_text() == ""
    with Source(str(pairs)) as source, ResultsFile(str(scores), None, False, True, source):
        pass
    assert scores.read_text() == ""
