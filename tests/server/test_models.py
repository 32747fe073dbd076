"""`gapo models` on a store with two versions of the embedded model."""

import json
import os
import shutil
import subprocess

import pytest
import typer
from gapo_server.config import Settings
from gapo_server.models import register
from gapo_server.store import load_models
from typer.testing import CliRunner

from tests.server.running import GAPO, MANIFEST, MODEL, publish

NAME = MODEL.parent.name
KIND = f"{MANIFEST['precision']} {MANIFEST['architecture']['max_tokens']}"


@pytest.fixture
def store(tmp_path):
    for version in ("1", "2"):
        publish(tmp_path, NAME, version)
    return tmp_path


@pytest.fixture
def run(store):
    app = typer.Typer()
    register(app)
    return lambda *arguments: CliRunner().invoke(app, ["models", *arguments, "--store", str(store)])


def test_list_marks_the_version_that_is_served(run, store) -> None:
    assert run("list").stdout == f"{NAME} 1 {KIND}\n{NAME} 2 {KIND} default\n"
    rows = json.loads(run("list", "--json").stdout)["models"]
    assert [(row["version"], row["default"], row["problem"]) for row in rows] == [("1", False, ""), ("2", True, "")]


def test_promote_changes_what_is_loaded(run, store) -> None:
    settings = Settings(store=store)
    assert [model.manifest.version for model in load_models(settings)] == ["2"]
    assert run("promote", f"{NAME}/1").stdout == f"{store / NAME / '1'}\n"
    assert [model.manifest.version for model in load_models(settings)] == ["1"]
    assert run("list").stdout == f"{NAME} 1 {KIND} default\n{NAME} 2 {KIND}\n"


def test_a_damaged_bundle_is_named_and_not_promoted(run, store) -> None:
    (store / NAME / "2/tokenizer.json").write_text("{}")
    for command in ("verify", "promote"):
        done = run(command, f"{NAME}/2")
        assert done.exit_code == 1
        assert "tokenizer.json: its sha256 differs" in done.stderr
    assert json.loads(run("verify", f"{NAME}/2", "--json").stdout)["ok"] is False


def test_verify_and_show_take_a_name_or_a_folder(run, store) -> None:
    assert run("verify", f"{NAME}/1").stdout == "ok\n"
    assert run("verify", str(store / NAME / "1")).stdout == "ok\n"
    assert json.loads(run("show", f"{NAME}/2").stdout)["version"] == "2"


def test_an_unreadable_manifest_is_listed_as_such(run, store) -> None:
    (store / NAME / "1/manifest.json").write_text("{")
    assert run("list").stdout.splitlines()[0] == f"{NAME} 1 unreadable 0"


def test_list_shows_the_other_models_where_one_has_no_default(run, store) -> None:
    for version in "12":
        publish(store, "other", version)
    (store / NAME / ".default").write_text("9\n")
    done = run("list")
    assert done.stdout.splitlines() == [
        *(f"{NAME} {version} {KIND}" for version in "12"),
        f"other 1 {KIND}",
        f"other 2 {KIND} default",
    ]
    assert done.exit_code == 1
    assert "names version '9'" in done.stderr


@pytest.mark.parametrize("place", ["canary/1", f"{NAME}/2-canary", f"{NAME}/99"])
def test_a_folder_that_is_not_its_manifests_is_neither_served_nor_listed_as_such(run, store, place) -> None:
    shutil.copytree(store / NAME / "1", store / place)
    name, version = place.split("/")
    problem = (
        f"error: {store / place}: its manifest is of {NAME} 1; move it to {NAME}/1 in the store, "
        f"or export it with --name {name} --version {version}\n"
    )
    listed = run("list")
    assert (listed.exit_code, listed.stderr) == (1, problem)
    assert f"{name} {version} {KIND}" in listed.stdout.splitlines()
    (row,) = (
        r for r in json.loads(run("list", "--json").stdout)["models"] if (r["name"], r["version"]) == (name, version)
    )
    assert (row["default"], f"error: {row['problem']}\n") == (False, problem)
    done = subprocess.run([*GAPO, "serve", "--store", str(store)], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", problem)
    run("promote", f"{NAME}/1")
    assert (run("list").exit_code == 0) == (name == NAME)  # a version that is not served is in nobody's way


def test_promote_takes_no_folder_and_says_so(run, store) -> None:
    for bundle in (store / NAME / "1", NAME):
        done = run("promote", str(bundle))
        assert done.exit_code == 1
        assert done.stderr.startswith(f"error: {bundle}: is not NAME/VERSION")
    assert "folder" not in run("promote", "--help").stdout.partition("--store")[0]


def test_a_store_that_does_not_exist_is_an_error() -> None:
    done = subprocess.run([*GAPO, "models", "list", "--store", "/nope"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: /nope: this folder does not exist")


@pytest.mark.parametrize(
    "arguments", [("models", "verify", f"{NAME}/{MODEL.name}"), ("score", "--prompt", "x", "--response", "y")]
)
def test_a_wrong_variable_is_named_in_one_line(arguments) -> None:
    env = os.environ | {"GAPO_HTTP_PORT": "abc"}
    done = subprocess.run([*GAPO, *arguments], capture_output=True, text=True, env=env)
    assert done.returncode == 1
    assert done.stderr.startswith("error: GAPO_HTTP_PORT: Input should be a valid integer")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("command", ["show", "verify", "promote"])
def test_a_bundle_that_is_not_there_is_an_error(run, command) -> None:
    done = run(command, "nothing/1")
    assert done.exit_code == 1
    assert done.stderr.startswith("error: ")
