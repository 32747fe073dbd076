"""Numbers with units, tokenizers by name, and the evidence that verdicts point at."""

from decimal import Decimal
from pathlib import Path

import pytest
from gapo_core.constraints import Constraint
from gapo_core.constraints.document import Document
from gapo_core.constraints.quantities import parse_quantity, quantities, unit_of
from gapo_core.constraints.token_counts import use_tokenizer
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("8 GB, 8gb, an 8-gigabyte stick", [(8, "GB")] * 3),
        ("$1,200.50 or £5", [("1200.5", "$"), (5, "£")]),
        ("10% of 2,5 km at 20 °C", [(10, "%"), ("2.5", "km"), (20, "°C")]),
        ("15.6-inch and 5 in the box", [("15.6", "in"), (5, "")]),
        ("version 1.2.3, H2O, a4", []),
        ("10-20 kg, −3 degrees", [(10, ""), (20, "kg"), (-3, "")]),
        ("1,000,000 and 1,00", [(1_000_000, ""), (1, "")]),
    ],
)
def test_quantities(text: str, expected: list[tuple[str, str]]) -> None:
    found = [(quantity.number, quantity.unit) for quantity in quantities(Document.of(text))]
    assert found == [(Decimal(number), unit) for number, unit in expected]


def test_a_quantity_is_the_whole_text_and_names_of_a_unit_are_one() -> None:
    assert parse_quantity("8 GB") is not None
    assert parse_quantity("about 8 GB") is None
    assert unit_of("Kilograms") == unit_of("kg") == "kg"
    assert unit_of("parsnips") is None


def test_tokens_are_counted_once_the_host_names_the_tokenizer(tmp_path: Path) -> None:
    constraint = Constraint("length:tokens", {"count": 3, "relation": "at most", "tokenizer": "words"})
    assert constraint.check("one two").status == "unknown"
    tokenizer = Tokenizer(WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    use_tokenizer("words", tmp_path / "tokenizer.json")
    use_tokenizer("words", tmp_path / "tokenizer.json")  # the same file again is no contradiction
    assert constraint.check("one two").status == "satisfied"
    assert constraint.check("one two three four").observed == 4
    (tmp_path / "other.json").write_text(tokenizer.to_str(pretty=False), encoding="utf-8")
    with pytest.raises(ValueError, match="names another tokenizer already"):
        use_tokenizer("words", tmp_path / "other.json")


@pytest.mark.parametrize(
    ("id", "kwargs", "response", "evidence"),
    [
        ("words:no_consecutive", {}, "the big “bad” cat", ["big “bad"]),
        ("words:words_position", {"keyword": "lamp"}, "A **lamp** or lamp again.", ["lamp", "lamp"]),
        ("format:parentheses", {}, "see (a (b (c (d (e))))) now", ["(a (b (c (d (e)))))"]),
        ("format:emoji", {}, "Hello 👋 there", ["Hello 👋 there"]),
        ("attribute:value", {"slot": "memory", "value": "8 GB"}, "It has 8 gigabytes.", ["8 gigabytes"]),
        ("numbers:unit", {"unit": "kg"}, "One is 3 kg, one 4 lb.", ["4 lb"]),
        ("text:regex", {"pattern": "b+"}, "é𝔘 abbc", ["bb"]),
        ("markdown:heading", {"count": 1, "relation": "exactly"}, "text\n\n## A\n", ["## A"]),
        ("length:characters", {"count": 2, "relation": "at most"}, " abcd ", ["cd"]),
        ("tone:no_contractions", {}, "I can’t go.", ["can’t"]),
    ],
)
def test_evidence_points_at_the_text(id: str, kwargs: dict[str, object], response: str, evidence: list[str]) -> None:
    verdict = Constraint(id, kwargs).check(response)
    assert [response[span.start : span.end] for span in verdict.evidence] == evidence
