"""`docs/protocol.md` against the code, in both directions: whichever drifts, a test fails."""

import json
import re
from typing import Any, get_args
from uuid import uuid4

import httpx2 as httpx
import pytest
from pydantic import BaseModel, TypeAdapter

from gateway import close_codes, patient
from shared import protocol
from shared.protocol import (
    ClientMessage,
    ErrorCode,
    Event,
    Failure,
    Frame,
    ServerFrame,
    TelemetryEvent,
    Usage,
    encode_event,
    encode_frame,
    with_position,
)
from tests.docs.markdown import Row, code_of, name_in, read_page, sections_of, tables_of
from tests.support.deployment import Deployment

PAGE = read_page("docs/protocol.md")
SECTIONS = sections_of(PAGE)
COMMON = "Fields of every event"
TELEMETRY = "Fields of telemetry events"
CLIENT: TypeAdapter[BaseModel] = TypeAdapter(ClientMessage)
SERVER: TypeAdapter[Frame] = TypeAdapter(ServerFrame)

Documented = dict[str, tuple[str, str]]
"""Type and presence by field."""


def members_of(annotated: Any) -> list[type[BaseModel]]:
    """The models of a discriminated union."""
    return list(get_args(get_args(annotated)[0]))


def tag_of(model: type[BaseModel]) -> str:
    return get_args(model.model_fields["type"].annotation)[0]


SERVER_MODELS = {tag_of(model): model for model in members_of(ServerFrame)}
CLIENT_MODELS = {tag_of(model): model for model in members_of(ClientMessage)}


def server_section(kind: str) -> str:
    """A client sends a `message` too: the event's heading says that it is one."""
    return SECTIONS[f"`{kind}` (event)" if kind in CLIENT_MODELS else f"`{kind}`"]


def documented_fields(rows: list[Row]) -> Documented:
    return {name_in(row["field"]): (row["type"], row["presence"]) for row in rows}


def type_in_words(schema: dict[str, Any]) -> str:
    """A field's type as the page writes it; that it may be null is its presence."""
    kinds = [kind for kind in schema.get("anyOf", [schema]) if kind.get("type") != "null"]
    (kind,) = kinds
    if "$ref" in kind:
        return f"{kind['$ref'].rpartition('/')[2].lower()} object"
    if "enum" in kind:
        if set(kind["enum"]) == set(get_args(ErrorCode)):
            return "error code"
        return "one of " + ", ".join(f"`{value}`" for value in kind["enum"])
    return kind["type"]


def fields_of(model: type[BaseModel]) -> Documented:
    """What the page has to say about the model."""
    properties = model.model_json_schema(mode="serialization")["properties"]
    found: Documented = {}
    for name, field in model.model_fields.items():
        left_out = field.exclude_if is not None or not issubclass(model, Frame | Usage | Failure)
        presence = "always"
        if not field.is_required() and field.default is None:
            presence = "may be absent" if left_out else "may be null"
        found[name] = (type_in_words(properties[name]), presence)
    return found


@pytest.mark.parametrize("kind", SERVER_MODELS)
def test_every_field_of_what_a_gateway_sends_is_documented_as_it_is(kind: str) -> None:
    model, section = SERVER_MODELS[kind], server_section(kind)
    documented: Documented = {}
    if issubclass(model, Event):
        documented |= documented_fields(tables_of(SECTIONS[COMMON])[0])
    if issubclass(model, TelemetryEvent):
        documented |= documented_fields(tables_of(SECTIONS[TELEMETRY])[0])
    assert documented | documented_fields(tables_of(section)[0]) == fields_of(model)


@pytest.mark.parametrize("kind", SERVER_MODELS)
def test_every_section_says_what_kind_of_frame_it_is(kind: str) -> None:
    model, section = SERVER_MODELS[kind], server_section(kind).strip()
    begins = "An event" if issubclass(model, Event) else "In no log."
    assert section.startswith("A telemetry event" if issubclass(model, TelemetryEvent) else begins)


@pytest.mark.parametrize("kind", CLIENT_MODELS)
def test_every_field_of_what_a_client_sends_is_documented_as_it_is(kind: str) -> None:
    documented = documented_fields(tables_of(SECTIONS[f"`{kind}`"])[0])
    assert documented == fields_of(CLIENT_MODELS[kind])


