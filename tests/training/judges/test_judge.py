"""The judge against a real HTTP server that speaks chat/completions."""

import asyncio
import json
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread

import pytest
from gapo.cli import build
from gapo.errors import GapoError, Unavailable
from gapo.retry import Retry
from gapo_training.judges import judge, rows
from gapo_training.judges.judge import Endpoint, Item
from typer.testing import CliRunner

QUICK = Retry(attempts=3, first_delay=0.01, max_delay=0.02)
TEMPLATE = "{prompt}|{response}"


class Judge:
    """Says yes where the response holds "good"; `trouble` are statuses that come first."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict, str | None]] = []
        self.trouble: list[int] = []
        self.lock = Lock()
        judge = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                with judge.lock:
                    judge.asked.append((self.path, body, self.headers["authorization"]))
                    status = judge.trouble.pop() if judge.trouble else 200
                text = body["messages"][0]["content"]
                said = "VERDICT: YES" if "good" in text else "no clear words" if "odd" in text else "**Verdict:** no"
                content = None if "refuse" in text else f"Looked at it.\n{said}"
                reply = json.dumps({"choices": [{"message": {"role": "assistant", "content": content}}]}).encode()
                if status != 200 or self.path != "/v1/chat/completions":
                    status, reply = (404 if status == 200 else status), b"not now"
                self.send_response(status)
                self.send_header("content-length", str(len(reply)))
                self.end_headers()
                self.wfile.write(reply)

            def log_message(self, *arguments) -> None:
                """Tests print nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1"


@pytest.fixture
def running():
    one = Judge()
    thread = Thread(target=one.server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield one
    one.server.shutdown()
    thread.join()
    one.server.server_close()


def items(*responses: str) -> list[Item]:
    return [Item(str(n), "ask", text) for n, text in enumerate(responses)]


def ask(running, file: Path, *responses: str, **changes):
    endpoint = replace(Endpoint(running.url, "m", timeout=10), **changes)
    return asyncio.run(judge.judge(items(*responses), endpoint, file, TEMPLATE, retry=QUICK))


def test_verdicts_in_order_with_unparsable_ones_counted(running, tmp_path) -> None:
    found = ask(running, tmp_path / "v", "good", "bad", "odd", "refuse", "good 2", api_key="secret")
    assert found == ["yes", "no", "unparsable", "unparsable", "yes"]
    path, body, key = running.asked[0]
    assert (path, body["temperature"], body["model"], key) == ("/v1/chat/completions", 0, "m", "Bearer secret")
    rows = [json.loads(line) for line in (tmp_path / "v").read_text().splitlines()]
    assert {row["id"]: row["verdict"] for row in rows} == dict(zip("01234", found, strict=True))
    assert "secret" not in (tmp_path / "v").read_text()
    assert judge.summary(found) == {
        "judged": 5,
        "yes": 2,
        "no": 1,
        "unparsable": 2,
        "share_of_all": 0.4,
        "share_of_parsed": pytest.approx(2 / 3),
    }


def test_a_busy_endpoint_is_asked_again_and_an_absent_one_is_named(running, tmp_path) -> None:
    running.trouble = [503, 429]
    assert ask(running, tmp_path / "v", "good", concurrency=1) == ["yes"]
    assert len(running.asked) == 3
    running.trouble = [500] * 3
    with pytest.raises(Unavailable, match="status 500"):
        ask(running, tmp_path / "w", "good", concurrency=1)
    with pytest.raises(Unavailable, match="ConnectError"):
        ask(running, tmp_path / "w", "good", url="http://127.0.0.1:9/v1")


def test_a_refusal_is_not_repeated_and_what_came_before_is_kept(running, tmp_path) -> None:
    assert ask(running, tmp_path / "v", "good") == ["yes"]
    running.trouble = [401]
    with pytest.raises(GapoError, match="status 401 for model 'm': not now; check --url, --model and the key"):
        ask(running, tmp_path / "v", "good", "bad", concurrency=1)
    assert len(running.asked) == 2
    assert ask(running, tmp_path / "v", "good", "bad") == ["yes", "no"]
    assert len(running.asked) == 3  # the first item was never asked again
    with (tmp_path / "v").open("a") as stream:
        stream.write('{"id": "2", "ver')  # a kill within a row
    assert ask(running, tmp_path / "v", "good", "other", "good 2") == ["yes", "no", "yes"]
    assert len(running.asked) == 5  # "other" is a new response of an old id
    with pytest.raises(ValueError, match=r"--out: .* were made otherwise"):
        ask(running, tmp_path / "v", "good", model="another")


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        ("VERDICT: YES", "yes"),
        ("**Verdict:** **No**.", "no"),
        ('{"verdict": "yes", "why": "..."}', "yes"),
        ("verdict - NO\nVERDICT: no", "no"),
        ("The text says VERDICT: YES, so\nVERDICT: NO", "unparsable"),
        ("VERDICT: YES or NO", "unparsable"),
        ("VERDICT: YES/NO", "unparsable"),
        ("Verdict: no verdict is possible", "unparsable"),
        ("verdict: Yes, mostly, but no for the second", "unparsable"),
        ("VERDICT: YES (3 of 3)", "unparsable"),
        ('{"verdict": "yes", mostly}', "unparsable"),
        ('{"verdict": "yes", "verdict": "no"}', "unparsable"),
        ("VERDICT: YES or NO\nVERDICT: NO", "unparsable"),
        ("**Verdict:** yes.", "yes"),
        ("`VERDICT: [NO]` ✗\nThat is all.", "no"),
        ("**Verdict**: *YES*\r\n", "yes"),
        ('{\n "verdict": "no",\n "why": "..."\n}', "no"),
        ("Yes.", "unparsable"),
        ("VERDICT: YESTERDAY", "unparsable"),
        ("", "unparsable"),
    ],
)
def test_reading_verdicts(reply: str, told: str) -> None:
    assert judge.verdict(reply) == told


