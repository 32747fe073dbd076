"""JSON documents, and JSON documents of a schema."""

import json
from collections.abc import Iterator, Mapping
from decimal import Context, Decimal
from functools import lru_cache
from random import Random
from typing import Any

from jsonschema import Draft202012Validator, SchemaError, ValidationError
from jsonschema.validators import extend
from pydantic import ConfigDict, Field, field_validator
from referencing import Registry
from referencing.exceptions import Unresolvable

from gapo_core.constraints.document import Document
from gapo_core.constraints.families.format import JsonFormat, json_body, json_value
from gapo_core.constraints.linear_regex import compiled
from gapo_core.constraints.registry import Family, Kwargs, register
from gapo_core.constraints.types import Verdict
from gapo_core.constraints.words import writable

_DEEPEST = 64  # levels of a schema
_DECIMALS = Context(prec=5_000, traps=[])  # more digits than 4,300, which an integer may have, by the least float


class JsonValid(JsonFormat):
    id = "json:valid"
    phrasings = (
        "Respond with valid JSON.",
        "Your whole response must be a JSON document.",
        "Output JSON and nothing else.",
    )


class SchemaKwargs(Kwargs):
    model_config = ConfigDict(serialize_by_alias=True)

    json_schema: dict[str, Any] = Field(
        alias="schema",
        description="a JSON Schema of draft 2020-12; references within it only, patterns as RE2 takes them",
    )

    @field_validator("json_schema")
    @classmethod
    def _sound(cls, schema: dict[str, Any]) -> dict[str, Any]:
        try:
            Draft202012Validator.check_schema(schema)
        except SchemaError as error:
            raise ValueError(f"is no JSON Schema: {error.message[:200]}") from None
        for node, depth in _nodes(schema):
            if depth > _DEEPEST:
                raise ValueError(f"is nested more than {_DEEPEST} levels deep")
            reference = node.get("$ref", node.get("$dynamicRef", "#"))
            if isinstance(reference, str) and not reference.startswith("#"):
                raise ValueError(f"refers to {reference[:80]}; put what it needs under $defs")
            for pattern in (*_strings(node.get("pattern")), *_keys(node.get("patternProperties"))):
                compiled(pattern)
        return schema


class JsonSchema(Family[SchemaKwargs]):
    id = "json:schema"
    kwargs = SchemaKwargs
    example = '{"schema": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}}'
    phrasings = (
        "Respond with JSON that is valid under this JSON Schema: {schema}",
        "Your whole response must be a JSON document of this schema: {schema}",
        "Output JSON only, following the JSON Schema {schema}",
    )

    def judge(self, document: Document, kwargs: SchemaKwargs, prompt: str | None) -> Verdict:
        body, _ = json_body(document)
        try:
            value = json_value(body)
        except (ValueError, RecursionError) as error:
            return Verdict("violated", f"not JSON: {' '.join(str(error).split())}")
        try:
            wrong = next(_validator(json.dumps(kwargs.json_schema)).iter_errors(value), None)
        except (RecursionError, Unresolvable):
            return Verdict("unknown", "the schema refers to itself without end, or to what it does not define")
        if wrong is None:
            return Verdict("satisfied", "the response is JSON of the schema", type(value).__name__)
        place = "".join(f"[{part!r}]" for part in wrong.absolute_path)
        return Verdict("violated", f"{place or 'the document'}: {' '.join(wrong.message.split())[:200]}", place)

    def satisfy(self, response: str, kwargs: SchemaKwargs, rng: Random) -> Mapping[str, Any] | None:
        return self._sampled(response, kwargs, "satisfied", rng)

    def violate(self, response: str, kwargs: SchemaKwargs, rng: Random) -> Mapping[str, Any] | None:
        return self._sampled(response, kwargs, "violated", rng)

    def _sampled(self, response: str, kwargs: SchemaKwargs, status: str, rng: Random) -> Mapping[str, Any] | None:
        document = Document.of(response)
        schemas: list[dict[str, Any]] = [kwargs.json_schema, {"type": "object"}, {"type": "array"}]
        try:
            value = json_value(json_body(document)[0])
        except (ValueError, RecursionError):
            value = None
        if isinstance(value, dict) and all(map(writable, value)):
            schemas += [{"type": "object", "required": sorted(value)[:3]}, {"type": "object", "required": ["checksum"]}]
        fitting = [s for s in schemas if self.judge(document, SchemaKwargs(schema=s), None).status == status]
        return {"schema": rng.choice(fitting)} if fitting else None

    def wording(self, kwargs: SchemaKwargs) -> Mapping[str, object]:
        return {"schema": json.dumps(kwargs.json_schema, ensure_ascii=False)}


