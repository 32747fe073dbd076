"""The compat verdicts equal those that the reference published for ten models."""

import json
from pathlib import Path
from random import Random

import pytest
from gapo_core.constraints import Constraint, reference
from gapo_core.constraints.agreement import EXCLUDED_KEYS, measure, rows
from gapo_core.constraints.reference import capital_words, sentences

ROW = {
    "key": 1,
    "instruction_id_list": ["punctuation:no_comma", "keywords:existence", "punctuation:no_comma"],
    "kwargs": [{}, {"keywords": ["b"], "num_words": None}, {}],
    "response": "*a, b*\nb",
    "strict": [False, True, True],
    "loose": [True, True, True],
}


def folder(path: Path, *changes: dict[str, object]) -> Path:
    path.mkdir(exist_ok=True)
    (path / "model.jsonl").write_text("\n".join(json.dumps({**ROW, **change}) for change in changes), encoding="utf-8")
    return path


def test_published_verdicts_are_reproduced(real_data: Path) -> None:
    report = measure(rows(real_data / "ifeval/responses"))
    assert report.responses == 3310  # 10 models x 333 prompts, without two keys
    for part in report.protocols.values():
        assert part.constraints.value >= 0.995
        assert part.prompts.value >= 0.99
    assert {one.cause for one in report.disagreements} <= {"unseeded language detection"}


def test_disagreements_are_keyed_by_position_and_explained(tmp_path: Path) -> None:
    report = measure(rows(folder(tmp_path, {}, {"key": min(EXCLUDED_KEYS)}, {"strict": [False, True, False]})))
    assert report.responses == 2
    (one,) = report.disagreements
    assert (one.key, one.position, one.protocol, one.published, one.cause) == (1, 2, "strict", True, "unexplained")
    strict = report.as_json()["strict"]
    assert strict["constraints"] == {"agreed": 5, "total": 6, "share": round(5 / 6, 6)}
    assert strict["ids"]["punctuation:no_comma"]["total"] == 4
    assert report.as_json()["causes"] == {"strict: unexplained": 1}


def test_a_prompt_agrees_where_following_all_does(tmp_path: Path) -> None:
    report = measure(rows(folder(tmp_path, {"strict": [True, False, False]})))  # wrong twice, "not all" all the same
    assert report.protocols["strict"].constraints.agreed == 1
    assert report.protocols["strict"].prompts.agreed == 1


def test_rows_that_lack_something_are_named(tmp_path: Path) -> None:
    (tmp_path / "model.jsonl").write_text('{"key": 1, "response": "a"}\n', encoding="utf-8")
    with pytest.raises(ValueError, match=r"model\.jsonl:1: instruction_id_list, kwargs, loose, strict missing"):
        list(rows(tmp_path))
    with pytest.raises(FileNotFoundError, match="no response files"):
        list(rows(tmp_path / "none"))


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("He left. She stayed.", 2),
        ("I like e.g. apples.", 2),
        ("She lives in the U.S. She is happy.", 1),
        ("* one\n* two\n* three", 1),
        ("1. First\n2. Second", 3),
        ("Wow!!", 2),
        ("“Where are you?” he asked. “Here!” It was so.", 2),
        ('"Where are you?" he asked. "Here!" It was so.', 4),
    ],
)
def test_reference_sentences_are_those_of_nltk_391(text: str, count: int) -> None:
    """Counts as NLTK 3.9.1's `sent_tokenize` gives them."""
    assert sentences(text, enough=100) == count


def test_long_texts_are_only_counted_as_far_as_needed() -> None:
    text = "The old man walks. " * 20_000
    assert 50 <= sentences(text, enough=50) < 2_000
    assert sentences(text[:40_000], enough=10**6) == 2_106


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("CANNOT GONNA I'M D'YE WANNA MORE'N 'TWAS", 14),
        ("THE U.S. A.B. IS 3:45PM", 5),
        ("A,B C:D E/F G--H (I) [J] K'S L'LL", 13),
        ("“QUOTED” ‘SINGLE’ «G» A…B A..B", 6),
        ("O*P NO—DASH X.Y. Z", 5),
        ("HE SAID 'NO' AND 'OK'.", 5),
        ("NIKE'S.", 2),
    ],
)
def test_reference_capital_words_are_those_of_nltk_391(text: str, count: int) -> None:
    """Upper-case tokens as NLTK 3.9.1's `word_tokenize` gives them."""
    assert capital_words(text) == count


def test_the_loose_protocol_relaxes_the_response() -> None:
    end = Constraint("startend:end_checker", {"end_phrase": "The end."})
    assert end.check("It was so. The end.\n*Note: 7 words*", mode="compat").status == "violated"
    assert end.check("It was so. The end.\n*Note: 7 words*", mode="compat_loose").status == "satisfied"
    lower = Constraint("punctuation:no_comma", {})
    assert lower.check("Well, here it is:\nall of it", mode="compat_loose").status == "satisfied"


PIECES = (
    *("P.S.", "1.", "1)", "e.g.", "Mr.", "The", "the", "river", "ran.", "Ran?", "! ?", "...", ". . .", "(ok.)"),
    *('"Yes."', "a.b", "U.S.", "etc.", "\n\n", "—", "Dr. Who", "x!", "!!", "?!", "”", "said", "No. 5"),
)


@pytest.mark.parametrize("seed", range(3))
def test_a_long_text_has_the_sentences_that_punkt_finds_in_the_whole(seed) -> None:
    rng = Random(seed)
    pieces = rng.sample(PIECES, rng.randint(3, len(PIECES)))
    text = "".join(rng.choice(pieces) + rng.choice((" ", "  ")) for _ in range(9_000))
    assert list(reference.sentence_texts(text)) == reference._punkt().tokenize(text)
