"""`gapo score`: one pair and files, on a server and in this process."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.server.running import BAD, FAULTY, GAPO, GOOD, PROMPT, running


@pytest.fixture(scope="module")
def server():
    with running() as started:
        yield started


def gapo(*arguments: str, **kwargs) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([*GAPO, "score", *arguments], capture_output=True, text=True, timeout=120, **kwargs)


def lines(*responses: object) -> str:
    return "".join(json.dumps({"prompt": PROMPT, "response": response}) + "\n" for response in responses)


def rows(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_one_pair_in_this_process_equals_the_server(server) -> None:
    told = [gapo("--prompt", PROMPT, "--response", GOOD, "--json", *url) for url in ([], ["--url", server.grpc])]
    results = [json.loads(done.stdout) for done in told]
    assert all(len(done.stdout.splitlines()) == 1 and not done.stderr for done in told)
    assert results[0]["score"] == pytest.approx(results[1]["score"], abs=1e-4)
    assert sorted(results[0]) == sorted(results[1])


def test_one_pair_as_text_and_options_that_reach_the_server(server) -> None:
    done = gapo("--prompt", PROMPT, "--response", GOOD, "--url", server.rest)
    assert done.stdout.startswith("score ")
    done = gapo("--prompt", "a b c", "--response", "d", "--url", server.rest, "--prompt-budget", "2")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: pairs[0].prompt: has 3 tokens and may have 2")
    done = gapo("--prompt", "a b c", "--response", "d", "--url", server.rest, "--model", "absent")
    assert "'absent' is not served" in done.stderr


def test_a_file_in_order_with_its_summary(server, tmp_path) -> None:
    source, output = tmp_path / "pairs.jsonl", tmp_path / "scores.jsonl"
    source.write_text("\n" + lines(*(GOOD, BAD) * 150))
    done = gapo("--input", str(source), "--output", str(output), "--url", server.grpc, "--json")
    assert json.loads(done.stdout)["scored"] == 300
    scores = rows(output)
    assert [row["line"] for row in scores] == list(range(2, 302))
    assert all(good["score"] > bad["score"] for good, bad in zip(scores[::2], scores[1::2], strict=True))
    assert "300 pairs" in done.stderr  # the progress bar


def test_pipes(server) -> None:
    done = gapo("--input", "-", "--url", server.rest, input=lines(GOOD, BAD))
    assert [json.loads(line)["line"] for line in done.stdout.splitlines()] == [1, 2]


def test_an_output_is_never_overwritten_unasked(server, tmp_path) -> None:
    source, output = tmp_path / "pairs.jsonl", tmp_path / "scores.jsonl"
    source.write_text(lines(GOOD))
    output.write_text("precious\n")
    arguments = ("--input", str(source), "--output", str(output), "--url", server.rest)
    done = gapo(*arguments)
    assert done.returncode == 1
    assert "--resume continues it, --force overwrites it" in done.stderr
    assert gapo(*arguments, "--resume").returncode == 1
    assert output.read_text() == "precious\n"
    assert gapo(*arguments, "--force").returncode == 0
    assert len(rows(output)) == 1


def test_long_pairs_wait_here_and_not_at_the_server(tmp_path) -> None:
    """384,000 tokens go to a server that holds 131,072 and is slow at first; it never has to refuse any."""
    source, output = tmp_path / "pairs.jsonl", tmp_path / "scores.jsonl"
    source.write_text(lines(*["slow " + "a " * 2999] * 4, *["a " * 3000] * 124))
    with running("--max-queue-tokens", "131072", program=FAULTY) as slow:
        done = gapo("--input", str(source), "--output", str(output), "--url", slow.rest, "--retries", "0")
    assert done.returncode == 0, done.stderr
    assert [row["line"] for row in rows(output)] == list(range(1, 129))


def test_limits_of_a_server_do_not_bound_scoring_in_this_process(tmp_path) -> None:
    source, output = tmp_path / "pairs.jsonl", tmp_path / "scores.jsonl"
    source.write_text(lines(GOOD, BAD))
    environment = os.environ | {"GAPO_REQUEST_TIMEOUT": "0.001", "GAPO_MAX_QUEUE_TOKENS": "8"}
    done = gapo("--input", str(source), "--output", str(output), "--retries", "0", env=environment)
    assert done.returncode == 0, done.stderr
    assert len(rows(output)) == 2


def test_variables_of_a_server_do_not_choose_the_model_in_this_process(tmp_path) -> None:
    environment = os.environ | {"GAPO_STORE": str(tmp_path), "GAPO_BUNDLE": str(tmp_path), "GAPO_API_KEY": ""}
    done = gapo("--prompt", PROMPT, "--response", GOOD, env=environment)
    assert (done.returncode, done.stderr) == (0, "")


WRONG = {
    "{": "is not JSON",
    "[]": "is not an object",
    '{"prompt": "x"}': "response: is missing",
    '{"prompt": "x", "response": 3}': "response: is missing or not a string",
    '{"prompt": "x", "response": " "}': "is empty",
    '{"prompt": "' + "y " * 9000 + '", "response": "z"}': "tokens and may have",
}


@pytest.mark.parametrize("wrong", WRONG, ids=list(WRONG.values()))
def test_stop_names_file_and_line_and_keeps_what_was_before(server, tmp_path, wrong) -> None:
    source, output = tmp_path / "pairs.jsonl", tmp_path / "scores.jsonl"
    source.write_text(lines(GOOD, BAD) + wrong + "\n" + lines(GOOD))
    done = gapo("--input", str(source), "--output", str(output), "--url", server.rest)
    assert done.returncode == 1
    error = done.stderr.splitlines()[-1]
    assert error.startswith(f"error: {source}:3: ")
    assert WRONG[wrong] in error
    assert "--on-error skip" in error
    assert [row["line"] for row in rows(output)] == [1, 2]


def test_skip_writes_the_errors_beside_and_scores_the_rest(server, tmp_path) -> None:
    source, output = tmp_path / "pairs.jsonl", tmp_path / "scores.jsonl"
    source.write_bytes((lines(GOOD) + "\n".join(WRONG) + "\n").encode() + b"\xff\xfe\n" + lines(BAD).encode())
    done = gapo("--input", str(source), "--output", str(output), "--url", server.grpc, "--on-error", "skip", "--json")
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert (summary["scored"], summary["failed"], summary["errors"]) == (2, 7, f"{output}.errors")
    assert [row["line"] for row in rows(output)] == [1, 9]
    errors = rows(Path(f"{output}.errors"))
    assert [row["line"] for row in errors] == list(range(2, 9))
    assert errors[4]["field"] == "response"
    assert "UTF-8" in errors[6]["error"]


@pytest.mark.parametrize("protocol", ["rest", "grpc"])
def test_skip_passes_texts_that_no_request_can_hold(server, tmp_path, protocol) -> None:
    source, output = tmp_path / "pairs.jsonl", tmp_path / "scores.jsonl"
    control = "\0" * 900_000  # within the limit of a text; its JSON is over that of a request
    bad = json.dumps({"prompt": control, "response": control}) + "\n"
    source.write_text(lines(GOOD, "a" * (9 << 20)) + bad + lines("\ud800", BAD))
    arguments = ("--input", str(source), "--output", str(output), "--on-error", "skip")
    done = gapo(*arguments, "--url", getattr(server, protocol))
    assert done.returncode == 0, done.stderr
    assert [row["line"] for row in rows(output)] == [1, 5]
    errors = rows(Path(f"{output}.errors"))
    assert [row["line"] for row in errors] == [2, 3, 4]
    assert [errors[0]["field"], errors[2]["field"]] == ["response", "response"]
    assert all("pairs[" not in json.dumps(row) for row in errors)


def test_a_killed_run_is_resumed_without_a_gap_or_a_double(server, tmp_path) -> None:
    source, output = tmp_path / "pairs.jsonl", tmp_path / "scores.jsonl"
    source.write_text(lines(*(GOOD, BAD, " ") * 500))
    arguments = ["--input", str(source), "--output", str(output), "--url", server.rest, "--on-error", "skip"]
    with subprocess.Popen([*GAPO, "score", *arguments], stderr=subprocess.DEVNULL) as process:
        end = time.monotonic() + 60
        while not output.exists() or output.stat().st_size == 0:
            assert time.monotonic() < end
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    assert len(rows(output)) < 1000
    with output.open("ab") as stream:
        stream.write(b'{"line": 77')  # as a crash in the middle of a write leaves it
    done = gapo(*arguments, "--resume", "--json")
    assert json.loads(done.stdout)["resumed_after_line"] > 0
    assert [row["line"] for row in rows(output)] == [n for n in range(1, 1501) if n % 3]
    assert [row["line"] for row in rows(Path(f"{output}.errors"))] == list(range(3, 1501, 3))


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--prompt", "x"],
        ["--prompt", "x", "--response", "y", "--input", "z"],
        ["--prompt", "x", "--input", "z"],
        ["--input", "x", "--json"],
        ["--prompt", "x", "--response", "y", "--output", "z"],
        ["--prompt", "x", "--response", "y", "--resume"],
        ["--prompt", "x", "--response", "y", "--url", "http://127.0.0.1:9", "--bundle", "z"],
    ],
)
def test_contradictory_arguments_are_refused(arguments) -> None:
    done = gapo(*arguments)
    assert (done.returncode, done.stdout) == (2, "")


def test_a_bundle_is_not_passed_over_for_the_server_of_the_environment() -> None:
    arguments = ("--prompt", "x", "--response", "y", "--bundle", "z")
    done = gapo(*arguments, env=os.environ | {"GAPO_URL": "http://127.0.0.1:9"})
    assert done.returncode == 2
    assert "GAPO_URL" in done.stderr


def test_missing_files_servers_and_bundles_are_one_line(tmp_path) -> None:
    for arguments in (
        ["--input", str(tmp_path / "absent.jsonl")],
        ["--prompt", "x", "--response", "y", "--url", "http://127.0.0.1:9", "--retries", "0"],
        ["--prompt", "x", "--response", "y", "--bundle", str(tmp_path)],
        ["--prompt", "x", "--response", "y", "--url", "http://[::1"],
        ["--prompt", "x", "--response", "y", "--url", "http://127.0.0.1:9", "--api-key", "k\n"],
    ):
        done = gapo(*arguments)
        assert done.returncode == 1
        assert done.stderr.startswith("error: ")
        assert len(done.stderr.splitlines()) == 1


def test_a_reader_that_goes_away_is_no_traceback(server, tmp_path) -> None:
    source = tmp_path / "pairs.jsonl"
    source.write_text(lines(*(GOOD,) * 300))
    command = [*GAPO, "score", "--input", str(source), "--url", server.rest]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.read(10)
        process.stdout.close()
        errors = process.stderr.read()
    assert b"Traceback" not in errors


def test_memory_stays_flat_for_a_long_file() -> None:
    """Lines are read as they are needed: an endless stdin is scored until it ends."""
    command = [*GAPO, "score", "--input", "-"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        process.stdin.write(lines(*(GOOD,) * 64 * 8).encode())
        process.stdin.flush()  # stdin stays open: answers come before its end
        first = process.stdout.readline()
        assert json.loads(first)["line"] == 1
        process.stdin.close()
        assert len(process.stdout.readlines()) == 64 * 8 - 1
    assert process.returncode == 0


def test_without_the_server_extra_scoring_in_process_says_what_to_install(tmp_path) -> None:
    program = "import sys; sys.modules['gapo_server.local'] = None; from gapo.cli import main; main()"
    command = [sys.executable, "-c", program, "score", "--prompt", "x", "--response", "y"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "pip install 'gapo[server]'" in done.stderr
