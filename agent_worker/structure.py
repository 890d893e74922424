"""The structure of a JSON value: its shape, with nothing of what it says.

A value becomes its type's name, in JSON Schema's words. A key stays where the tool's own schema
declares it in that place: such a key is code. Every other key is the model's or the data's, a name
or a record number perhaps, and becomes `key1`, `key2` … Pure.
"""

from collections.abc import Iterable, Mapping
from itertools import count
from typing import Any, cast

Schema = Mapping[str, Any]

MOST_DEPTH = 12
"""Below it a list or an object is its type's name."""
MOST_ITEMS = 64
"""Of a list or an object; one that has more is its type's name."""
MOST_SCHEMAS = 64
"""Looked at for one place: schemas may name each other in circles."""
RAW = "raw"
"""The key of arguments that could not be parsed; ours, so it stays."""

_TYPES = (
    (bool, "boolean"), (int, "integer"), (float, "number"), (str, "string"), (dict, "object"),
    (list, "array"),
)  # fmt: skip


def structure_of_object(value: dict[str, Any], schema: Schema) -> dict[str, Any]:
    """The structure of a tool's arguments, under the schema of its parameters."""
    if set(value) == {RAW}:
        return {RAW: type_name(value[RAW])}
    if len(value) > MOST_ITEMS:
        return {"truncated": True}
    return _Structure(schema).of_object(value, [schema], 0)


def declare(keys: Iterable[str]) -> Schema:
    """A schema in which these keys, and nothing below them, are declared."""
    return {"properties": {key: {} for key in keys}}


def type_name(value: object) -> str:
    """What JSON Schema calls a value like this one."""
    return next((name for kind, name in _TYPES if isinstance(value, kind)), "null")


class _Structure:
    """Walks a value and the schemas that hold in each of its places. A schema may be anything: it
    comes from a server elsewhere."""

    def __init__(self, root: Schema) -> None:
        self._root = root

    def of(self, value: Any, schemas: list[Any], depth: int) -> Any:
        if depth < MOST_DEPTH:
            if isinstance(value, dict) and len(cast(dict[str, Any], value)) <= MOST_ITEMS:
                return self.of_object(cast(dict[str, Any], value), schemas, depth)
            if isinstance(value, list) and len(cast(list[Any], value)) <= MOST_ITEMS:
                return self.of_list(cast(list[Any], value), schemas, depth)
        return type_name(cast(object, value))

    def of_object(self, value: dict[str, Any], schemas: list[Any], depth: int) -> dict[str, Any]:
        here = self._expand(schemas)
        declared: dict[str, list[Any]] = {}
        for schema in here:
            for key, below in _object(schema.get("properties")).items():
                declared.setdefault(key, []).append(below)
        free = [schema.get("additionalProperties") for schema in here]
        names = (name for number in count(1) if (name := f"key{number}") not in declared)
        return {
            key if key in declared else next(names): self.of(
                below, declared.get(key, free), depth + 1
            )
            for key, below in value.items()
        }

    def of_list(self, value: list[Any], schemas: list[Any], depth: int) -> list[Any]:
        here = self._expand(schemas)
        below = [schema.get("items") for schema in here]
        below += [one for schema in here for one in _list(schema.get("prefixItems"))]
        return [self.of(item, below, depth + 1) for item in value]

    def _expand(self, schemas: list[Any]) -> list[Schema]:
        """All schemas that may hold here: those that these refer to, or are combined of."""
        found: list[Schema] = []
        waiting = list(schemas)
        while waiting and len(found) < MOST_SCHEMAS:
            schema = _object(waiting.pop(0))
            if schema and not any(schema is known for known in found):
                found.append(schema)
                waiting.append(self._referred(schema.get("$ref")))
                for combined in ("anyOf", "oneOf", "allOf"):
                    waiting += _list(schema.get(combined))
        return found

    def _referred(self, reference: object) -> object:
        """What a reference within the schema itself names (a JSON pointer, RFC 6901)."""
        if not isinstance(reference, str) or not reference.startswith("#"):
            return None
        place: object = self._root
        for step in reference[1:].split("/")[1:]:
            place = _object(place).get(step.replace("~1", "/").replace("~0", "~"))
        return place


def _object(value: object) -> Schema:
    return cast(Schema, value) if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return cast(list[Any], value) if isinstance(value, list) else []
