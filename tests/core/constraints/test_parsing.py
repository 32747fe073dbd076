"""Constraints read from prompts: golden prompts, round trips, invariants on any text, figures on annotated data."""

import json
import time
from collections import Counter
from pathlib import Path

import pytest
from gapo_core.commands.parser import figures
from gapo_core.constraints import Constraint, parse
from gapo_core.constraints.parsing.evaluation import Row, measure
from hypothesis import given, settings
from hypothesis import strategies as st

GOLDEN = Path(__file__).parent / "golden"
PROMPTS = [
    json.loads(line)
    for name in ("before", "after")
    for line in (GOLDEN / "prompts" / f"{name}_rules.jsonl").read_text(encoding="utf-8").splitlines()
]


def read(prompt: str) -> list[Constraint]:
    return [parsed.constraint for parsed in parse(prompt).constraints]


@pytest.mark.parametrize("row", PROMPTS, ids=[row["prompt"][:60] for row in PROMPTS])
def test_golden_prompts(row) -> None:
    assert Counter(read(row["prompt"])) == Counter(Constraint(c["id"], c["kwargs"]) for c in row["constraints"])


@pytest.mark.parametrize("request_", ["I want to know why the sky is blue", "My aunt says that cats can fly"])
def test_a_demand_on_the_response_needs_no_full_stop_before_it(request_) -> None:
    found = read(f"{request_} The response must contain between 57 and 61 words.")
    assert found == [Constraint("count:word_count_range", {"min_words": 57, "max_words": 61})]
    assert read("I think that the response must contain between 57 and 61 words.") == []


@pytest.mark.parametrize(
    "prompt",
    [
        "Describe a phone. brand: Acme; colour: red",
        "Describe a phone.\n- brand: Acme\n- colour: red",
        "brand[Acme], colour[red]",
        'Describe this phone: {"brand": "Acme", "colour": "red"}',
        "Tell a customer about a phone where the brand is Acme and the colour is red.",
        "Write a text about a phone with brand = Acme; colour = red",
        "Mention the facts: brand (Acme); colour (red)",
    ],
)
def test_attribute_lists(prompt) -> None:
    wanted = [Constraint("attribute:value", {"slot": s, "value": v}) for s, v in (("brand", "Acme"), ("colour", "red"))]
    assert read(prompt) == wanted


def test_settings_of_a_task_are_no_attributes() -> None:
    assert read("Write a text.\nTone: formal\nTopic: dogs\nAudience: children") == []


def test_the_remainder_keeps_what_no_constraint_says() -> None:
    found = parse("Write a story about a fox. Use at least 300 words. Make it sad.")
    assert found.remainder == "Write a story about a fox. Make it sad."


PIECES = [row["prompt"] for row in PROMPTS] + [
    '"',
    "'",
    "***",
    "{",
    "[",
    "```\n",
    "\n\n",
    "\ud800",
    "\0",
    ": ",
    "at least ",
]


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.text(), st.lists(st.sampled_from(PIECES), max_size=6).map("".join)))
def test_any_text_is_read_with_spans_inside_it(prompt) -> None:
    found = parse(prompt)
    spans = sorted({parsed.span for parsed in found.constraints})
    assert all(0 <= span.start < span.end <= len(prompt) for span in spans)
    assert found == parse(prompt)


@pytest.mark.parametrize(
    "piece",
    [
        'Use at least 300 words, not "x" or the letter e; include y twice. "',
        "a: b; ",
        "say that the x is y and ",
        "\n",
        '"',
    ],
)
def test_a_hostile_megabyte_takes_less_than_a_second(piece) -> None:
    parse("Use at least three words.")  # compiled patterns and families are not part of the measurement
    started = time.process_time()
    parse(piece * (1_000_000 // len(piece)))
    assert time.process_time() - started < 1


def test_both_ends_of_a_long_prompt_are_read() -> None:
    prompt = "Use at least 30 words. " + "Tea is good. " * 5000 + "Do not use commas."
    found = parse(prompt)
    assert [prompt[p.span.start : p.span.end] for p in found.constraints] == ["at least 30 words", "not use commas"]


def test_figures_on_annotated_prompts(real_data) -> None:
    """Below what was measured, above what a broken rule leaves; `gapo eval parser` prints the figures."""
    found = figures(real_data)
    assert found["ifeval"].precision > 0.97
    assert found["ifeval"].recall > 0.95
    assert found["ifeval"].kwargs_exact >= 0.92
    assert found["ifbench"].recall >= 0.9


@pytest.mark.parametrize(
    ("name", "recall"), [("contact_first", 0.96), ("contact_second", 0.96), ("contact_third", 0.9)]
)
def test_figures_on_unfamiliar_wordings(name, recall) -> None:
    """Below what was measured after the classes of errors were mended; docs/constraints-parsing.md has both."""
    lines = (GOLDEN / "prompts" / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    texts = [json.loads(line) for line in lines]
    found = measure(
        Row(t["prompt"], t["prompt"], tuple((c["id"], c["kwargs"]) for c in t["constraints"])) for t in texts
    )
    assert found.precision > 0.96
    assert found.recall > recall
