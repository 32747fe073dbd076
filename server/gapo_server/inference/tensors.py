"""Tensors as bytes: row-major, little-endian; of BYTES each element stands behind its length, 4 bytes."""

import struct
from collections.abc import Sequence

_LENGTH = struct.Struct("<I")


def pack_texts(texts: Sequence[bytes]) -> bytes:
    return b"".join(part for text in texts for part in (_LENGTH.pack(len(text)), text))


def unpack_texts(raw: bytes, number: int) -> list[bytes]:
    """Exactly `number` elements. Raises `ValueError` where the bytes hold more, fewer or half of one."""
    texts: list[bytes] = []
    place = 0
    while place < len(raw):
        if len(texts) == number:
            raise ValueError(f"holds more than the {number} elements of its shape")
        start = place + _LENGTH.size
        if start > len(raw):
            raise ValueError(f"ends inside a length, at byte {place} of {len(raw)}")
        end = start + _LENGTH.unpack_from(raw, place)[0]
        if end > len(raw):
            raise ValueError(f"ends inside element {len(texts)}, which byte {place} says to end at {end}")
        texts.append(raw[start:end])
        place = end
    if len(texts) != number:
        raise ValueError(f"holds {len(texts)} of the {number} elements of its shape")
    return texts


def pack_floats(numbers: Sequence[float]) -> bytes:
    """FP32."""
    return struct.pack(f"<{len(numbers)}f", *numbers)


def unpack_floats(raw: bytes) -> list[float]:
    """FP32. Raises `ValueError` where the bytes hold half of a number."""
    if len(raw) % 4:
        raise ValueError(f"{len(raw)} bytes are no whole number of FP32")
    return list(struct.unpack(f"<{len(raw) // 4}f", raw))
