"""The structure of arguments: shape and types stay, and keys where a schema declares them."""

import json
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_worker.structure import (
    MOST_DEPTH,
    MOST_ITEMS,
    declare,
    structure_of_object,
    type_name,
)

MARK = "\N{SNOWMAN}"
"""In every text and every key that is data."""
TYPES = {"string", "integer", "number", "boolean", "null", "array", "object"}
DECLARED = ["name", "filters", "key1"]

marked = st.text(alphabet="ab1", max_size=5).map(lambda text: MARK + text)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | marked
keys = marked | st.sampled_from(DECLARED)
values: st.SearchStrategy[Any] = st.recursive(
    scalars, lambda below: st.lists(below, max_size=4) | st.dictionaries(keys, below, max_size=4)
)
objects = st.dictionaries(keys, values, max_size=6)
WORDS = ["properties", "items", "prefixItems", "anyOf", "allOf", "oneOf", "$ref", "$defs", "a"]
schemas: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.sampled_from(["#", "#/$defs/a", "#/$defs/a/b", "x"]),
    lambda below: (
        st.lists(below, max_size=3)
        | st.dictionaries(
            st.sampled_from([*WORDS, "additionalProperties", *DECLARED]), below, max_size=4
        )
    ),
    max_leaves=20,
)


@given(objects, schemas.filter(lambda schema: isinstance(schema, dict)))
def test_nothing_of_a_value_is_in_its_structure(value: dict[str, Any], schema: Any) -> None:
    """Whatever the value and whatever the schema, also one that is nonsense or a circle."""
    assert MARK not in json.dumps(structure_of_object(value, schema), ensure_ascii=False)


@given(objects)
def test_the_shape_is_the_same(value: dict[str, Any]) -> None:
    compare(value, structure_of_object(value, {}))


def compare(value: Any, structure: Any) -> None:
    """Both have the same lists and objects; what is neither has become its type."""
    assert type(structure) in (type(value), str)
    if isinstance(structure, str):
        assert structure == type_name(value)
        assert structure in TYPES
    else:
        assert len(value) == len(structure)
        for one, other in zip(below(value), below(structure), strict=True):
            compare(one, other)


def below(value: Any) -> list[Any]:
    return cast(list[Any], value) if isinstance(value, list) else list(value.values())


@given(objects)
def test_declared_keys_stay_and_all_others_are_numbered(value: dict[str, Any]) -> None:
    """A number that a declared key has already is not used twice."""
    told = structure_of_object(value, declare(DECLARED))
    assert set(value) & set(DECLARED) <= set(told)
    others = set(told) - set(DECLARED)
    assert others == {f"key{n}" for n in range(2, 2 + len(set(value) - set(DECLARED)))}


SCHEMA: dict[str, Any] = {
    "$defs": {
        "Period": {"properties": {"start": {}, "end": {}, "within": {"$ref": "#/$defs/Period"}}},
        "a/b": {"properties": {"odd": {}}},
    },
    "properties": {
        "period": {"anyOf": [{"$ref": "#/$defs/Period"}, {"type": "null"}]},
        "periods": {"type": "array", "items": {"$ref": "#/$defs/Period"}},
        "pair": {"prefixItems": [{"properties": {"first": {}}}]},
        "by_name": {"additionalProperties": {"$ref": "#/$defs/Period"}},
        "odd": {"$ref": "#/$defs/a~1b"},
        "free": {"type": "object", "additionalProperties": True},
    },
}
PLACES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"period": {"start": "x", "Ada": 1}}, {"period": {"start": "string", "key1": "integer"}}),
    ({"period": {"within": {"end": None}}}, {"period": {"within": {"end": "null"}}}),
    ({"periods": [{"end": 1.5}, "Ada"]}, {"periods": [{"end": "number"}, "string"]}),
    ({"pair": [{"first": True}]}, {"pair": [{"first": "boolean"}]}),
    ({"by_name": {"Ada": {"start": 1}}}, {"by_name": {"key1": {"start": "integer"}}}),
    ({"odd": {"odd": 1, "start": 1}}, {"odd": {"odd": "integer", "key1": "integer"}}),
    ({"free": {"Ada": {"start": 1}}}, {"free": {"key1": {"key1": "integer"}}}),
    ({"start": 1, "Ada": [[]]}, {"key1": "integer", "key2": [[]]}),
    ({"raw": "{Ada"}, {"raw": "string"}),
    ({}, {}),
]


@pytest.mark.parametrize(("value", "told"), PLACES)
def test_a_key_stays_where_the_schema_declares_it_and_nowhere_else(
    value: dict[str, Any], told: dict[str, Any]
) -> None:
    assert structure_of_object(value, SCHEMA) == told


def test_what_is_too_big_or_too_deep_is_its_type() -> None:
    many = {str(number): number for number in range(MOST_ITEMS + 1)}
    assert structure_of_object({"a": many, "b": list(many)}, {}) == {
        "key1": "object", "key2": "array",
    }  # fmt: skip
    assert structure_of_object(many, {}) == {"truncated": True}
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    told = json.dumps(structure_of_object({"a": deep}, {}))
    assert told.count("[") == MOST_DEPTH - 1
