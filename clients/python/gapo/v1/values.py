"""Struct and Value messages as the JSON values that they stand for."""

from typing import Any

from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.struct_pb2 import Struct, Value


def plain(message: Struct | Value) -> Any:
    """Whole numbers become integers again: a Value knows floating ones only."""
    return whole(MessageToDict(message))


def struct(value: dict[str, Any]) -> Struct:
    """Raises `google.protobuf.json_format.ParseError` for what JSON cannot hold."""
    return ParseDict(value, Struct())


def value_of(value: Any) -> Value:
    """Raises `google.protobuf.json_format.ParseError` for what JSON cannot hold."""
    return ParseDict(value, Value())


def whole(value: Any) -> Any:
    """The same with 3 for 3.0, which JSON and a Value do not tell apart."""
    if isinstance(value, dict):
        return {key: whole(item) for key, item in value.items()}
    if isinstance(value, list):
        return [whole(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
