"""Every registered family gives a verdict on hostile responses of a megabyte, each in under a second (a slow study).

The default run takes shorter ones and a limit that no speed of machine explains: it finds what hangs."""

import json
import sys
import time

import pytest
from gapo_core.constraints import Constraint, ConstraintError, document, reference
from gapo_core.constraints.registry import families

MEGABYTE = 1_000_000  # characters
SECONDS = 1.0  # of processor time, for a megabyte on a machine that does nothing else
HANGS = 8.0  # seconds that only a check that grows faster than its text takes for a twentieth of that

UNITS = {
    "blank lines": "\n",
    "spaces": " ",
    "one letter": "a",
    "prose": "The old man walks to the river. ",
    "lines of prose": "The old man, at 3.14 km, walks to the river!\n\n",
    "stars": "*",
    "emphasis": "*a ",
    "underscores": "_a",
    "commas": ",",
    "full stops": ".",
    "questions": "?! ",
    "quotes": '"',
    "nested brackets": "[",
    "nested objects": '{"a":',
    "placeholders": "[a](",
    "angle brackets": "<<a",
    "fences": "```\n",
    "bullets": "- \n* a\n",
    "numbers": "1. 1) ",
    "table": "|a|b\n",
    "bomb": "a" * 3_000 + "!",
    "postscripts": "P.S. ",
    "answers": "My answer is ",
    "capitals": "NASA AND THE ESA ",
    "NULs": "\0a",
    "lone surrogates": "\ud800 word \udfff.",
    "right to left": "مرحبا بالعالم، كيف الحال؟ ",
    "direction marks": "\u202eabc\u202c \u2066",
    "combining marks": "a\u0301",
    "ideographs": "我爱猫。",
    "emoji": "👩‍👩‍👧",
}


@pytest.fixture(scope="module", autouse=True)
def loaded() -> None:
    """Models and patterns are loaded once, before anything is timed."""
    for id, family in families().items():
        for mode in ("strict", "compat", "compat_loose"):
            Constraint(id, json.loads(family.example)).check("A first text. In English.", mode=mode)


def slow_checks(id: str, mode: str, size: int, seconds: float) -> dict[str, float]:
    """The hostile texts of this size that took longer, with their seconds."""
    constraint = Constraint(id, json.loads(families()[id].example))
    slow = {}
    for name, unit in {**UNITS, "empty": ""}.items():
        response = unit * (size // max(len(unit), 1))
        document.forget()  # what another constraint has found already would not be timed
        reference._spans.cache_clear()
        start = time.process_time()
        verdict = constraint.check(response, mode=mode)
        taken = time.process_time() - start
        assert verdict.status in ("satisfied", "violated", "unknown")
        if taken > seconds:
            slow[name] = round(taken, 2)
    return slow


@pytest.mark.parametrize("mode", ["strict", "compat"])
@pytest.mark.parametrize("id", sorted(families()))
def test_hostile_responses_get_a_verdict(id: str, mode: str) -> None:
    assert not slow_checks(id, mode, MEGABYTE // 20, HANGS)


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["strict", "compat"])
@pytest.mark.parametrize("id", sorted(families()))
def test_a_hostile_megabyte_gets_a_verdict_in_a_second(id: str, mode: str) -> None:
    assert not slow_checks(id, mode, MEGABYTE, SECONDS)


BOMBS = ("(a+)+$", "(a|aa)+$", "(.*a){20}", "[", "*", "a{1000}{1000}", "\\", "(?P<x>", "P.S.\n" * 50)


@pytest.mark.parametrize("bomb", BOMBS)
@pytest.mark.parametrize("mode", ["strict", "compat", "compat_loose"])
def test_keywords_that_are_regular_expressions_neither_crash_nor_hang(bomb: str, mode: str) -> None:
    response = "a" * 5000 + "b " + bomb
    demands = (
        ("keywords:existence", {"keywords": [bomb]}),
        ("keywords:forbidden_words", {"forbidden_words": [bomb]}),
        ("keywords:frequency", {"keyword": bomb, "frequency": 1, "relation": "at least"}),
        ("detectable_format:multiple_sections", {"section_spliter": bomb, "num_sections": 1}),
        ("detectable_content:postscript", {"postscript_marker": bomb}),
        ("startend:end_checker", {"end_phrase": bomb}),
        ("combination:repeat_prompt", {"prompt_to_repeat": bomb}),
    )
    for id, kwargs in demands:
        start = time.process_time()
        assert Constraint(id, kwargs).check(response, mode=mode).status in ("satisfied", "violated")
        assert time.process_time() - start < HANGS


@pytest.mark.parametrize("text", ["", "   ", "\n"])
def test_blank_texts_are_no_keywords(text: str) -> None:
    with pytest.raises(ConstraintError, match=r"keywords\.0"):
        Constraint("keywords:existence", {"keywords": [text]})


def test_lone_surrogates_are_refused_as_keywords() -> None:
    with pytest.raises(ConstraintError, match="keyword"):
        Constraint("keywords:frequency", {"keyword": "\ud800", "frequency": 1, "relation": "at least"})


def test_numbers_beyond_any_response_are_judged() -> None:
    huge = Constraint("length_constraints:number_words", {"num_words": sys.maxsize * 8, "relation": "at least"})
    assert huge.check("short").status == "violated"
