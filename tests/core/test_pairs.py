"""Pairs become token ids within their budgets, and nothing is cut silently."""

import json
import re
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from gapo_core.constraints.attributes import Attribute, states
from gapo_core.packing import pack, runs, score_runs, shares, unpack
from gapo_core.pairs import ROBERTA_TEMPLATE, TEMPLATE, Budgets, PairEncoder, PairError, PairTooLong, TruncationPolicy
from gapo_server import EMBEDDED
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers

GOLDEN = Path(__file__).parents[1] / "golden"
TOKENIZERS = {
    "bert": next(EMBEDDED.glob("*/*/tokenizer.json")),
    "roberta": GOLDEN / "roberta-tokenizer.json",
}


@pytest.fixture(scope="module")
def encoder(tmp_path_factory) -> PairEncoder:
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *(f"w{i}" for i in range(100))]
    tokenizer = Tokenizer(models.WordLevel({w: i for i, w in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    tokenizer.save(str(path))
    return PairEncoder(path, max_tokens=13)


def _words(first: int, count: int) -> str:
    return " ".join(f"w{i}" for i in range(first, first + count))


def test_the_template(encoder) -> None:
    got = encoder.encode("w0 w1", "w2")
    assert got.ids == [2, 4, 5, 3, 6, 3]
    assert (got.prompt_tokens, got.response_tokens, got.truncated_tokens) == (2, 1, 0)


@pytest.mark.parametrize(
    ("policy", "kept"),
    [
        (TruncationPolicy.KEEP_HEAD, [0, 1, 2, 3, 4, 5, 6, 7, 8]),
        (TruncationPolicy.KEEP_TAIL, [11, 12, 13, 14, 15, 16, 17, 18, 19]),
        (TruncationPolicy.KEEP_BOTH_ENDS, [0, 1, 2, 3, 4, 16, 17, 18, 19]),
    ],
)
def test_truncation_policies(encoder, policy, kept) -> None:
    got = encoder.encode("w99", _words(0, 20), policy)
    assert got.ids[3:-1] == [4 + i for i in kept]
    assert got.truncated_tokens == 11


@given(st.integers(1, 40), st.integers(1, 40), st.sampled_from(list(TruncationPolicy)))
def test_every_token_is_kept_or_counted(encoder, prompt, response, policy) -> None:
    try:
        got = encoder.encode(_words(0, prompt), _words(0, response), policy)
    except PairTooLong:
        assert policy is TruncationPolicy.ERROR
        assert prompt + response > 10
        return
    assert got.prompt_tokens + got.response_tokens + got.truncated_tokens == prompt + response
    assert len(got.ids) == got.prompt_tokens + got.response_tokens + 3 <= 13
    assert min(got.prompt_tokens, got.response_tokens) >= 1


@given(
    st.integers(1, 30),
    st.integers(1, 30),
    st.sampled_from([p for p in TruncationPolicy if p is not TruncationPolicy.ERROR]),
    st.one_of(st.none(), st.integers(1, 9)),
    st.one_of(st.none(), st.integers(1, 9)),
)
def test_a_budget_bounds_its_field_and_is_guaranteed_to_it(encoder, prompt, response, policy, a, b) -> None:
    budgets = Budgets(a, b)
    if a and b and a + b > encoder.room:
        with pytest.raises(PairError, match="response_budget"):
            encoder.check(budgets)
        return
    encoder.check(budgets)
    got = encoder.encode(_words(0, prompt), _words(0, response), policy, budgets)
    for length, kept, cut, budget in (
        (prompt, got.prompt_tokens, got.prompt_truncated_tokens, a),
        (response, got.response_tokens, got.response_truncated_tokens, b),
    ):
        assert kept + cut == length
        assert kept >= 1
        if budget:
            assert kept == min(length, budget)
    if not got.truncated_tokens:
        assert len(got.ids) == prompt + response + 3


@pytest.mark.parametrize(
    ("prompt", "response", "budgets", "field"),
    [
        (3, 20, Budgets(), "response"),
        (20, 3, Budgets(), "prompt"),
        (3, 3, Budgets(prompt=2), "prompt"),
        (3, 3, Budgets(response=2), "response"),
        (30, 20, Budgets(), "prompt"),
    ],
)
def test_policy_error_names_the_field_that_is_too_long(encoder, prompt, response, budgets, field) -> None:
    with pytest.raises(PairTooLong, match=f"^{field}: has") as caught:
        encoder.encode(_words(0, prompt), _words(0, response), TruncationPolicy.ERROR, budgets)
    assert caught.value.field == field


@pytest.mark.parametrize(("budgets", "field"), [(Budgets(10), "prompt_budget"), (Budgets(None, 0), "response_budget")])
def test_budgets_outside_the_room_are_refused(encoder, budgets, field) -> None:
    with pytest.raises(PairError, match=field):
        encoder.check(budgets)


def test_text_cannot_forge_a_boundary(encoder) -> None:
    got = encoder.encode("[SEP]", "[CLS] w3")
    assert got.ids.count(3) == 2
    assert got.ids.count(2) == 1
    assert got.ids.count(0) == 0


def test_pairs_equal_the_golden_file() -> None:
    cases = json.loads((GOLDEN / "pairs.json").read_text(encoding="utf-8"))
    assert len(cases) == 32
    for case in cases:
        budgets = Budgets(*case.get("budgets", (None, None)))
        encoder = PairEncoder(TOKENIZERS[case["tokenizer"]], case["max_tokens"], budgets)
        got = encoder.encode(case["prompt"], case["response"], TruncationPolicy(case["truncation"]))
        assert got.ids == case["ids"]
        assert [got.prompt_truncated_tokens, got.response_truncated_tokens] == case["cut"]


@cache
def _family(name: str) -> tuple[PairEncoder, Tokenizer]:
    reference = Tokenizer.from_file(str(TOKENIZERS[name]))
    reference.no_padding()
    reference.no_truncation()
    reference.encode_special_tokens = True
    return PairEncoder(TOKENIZERS[name], 4096), reference


@pytest.mark.parametrize(("family", "template"), [("bert", TEMPLATE), ("roberta", ROBERTA_TEMPLATE)])
@settings(deadline=None)  # the first example of each family loads its tokenizer
@given(a=st.text(min_size=1, max_size=40), b=st.text(min_size=1, max_size=40))
def test_both_families_equal_their_tokenizers_own_pair_template(family, template, a, b) -> None:
    encoder, reference = _family(family)
    assert encoder.template == template
    try:
        got = encoder.encode(a, b)
    except PairError:
        return
    assert got.ids == reference.encode(a, b).ids


@pytest.mark.parametrize("content", [None, "", "{", "[]", '{"model": {}}'])
def test_a_file_that_is_no_tokenizer_is_named(tmp_path, content) -> None:
    file = tmp_path / "tokenizer.json"
    if content is not None:
        file.write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match=rf"^{re.escape(str(file))}: is no tokenizer that can be read: "):
        PairEncoder(file, 16)


def test_a_tokenizer_of_neither_family_is_refused(tmp_path) -> None:
    Tokenizer(models.WordLevel({"a": 0, "[CLS]": 1}, unk_token="a")).save(str(tmp_path / "tokenizer.json"))
    with pytest.raises(ValueError, match="neither"):
        PairEncoder(tmp_path / "tokenizer.json", 100)


@pytest.mark.parametrize("bad", ["", "  \n", "\ud800"])
@pytest.mark.parametrize("field", ["prompt", "response"])
def test_bad_fields_are_named(encoder, field, bad) -> None:
    texts = {"prompt": "w1", "response": "w1", field: bad}
    with pytest.raises(PairError, match=field) as caught:
        encoder.encode(**texts)
    assert caught.value.field == field


def test_a_batch_encodes_as_its_pairs_do(encoder) -> None:
    pairs = [(_words(0, n), _words(n, 9 - n)) for n in range(1, 9)] * 5
    assert encoder.encode_batch(pairs) == [encoder.encode(*pair) for pair in pairs]
    assert encoder.encode_batch([]) == []


def test_empty_responses_are_let_through_only_where_they_are_asked_for(encoder) -> None:
    pairs = [("w1", "w2"), ("w1", ""), ("w1", " \n")]
    assert [pair.response_tokens for pair in encoder.encode_batch(pairs, empty_responses=True)] == [1, 0, 0]
    for bad in [("", ""), ("w1", "\ud800")]:
        with pytest.raises(PairError):
            encoder.encode_batch([bad], empty_responses=True)


@pytest.mark.parametrize(
    ("pairs", "number", "field"),
    [
        ([("w1", "w1"), ("w1", ""), ("", "w1")], 1, "response"),
        ([("w1", "w1"), (_words(0, 20), "w1"), ("", "w1")], 1, "prompt"),
        ([("\ud800", "w1"), (_words(0, 20), "w1")], 0, "prompt"),
    ],
)
def test_the_first_bad_pair_of_a_batch_is_named(encoder, pairs, number, field) -> None:
    with pytest.raises(PairError) as caught:
        encoder.encode_batch(pairs)
    assert (caught.value.number, caught.value.field) == (number, field)


@given(
    st.lists(st.lists(st.integers(1, 9), min_size=1, max_size=90), min_size=1, max_size=6),
    st.sampled_from([4, 16, 32]),
    st.sampled_from([8, 20, 32]),
)
def test_packing_round_trips_and_lists_every_visible_key_once(sequences, block, half_window) -> None:
    arrays = pack(sequences, block, half_window)
    assert unpack(arrays) == sequences
    first, pos = arrays["cls"], arrays["pos"]
    seen = set()
    for group, number in enumerate(arrays["owner"]):
        assert arrays["member"][:, group].nonzero()[0].tolist() == [number]
        key_pos = arrays["key_pos"][group]
        keys = [(k, p) for k, p in zip(arrays["keys"][group], key_pos, strict=True) if p >= 0]
        assert len(set(keys)) == len(keys)
        assert all(k == first[number] + p and pos[k] == p for k, p in keys)
        for slot, (query, at) in enumerate(zip(arrays["queries"][group], arrays["query_pos"][group], strict=True)):
            if at < 0:
                continue
            assert arrays["slots"][query] == group * arrays["queries"].shape[1] + slot
            assert pos[query] == at
            seen.add(int(query))
            span = range(max(0, at - half_window), min(len(sequences[number]), at + half_window + 1))
            assert {0, *span} <= {p for _, p in keys}
    assert len(seen) == len(pos)


@given(st.lists(st.integers(1, 300), min_size=1, max_size=40), st.integers(1, 400))
def test_runs_part_a_batch_by_length_within_the_budget(lengths, max_tokens) -> None:
    parted = runs(lengths, max_tokens)
    assert sorted(index for run in parted for index in run) == list(range(len(lengths)))
    in_order = [lengths[index] for run in parted for index in run]
    assert in_order == sorted(lengths)
    assert all(len(run) == 1 or sum(lengths[index] for index in run) <= max_tokens for run in parted)


@given(st.lists(st.integers(1, 300), min_size=1, max_size=40), st.integers(1, 8), st.integers(1, 400))
def test_shares_part_a_batch_by_length_for_every_worker(lengths, workers, tokens) -> None:
    parted = shares(lengths, workers, tokens)
    assert sorted(index for run in parted for index in run) == list(range(len(lengths)))
    sums = [sum(lengths[index] for index in run) for run in parted]
    assert sums == sorted(sums, reverse=True)
    assert all(len(run) == 1 or used < 3 * tokens for run, used in zip(parted, sums, strict=True))
    bounds = sorted((min(lengths[i] for i in run), max(lengths[i] for i in run)) for run in parted)
    assert all(longest <= least for (_, longest), (least, _) in pairwise(bounds))


@pytest.mark.parametrize(
    ("lengths", "workers", "sums"),
    [
        ([512] * 8, 2, [512] * 8),
        ([100] * 32, 2, [600, 600, 500, 500, 500, 500]),
        ([60] * 4, 2, [120, 120]),
        ([60] * 3, 4, [60, 60, 60]),
        ([4096, 20], 2, [4096, 20]),
    ],
)
def test_shares_are_near_their_size_and_as_many_as_workers_take(lengths, workers, sums) -> None:
    assert [sum(lengths[i] for i in run) for run in shares(lengths, workers, 512)] == sums


def test_runs_are_scored_in_the_order_given() -> None:
    sequences = [[7] * 50, [3], [5] * 20, [1, 1]]

    def forward(arrays):
        return arrays["ids"][arrays["cls"]][:, None].astype(np.float32)

    assert score_runs(forward, sequences, 8, 4, 40)[:, 0].tolist() == [7, 3, 5, 1]


def test_packing_refuses_empty_sequences() -> None:
    with pytest.raises(ValueError, match="sequences"):
        pack([[1], []], 4, 4)


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        ("it runs windows 8.1", "windows 8", False),
        ("it runs windows 8 .", "windows 8", True),
        ("it weighs 2.3 kg", "3 kg", False),
        ("an A++ eco rating", "a+", False),
        ("an a+ eco rating", "A+", True),
        ("a smart screen", "art", False),
    ],
)
def test_a_value_is_stated_as_whole_words(text, value, expected) -> None:
    assert states(text, value) is expected


def test_attributes_are_validated() -> None:
    assert Attribute("usb", "yes").id == "attribute:flag"
    assert Attribute("memory", "8 gb").id == "attribute:value"
    with pytest.raises(ValueError, match="value"):
        Attribute("memory", " ")