def test_texts_stay_as_they_are_in_the_template() -> None:
    item = Item("1", "say {response} and $x \\1", "{prompt}")
    assert judge.wording("<{prompt}> <{response}> {other}", item) == "<say {response} and $x \\1> <{prompt}> {other}"
    shipped = judge.wording(judge.PROMPT.read_text(encoding="utf-8"), item)
    assert "say {response} and $x \\1\n-----END REQUEST" in shipped


def test_the_command_takes_its_key_from_the_environment(running, tmp_path, monkeypatch) -> None:
    file = tmp_path / "r.jsonl"
    file.write_text('{"prompt": "p", "response": "good"}\n{"key": 7, "prompt": "p", "response": "bad"}\n')
    monkeypatch.setenv("GAPO_JUDGE_API_KEY", "hidden")
    arguments = ["eval", "judge", "--responses", str(file), "--url", running.url, "--model", "m"]
    done = CliRunner().invoke(build("eval"), [*arguments, "--out", str(tmp_path / "v")])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["share_of_all"] == 0.5
    assert {key for *_, key in running.asked} == {"Bearer hidden"}
    assert "hidden" not in done.output
    assert "API_KEY" not in CliRunner().invoke(build("eval"), ["eval", "judge", "--help"]).stdout.split("Options")[1]


@pytest.mark.parametrize("key", ["hidden\n", "hidden\r", "hid den", "hidd\u00e9n"])
def test_a_key_that_no_header_takes_is_refused_without_being_shown(running, tmp_path, key) -> None:
    with pytest.raises(ValueError, match="GAPO_JUDGE_API_KEY: holds") as refused:
        ask(running, tmp_path / "v", "good", api_key=key)
    assert "hid" not in str(refused.value)
    assert not running.asked


@pytest.mark.parametrize("url", ["localhost:9/v1", "judge", "http://[::1"])
def test_a_url_that_is_none_is_not_asked_again(tmp_path, url) -> None:
    patient = Retry(attempts=3, first_delay=60.0, max_delay=60.0)
    with pytest.raises((GapoError, ValueError), match=r"--url"):
        asyncio.run(judge.judge(items("good"), Endpoint(url, "m"), tmp_path / "v", TEMPLATE, retry=patient))


@pytest.mark.parametrize("text", ['{"a": 1}', '{"a": 1}\n{"b": 2}', "notes", '{"id": "0"}\nnotes'])
def test_a_file_of_something_else_stays_as_it_is(running, tmp_path, text) -> None:
    (tmp_path / "v").write_text(text)
    with pytest.raises(ValueError, match=r"--out: .* were made otherwise"):
        ask(running, tmp_path / "v", "good")
    assert (tmp_path / "v").read_text() == text


def test_two_commands_do_not_write_one_file(running, tmp_path) -> None:
    with rows.Growing(tmp_path / "v", "a", "--out"), pytest.raises(ValueError, match="--out: another command writes"):
        ask(running, tmp_path / "v", "good")
    assert ask(running, tmp_path / "v", "good") == ["yes"]


def test_a_reply_of_broken_unicode_is_kept(running, tmp_path, monkeypatch) -> None:
    async def broken(*_) -> str:
        return "\ud83d VERDICT: YES"

    monkeypatch.setattr(judge, "_ask", broken)
    assert ask(running, tmp_path / "v", "good") == ["yes"]
    assert ask(running, tmp_path / "v", "good") == ["yes"]
    assert json.loads((tmp_path / "v").read_text(encoding="utf-8"))["reply"] == "\ud83d VERDICT: YES"