def _nodes(schema: object, depth: int = 0) -> Iterator[tuple[dict[str, Any], int]]:
    """Every object of a schema with its depth, as far as one level more than is allowed."""
    children: list[object] = list(schema.values()) if isinstance(schema, dict) else []
    if isinstance(schema, dict):
        yield schema, depth
    elif isinstance(schema, list):
        children = schema
    for child in children if depth <= _DEEPEST else ():
        yield from _nodes(child, depth + 1)


def _strings(value: object) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else ()


def _keys(value: object) -> tuple[str, ...]:
    return tuple(value) if isinstance(value, dict) else ()


# The library's own keywords below search with `re`, which a pattern can keep busy for ever, compare every item with
# every other, or divide floats: 19.99 would be no multiple of 0.01.
def _pattern(validator: Any, pattern: str, value: Any, schema: Any) -> Iterator[ValidationError]:
    if isinstance(value, str) and not compiled(pattern).search(_encodable(value)):
        yield ValidationError(f"{value[:80]!r} does not match {pattern!r}")


def _pattern_properties(validator: Any, patterns: Any, value: Any, schema: Any) -> Iterator[ValidationError]:
    for pattern, subschema in patterns.items() if isinstance(value, dict) else ():
        for name, item in value.items():
            if compiled(pattern).search(_encodable(name)):
                yield from validator.descend(item, subschema, path=name, schema_path=pattern)


def _additional_properties(validator: Any, allowed: Any, value: Any, schema: Any) -> Iterator[ValidationError]:
    for name, item in value.items() if isinstance(value, dict) else ():
        if name in schema.get("properties", {}):
            continue
        if any(compiled(pattern).search(_encodable(name)) for pattern in schema.get("patternProperties", {})):
            continue
        if allowed is False:
            yield ValidationError(f"{name[:80]!r} is not allowed here")
        elif isinstance(allowed, dict):
            yield from validator.descend(item, allowed, path=name)


def _unique_items(validator: Any, unique: Any, value: Any, schema: Any) -> Iterator[ValidationError]:
    if unique and isinstance(value, list):
        written = [json.dumps(_comparable(item), sort_keys=True) for item in value]
        if len(set(written)) < len(written):
            yield ValidationError("an item occurs twice")


def _multiple_of(validator: Any, step: Any, value: Any, schema: Any) -> Iterator[ValidationError]:
    # Infinity, as which 1e999 is read, leaves NaN, which is not 0.
    if validator.is_type(value, "number") and _DECIMALS.remainder(_written(value), _written(step)):
        yield ValidationError(f"{str(value)[:80]} is not a multiple of {step}")


def _written(number: int | float) -> Decimal:
    """The number that stands in the text, not the binary fraction nearest to it."""
    return Decimal(repr(number)) if isinstance(number, float) else Decimal(number)


def _comparable(value: Any) -> Any:
    """A value whose JSON text is equal for equal values: 1.0 is 1."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_comparable(item) for item in value]
    return {name: _comparable(item) for name, item in value.items()} if isinstance(value, dict) else value


def _encodable(text: str) -> str:
    return Document.of(text).encodable


_Validator = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator,
    {
        "pattern": _pattern,
        "patternProperties": _pattern_properties,
        "additionalProperties": _additional_properties,
        "uniqueItems": _unique_items,
        "multipleOf": _multiple_of,
    },
)


@lru_cache(maxsize=256)
def _validator(schema: str) -> Any:
    return _Validator(json.loads(schema), registry=Registry())


register(JsonValid(), JsonSchema())
