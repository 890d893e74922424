"""`python -m dev.write_schema`: the JSON Schema of every frame, from the Pydantic models.

The TypeScript types are generated from it (`make generate`). With `--check` nothing is written:
exit status 1 when the committed file is not what the models say.
"""

import json
import sys
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from shared.protocol import ClientMessage, ServerFrame

SCHEMA = Path(__file__).parent.parent / "shared" / "schema" / "events.schema.json"


class _FrameSchema(GenerateJsonSchema):
    """Pydantic's schema, as our frames are on the wire: a field that is left out when it is `None`
    is optional and never `null`."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False  # else every field becomes a TypeScript alias of its own

    def field_is_required(
        self,
        field: core_schema.ModelField | core_schema.DataclassField | core_schema.TypedDictField,
        total: bool,
    ) -> bool:
        if "serialization_exclude_if" in field:
            return False
        return super().field_is_required(field, total)

    def model_field_schema(self, schema: core_schema.ModelField) -> JsonSchemaValue:
        written = super().model_field_schema(schema)
        if "serialization_exclude_if" in schema:
            written.pop("default", None)
            kinds = [kind for kind in written.pop("anyOf", []) if kind != {"type": "null"}]
            written |= kinds[0] if kinds else {}
        return written


def build_schema() -> dict[str, Any]:
    """One schema with a definition for every frame, and `ServerFrame` and `ClientFrame` for the
    two unions."""
    definitions: dict[str, Any] = {}
    unions = {
        "ServerFrame": TypeAdapter[Any](ServerFrame).json_schema(
            mode="serialization", schema_generator=_FrameSchema
        ),
        "ClientFrame": TypeAdapter[Any](ClientMessage).json_schema(
            mode="validation", schema_generator=_FrameSchema
        ),
    }
    for name, schema in unions.items():
        definitions |= schema.pop("$defs")
        definitions[name] = schema
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Frame",
        "description": "Generated from shared/protocol.py; do not edit.",
        "anyOf": [{"$ref": f"#/$defs/{name}"} for name in unions],
        "$defs": dict(sorted(definitions.items())),
    }


def main() -> int:
    """Write it, or compare; returns the exit status."""
    text = json.dumps(build_schema(), indent=2) + "\n"
    if "--check" in sys.argv:
        if SCHEMA.read_text() != text:
            print(f"{SCHEMA.name} is not what shared/protocol.py says: run `make generate`.")
            return 1
        return 0
    SCHEMA.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
