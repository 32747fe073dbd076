"""docs/server.md: its examples run, its table is the one of the errors."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from gapo_server.errors import RequestError
from gapo_server.rest import routes

TEXT = (Path(__file__).parents[2] / "docs/server.md").read_text(encoding="utf-8")


def snippets(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.S)


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is absent")
def test_the_curl_examples_run(server) -> None:
    commands = "".join(found for found in snippets("sh") if found.startswith("curl "))
    commands = commands.replace("http://127.0.0.1:8080", server.rest).replace("curl -s", "\ncurl -sf -w '\\n'")
    done = subprocess.run(["bash", "-ec", commands], capture_output=True, text=True, check=True, timeout=60)
    scored, models, checked, rewards, classes, reward = map(json.loads, done.stdout.splitlines())
    assert scored["results"][0]["probability"] > 0.5
    assert sorted(models) == ["limits", "models"]
    assert [result["status"] for result in checked["results"]] == ["violated", "violated"]
    assert rewards["rewards"] == rewards["scores"] == classes["data"][0]["probs"] == [reward]


@pytest.mark.parametrize("python", snippets("python"))
def test_the_python_examples_run(server, python) -> None:
    here = {"grpc://127.0.0.1:8081": server.grpc, "http://127.0.0.1:8080": server.rest}
    here["127.0.0.1:8081"] = server.grpc.removeprefix("grpc://")
    for documented, address in here.items():
        python = python.replace(documented, address)
    exec(python, {})


def kinds(kind: type[RequestError]) -> list[type[RequestError]]:
    return [kind, *(found for child in kind.__subclasses__() for found in kinds(child))]


def test_the_table_of_errors_is_the_one_of_the_code() -> None:
    only_rest = (routes.NotFound, routes.MethodNotAllowed)
    expected = {
        (kind.reason, str(kind.http), "" if kind in only_rest else kind.status.name) for kind in kinds(RequestError)
    }
    assert set(re.findall(r"^\| `(\w+)` \| (\d+) \| (\w*) ?\|", TEXT, re.MULTILINE)) == expected