def test_the_objects_inside_frames_are_documented_as_they_are() -> None:
    _, usage, failure = tables_of(server_section("turn_finished"))
    assert documented_fields(usage) == fields_of(Usage)
    assert documented_fields(failure) == fields_of(Failure)


def test_there_is_a_section_for_every_frame_and_for_nothing_else() -> None:
    documented = sorted(name_in(title) for title in SECTIONS if title.startswith("`"))
    assert documented == sorted([*SERVER_MODELS, *CLIENT_MODELS])


@pytest.mark.parametrize("kind", SERVER_MODELS)
def test_every_example_is_a_frame_exactly_as_a_gateway_sends_it(kind: str) -> None:
    examples = [json.loads(text) for text in code_of(server_section(kind), "json")]
    shown = {name for example in examples for name in example}
    assert set(documented_fields(tables_of(server_section(kind))[0])) <= shown
    for example in examples:
        frame = SERVER.validate_python(example)
        assert isinstance(frame, SERVER_MODELS[kind])
        sent = encode_frame(frame)
        if isinstance(frame, Event) and frame.id:
            sent = with_position(frame.id, encode_event(frame))
        assert sent == json.dumps(example, separators=(",", ":"))


@pytest.mark.parametrize("kind", CLIENT_MODELS)
def test_every_example_of_a_client_is_accepted_and_complete(kind: str) -> None:
    (example,) = [json.loads(text) for text in code_of(SECTIONS[f"`{kind}`"], "json")]
    assert isinstance(CLIENT.validate_python(example), CLIENT_MODELS[kind])
    assert set(example) == set(CLIENT_MODELS[kind].model_fields)


def test_fields_that_every_client_knows_are_always_there() -> None:
    rows = [row for table in tables_of(PAGE) for row in table if "●" in row.get("field", "")]
    assert rows
    assert all(row["presence"] in ("always", "may be null") for row in rows)


def test_every_error_code_is_documented_and_no_other() -> None:
    (table,) = tables_of(SECTIONS["Error codes"])
    assert [name_in(row["code"]) for row in table] == list(get_args(ErrorCode))


def test_every_close_code_is_documented_and_no_other() -> None:
    (table,) = tables_of(SECTIONS["Close codes"])
    documented = {name_in(row["name"]): int(row["code"]) for row in table}
    assert documented == {
        name: value for name, value in vars(close_codes).items() if name.isupper()
    }


def test_limits_are_documented_as_they_are() -> None:
    version, limit = protocol.PROTOCOL_VERSION, protocol.MAX_CONTENT_CODE_POINTS
    assert f"version {version}" in PAGE
    assert set(re.findall(r"([\d,]+) (?:Unicode )?code points", PAGE)) == {f"{limit:,}"}


async def test_every_http_endpoint_answers_as_documented_and_no_other_is_there(
    system: Deployment,
) -> None:
    """The first status in a row is the one of a plain request."""
    table, *_ = tables_of(SECTIONS["HTTP"])
    base = system.processes[0].http
    documented: set[str] = set()
    async with httpx.AsyncClient(base_url=base) as http:
        for row in table:
            statuses = re.findall(r"\b\d{3}\b", row["answer"])
            for endpoint in re.findall(r"`([^`]+)`", row["method and path"]):
                method, path = endpoint.split(" ")
                path = re.sub(r"{\w+}", f"a{uuid4()}", path)
                async with http.stream(method, path) as answer:  # one of them has no end
                    assert answer.status_code == int(statuses[0] if statuses else 200), endpoint
                documented.add(endpoint)
        described = (await http.get("/openapi.json")).json()["paths"]
    there = {f"{method.upper()} {path}" for path in described for method in described[path]}
    assert there <= documented


def test_every_answer_to_a_patient_request_is_documented() -> None:
    _, answers, fields = tables_of(SECTIONS["HTTP"])
    bodies = {row["status"]: row["body"] for row in answers}
    assert set(bodies) == {"200", "404", "422", "500", "503"}
    named = " ".join(row["field of the history"] for row in fields)
    assert set(re.findall(r"`(\w+)`", named)) == set(patient.PatientHistory.model_fields)
    for status, sentence in (
        ("404", patient.NOT_FOUND),
        ("500", patient.FAILED),
        ("503", patient.BUSY),
    ):
        assert f'{{"detail": "{sentence}"}}' in bodies[status]
