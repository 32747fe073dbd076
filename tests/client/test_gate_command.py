"""`gapo gate`: one pair and files, on a server and in this process."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.server.running import BAD, GAPO, GOOD, PROMPT, running

POLICY = "score: {allow: 0.8, block: 0.2}\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("policies")
    (folder / "products.yaml").write_text(POLICY, encoding="utf-8")
    with running("--policies", str(folder)) as started:
        yield started


@pytest.fixture
def policy(tmp_path) -> Path:
    file = tmp_path / "policy.yaml"
    file.write_text(POLICY, encoding="utf-8")
    return file


def gapo(*arguments: str, **kwargs) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([*GAPO, "gate", *arguments], capture_output=True, text=True, timeout=120, **kwargs)


@pytest.mark.parametrize(("response", "status", "decision"), [(GOOD, 0, "allow"), (BAD, 3, "block"), ("", 3, "block")])
def test_the_exit_status_is_the_decision_here_and_on_a_server(server, policy, response, status, decision) -> None:
    pair = ("--prompt", PROMPT, "--response", response, "--json")
    here = gapo(*pair, "--policy", str(policy))
    there = gapo(*pair, "--policy", "products", "--url", server.grpc)
    assert [(done.returncode, done.stderr) for done in (here, there)] == [(status, "")] * 2
    (one, other) = (json.loads(done.stdout) for done in (here, there))
    assert one["decision"] == other["decision"] == decision
    assert one["reasons"] == other["reasons"]
    assert one["constraints"] == other["constraints"]


def test_a_prompt_without_constraints_is_reviewed_and_told(server) -> None:
    done = gapo("--prompt", "Write about tea.", "--response", "Tea.", "--url", server.rest)
    assert done.returncode == 4
    assert done.stdout == "review\n  review: no constraint was found in the prompt, and no model is asked\n"


def test_a_file_is_decided_in_order_and_counted(server, policy, tmp_path) -> None:
    source, output = tmp_path / "pairs.jsonl", tmp_path / "decisions.jsonl"
    rows = [{"prompt": PROMPT, "response": response} for response in (GOOD, BAD, "") * 30] + [{"prompt": PROMPT}]
    source.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    options = ["--input", str(source), "--output", str(output), "--policy", str(policy), "--on-error", "skip", "--json"]
    done = gapo(*options, "--url", server.rest)
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert {key: summary[key] for key in ("allow", "review", "block", "failed")} == {
        "allow": 30,
        "review": 0,
        "block": 60,
        "failed": 1,
    }
    found = [json.loads(line) for line in output.read_text(encoding="utf-8").splitlines()]
    assert [row["line"] for row in found] == list(range(1, 91))
    assert [row["decision"] for row in found] == ["allow", "block", "block"] * 30


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("absent.yaml", None, "No such file"),
        ("a.yaml", "score: [", "is no YAML"),
        ("a.json", "{", "is no JSON"),
        ("a.yaml", "text", "holds no fields"),
        ("a.yaml", b"\xff", "is no YAML"),
        ("products", None, "names are those of a server"),
    ],
)
def test_a_policy_that_cannot_be_read_is_told(tmp_path, name, text, told) -> None:
    file = tmp_path / name
    if text is not None:
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
    done = gapo("--prompt", "p", "--response", "r", "--policy", str(file))
    assert (done.returncode, done.stdout) == (2, "")
    assert told in " ".join(done.stderr.replace("│", " ").split())


def test_a_file_is_continued_under_one_policy_only(server, policy, tmp_path) -> None:
    source, output = tmp_path / "pairs.jsonl", tmp_path / "decisions.jsonl"
    source.write_text("".join(json.dumps({"prompt": PROMPT, "response": GOOD}) + "\n" for _ in range(4)), "utf-8")
    options = ["--input", str(source), "--output", str(output), "--url", server.rest]
    assert gapo(*options, "--policy", str(policy)).returncode == 0
    whole = output.read_text(encoding="utf-8").splitlines(keepends=True)
    output.write_text("".join(whole[:2]), encoding="utf-8")
    other = gapo(*options, "--resume")
    assert (other.returncode, output.read_text(encoding="utf-8")) == (1, "".join(whole[:2]))
    assert "holds rows of another command or policy" in other.stderr
    assert gapo(*options, "--policy", str(policy), "--resume").returncode == 0
    assert output.read_text(encoding="utf-8").splitlines(keepends=True) == whole


def test_a_policy_with_a_wrong_field_is_told_by_it(tmp_path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("score: {allow: 0.2, block: 0.8}", encoding="utf-8")
    done = gapo("--prompt", "p", "--response", "r", "--policy", str(file))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: inline_policy.score: ")
    assert "exchange them" in done.stderr
