"""docs/server.md and docs/gate.md: their examples run, the table of errors is the one of the code."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from gapo_server.errors import RequestError
from gapo_server.gate.policy import Policy, ScoreRule, read_folder
from gapo_server.rest import routes

DOCS = Path(__file__).parents[2] / "docs"
TEXT = (DOCS / "server.md").read_text(encoding="utf-8")
GATE = (DOCS / "gate.md").read_text(encoding="utf-8")


def snippets(language: str, text: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, re.S)


def curled(text: str, server) -> list:
    """What the examples with curl get."""
    commands = "".join(found for found in snippets("sh", text) if found.startswith("curl "))
    commands = commands.replace("http://127.0.0.1:8080", server.rest).replace("curl -s", "\ncurl -sf -w '\\n'")
    done = subprocess.run(["bash", "-ec", commands], capture_output=True, text=True, check=True, timeout=60)
    return [json.loads(line) for line in done.stdout.splitlines()]


def near(score: float):
    return pytest.approx(score, abs=1e-4)


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is absent")
def test_the_curl_examples_run(server) -> None:
    scored, models, checked, rewards, classes, reward, *others = curled(TEXT, server)
    pairs, ranked, embedded, predicted, ranked_texts, inferred = others
    assert scored["results"][0]["probability"] > 0.5
    assert sorted(models) == ["limits", "models"]
    assert [result["status"] for result in checked["results"]] == ["violated", "violated"]
    assert rewards["rewards"] == rewards["scores"] == classes["data"][0]["probs"] == embedded["embedding"] == [reward]
    (good, bad), result = (row["score"] for row in pairs["data"]), scored["results"][0]
    assert good > bad
    assert [(row["index"], row["relevance_score"]) for row in ranked["results"]] == [(1, near(good))]
    assert [row["index"] for row in ranked_texts] == [1, 0]
    told = {output["name"]: output["data"] for output in inferred["outputs"]}
    assert predicted[0][0]["score"] == near(good) == result["score"] == near(told["rewards"][0])
    assert ranked_texts[0]["score"] == near(result["probability"]) == told["probability"][0]


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is absent")
def test_the_curl_examples_of_the_gate_run(server) -> None:
    gated, policies = curled(GATE, server)
    assert [result["decision"] for result in gated["results"]] == ["block"]
    assert [policy["name"] for policy in policies["policies"]] == ["default"]


def test_the_gates_policy_can_be_and_its_table_is_the_one_of_the_code(tmp_path) -> None:
    (policy,) = snippets("yaml", GATE)
    (tmp_path / "products.yaml").write_text(policy, encoding="utf-8")
    assert read_folder(tmp_path)["products"].score.allow == 0.8
    fields = {*Policy.model_fields, *(f"score.{name}" for name in ScoreRule.model_fields)} - {"score"}
    assert set(re.findall(r"^\| `([\w.]+)` \|", GATE, re.MULTILINE)) == fields


@pytest.mark.parametrize("python", [*snippets("python", TEXT), *snippets("python", GATE)])
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
