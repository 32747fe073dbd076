"""Pairs become token ids within their budgets, and nothing is cut silently."""

import pytest
from gapo_core.constraints.attributes import Attribute, states
from gapo_core.packing import pack, unpack
from gapo_core.pairs import PairEncoder, PairError, PairTooLong, TruncationPolicy
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers


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


@pytest.mark.parametrize("bad", ["", "  \n", "\ud800"])
@pytest.mark.parametrize("field", ["prompt", "response"])
def test_bad_fields_are_named(encoder, field, bad) -> None:
    texts = {"prompt": "w1", "response": "w1", field: bad}
    with pytest.raises(PairError, match=field) as caught:
        encoder.encode(**texts)
    assert caught.value.field == field


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
