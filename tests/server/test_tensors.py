"""The tensor codec of the Open Inference Protocol."""

import math
import struct

import pytest
from gapo_server.inference.tensors import pack_floats, pack_texts, unpack_floats, unpack_texts
from hypothesis import given
from hypothesis import strategies as st


@given(st.lists(st.binary(max_size=300)))
def test_texts_come_back_as_they_went(texts) -> None:
    raw = pack_texts(texts)
    assert len(raw) == sum(4 + len(text) for text in texts)
    assert unpack_texts(raw, len(texts)) == texts


@given(st.binary(max_size=60), st.integers(0, 5))
def test_whatever_the_bytes_they_are_texts_or_refused(raw, number) -> None:
    try:
        texts = unpack_texts(raw, number)
    except ValueError:
        return
    assert len(texts) == number
    assert pack_texts(texts) == raw


@given(st.lists(st.binary(max_size=20), min_size=1), st.data())
def test_a_cut_or_grown_tensor_is_refused(texts, data) -> None:
    raw = pack_texts(texts)
    cut = data.draw(st.integers(0, len(raw) - 1))
    for wrong in (raw[:cut], raw + b"\0", raw + pack_texts([b""])):
        with pytest.raises(ValueError, match=r"holds|ends"):
            unpack_texts(wrong, len(texts))


def test_the_bytes_are_the_published_ones() -> None:
    assert pack_texts(["é".encode(), b""]) == b"\x02\0\0\0\xc3\xa9\0\0\0\0"
    assert pack_floats([1.0, -2.5]) == b"\0\0\x80\x3f\0\0\x20\xc0"


@given(st.lists(st.floats(width=32, allow_nan=False)))
def test_numbers_come_back_as_they_went(numbers) -> None:
    assert unpack_floats(pack_floats(numbers)) == numbers


@given(st.lists(st.floats(-1e6, 1e6)))
def test_numbers_are_rounded_to_fp32(numbers) -> None:
    for number, told in zip(numbers, unpack_floats(pack_floats(numbers)), strict=True):
        assert told == struct.unpack("<f", struct.pack("<f", number))[0]
        assert math.isclose(told, number, rel_tol=1e-6, abs_tol=1e-37)


def test_half_a_number_is_refused() -> None:
    with pytest.raises(ValueError, match="7 bytes"):
        unpack_floats(b"\0" * 7)
