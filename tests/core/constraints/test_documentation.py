"""The pages on constraints name every id, and their example runs."""

import re
from pathlib import Path

import pytest
from gapo_core.constraints.registry import families

DOCS = Path(__file__).parents[3] / "docs"
PAGES = "\n".join(file.read_text(encoding="utf-8") for file in sorted(DOCS.glob("constraints*.md")))
ROWS = dict(re.findall(r"^\| `([a-z_]+:[a-z_]+)` \| ([^|]*) \|", PAGES, re.MULTILINE))


@pytest.mark.parametrize("id", sorted(families()))
def test_every_id_is_documented(id: str) -> None:
    assert f"`{id}`" in PAGES


@pytest.mark.parametrize("id", sorted(id for id in ROWS if ":" in id and ROWS[id].count("…") == 0))
def test_the_documented_arguments_exist(id: str) -> None:
    named = set(re.findall(r"`(\w+)`", ROWS[id]))
    assert named <= set(families()[id].kwargs.model_json_schema()["properties"])


def test_the_example_of_the_page_runs() -> None:
    (example,) = re.findall(r"```python\n(.*?)```", (DOCS / "constraints.md").read_text(encoding="utf-8"), re.DOTALL)
    exec(example, {})
