"""Bundles, servers' answers and a model's arguments that are anything: a value, or a refusal of its
own kind, and never anything else; and never more of it than is allowed."""

import json
import math
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import httpx2 as httpx
import pytest
from fastmcp import Client
from fastmcp.exceptions import ToolError
from hypothesis import given
from hypothesis import strategies as st

from agent_worker.fhir.rest import FhirRest
from agent_worker.fhir.rest_client import RestClient
from agent_worker.fhir.server import MOST_BYTES, FhirTools, build_fhir_server
from agent_worker.fhir.source import SourceFailed, UnknownPatient
from agent_worker.fhir.store import FhirStore
from agent_worker.fhir.summaries import MOST_CHARS, MOST_NUMBER, Resource

FIELDS = (
    "name", "given", "family", "text", "gender", "birthDate", "identifier", "value", "code",
    "coding", "display", "clinicalStatus", "verificationStatus", "category", "period", "start",
    "onsetDateTime", "authoredOn", "subject", "patient", "reference", "medicationReference",
    "medicationCodeableConcept", "dosageInstruction", "status", "reasonCode", "type", "unit",
    "valueQuantity", "valueCodeableConcept", "valueString", "extension",
)  # fmt: skip
KINDS = (
    "Patient", "Condition", "MedicationRequest", "Encounter", "Observation", "AllergyIntolerance",
    "Device",
)  # fmt: skip
TOOLS = (
    "count_patients", "search_patients", "find_patients_by_condition", "get_conditions",
    "get_medications", "get_encounters", "get_observations", "get_allergies", "read_resource",
)  # fmt: skip
ARGUMENTS = (
    "name", "birth_date", "identifier", "condition", "patient_id", "reference", "limit", "offset",
)  # fmt: skip
UNEXPECTED = "Error calling tool"
"""How an exception is told that nobody foresaw: without its text."""

any_text = st.text(st.characters(exclude_categories=()), max_size=20)  # halves of characters too
texts = any_text | st.sampled_from(["p", "Patient/p", "urn:p", "active", "x" * 9999])
leaves = st.none() | st.booleans() | st.integers() | st.floats() | texts
leaves |= st.sampled_from([10**400, float("inf"), float("nan")])
json_values = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(FIELDS) | any_text, inner, max_size=4)
    ),
    max_leaves=12,
)
resources = st.fixed_dictionaries(
    {"resourceType": st.sampled_from(KINDS), "id": st.sampled_from(["p", "q", "ö", "\ud800"])},
    optional={
        **{name: json_values for name in FIELDS},
        "subject": st.just({"reference": "Patient/p"}) | json_values,
        "patient": st.just({"reference": "Patient/p"}) | json_values,
    },
)
entries = st.fixed_dictionaries({"resource": resources}, optional={"fullUrl": json_values})
PATIENT: Resource = {"resource": {"resourceType": "Patient", "id": "p"}}


def a_bundle(listed: list[Resource]) -> Resource:
    return {"resourceType": "Bundle", "entry": [PATIENT, *listed]}


nothing: Resource = {}
bundles = st.lists(entries | st.just(nothing), max_size=6).map(a_bundle)


def values_in(value: Any) -> Iterator[Any]:
    """Every text and number in it."""
    if isinstance(value, dict):
        value = [*cast(Resource, value).items()]
    if isinstance(value, list | tuple):
        for inner in cast(list[Any], value):
            yield from values_in(inner)
    else:
        yield value


def check_that_it_can_be_sent(answer: object) -> None:
    """As JSON, in bounded texts and numbers."""
    json.dumps(answer, allow_nan=False, ensure_ascii=False).encode()
    for value in values_in(answer):
        assert not isinstance(value, str) or len(value) <= MOST_CHARS
        assert not isinstance(value, float) or abs(value) < MOST_NUMBER


@given(bundles)
async def test_any_bundle_can_be_asked(bundle: Resource) -> None:
    """Whatever stands in its fields."""
    tools = FhirTools(FhirStore(bundle))
    check_that_it_can_be_sent(await tools.search_patients())
    check_that_it_can_be_sent(await tools.search_patients("x", "2020-01-01", "y"))
    check_that_it_can_be_sent(await tools.find_patients_by_condition("active"))
    for rows_of in (
        tools.get_conditions, tools.get_medications, tools.get_encounters, tools.get_observations,
        tools.get_allergies,
    ):  # fmt: skip
        check_that_it_can_be_sent(await rows_of("p"))
    for kind in KINDS:
        with suppress(ToolError):
            resource = await tools.read_resource(f"{kind}/p")
            assert len(json.dumps(resource, allow_nan=False)) <= 6 * MOST_BYTES  # as \\uXXXX


@given(json_values, json_values)
def test_anything_is_a_bundle_or_none(entry: Any, resource: Any) -> None:
    """And no other exception tells so."""
    for bundle in ({"entry": entry}, {"entry": [entry]}, {"entry": [{"resource": resource}]}):
        with suppress(ValueError):
            FhirStore(bundle)


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", "[" * 100_000, "9" * 5000, '{"resourceType": "Bundle", "entry": [1]}'],
    ids=["nothing", "half", "a list", "null", "deep", "a long number", "an entry"],
)
def test_a_file_that_is_no_bundle_is_refused_with_its_name(tmp_path: Path, text: str) -> None:
    path = tmp_path / "bundle.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"bundle\.json"):
        FhirStore.from_file(path)


@pytest.mark.parametrize(
    "field",
    [{"note": "x" * MOST_BYTES}, {"value": math.inf}, {"name": "\ud800"}],
    ids=["large", "infinite", "half a character"],
)
async def test_a_resource_that_cannot_be_told_is_refused(field: Resource) -> None:
    """In a sentence; what the lists say of it is bounded anyway."""
    entry = {"resource": {"resourceType": "Patient", "id": "p", **field}}
    async with Client(build_fhir_server(FhirStore({"entry": [entry]}))) as client:
        with pytest.raises(ToolError, match=r"^This resource .+\.$"):
            await client.call_tool("read_resource", {"reference": "Patient/p"})
        found = (await client.call_tool("search_patients", {})).structured_content or {}
        assert [row["id"] for row in found["rows"]] == ["p"]


async def ask(client: Client[Any], tool: str, arguments: dict[str, Any]) -> None:
    """It is answered, or refused in a sentence of ours."""
    result = await client.call_tool(tool, arguments, raise_on_error=False)
    assert not result.is_error or UNEXPECTED not in str(result.content), result.content


async def test_a_resource_that_is_deep_is_told_or_refused() -> None:
    """Deeper than anybody writes, and not too deep to be read."""
    deep: Any = {}
    for _ in range(900):
        deep = {"extension": [deep]}
    entry = {"resource": {"resourceType": "Patient", "id": "p", **deep}}
    async with Client(build_fhir_server(FhirStore({"entry": [entry]}))) as client:
        await ask(client, "read_resource", {"reference": "Patient/p"})


@given(
    st.sampled_from(TOOLS),
    st.dictionaries(
        st.sampled_from(ARGUMENTS) | st.text(max_size=5),
        json_values | st.sampled_from(["Patient/p", 1, 100, 10**400, "..", "2020-99-99"]),
        max_size=4,
    ),
)
async def test_any_arguments_are_answered_or_refused_in_a_sentence(
    tool: str, arguments: dict[str, Any]
) -> None:
    """A model may write whatever it likes."""
    store = FhirStore({"resourceType": "Bundle", "entry": [PATIENT]})
    async with Client(build_fhir_server(store)) as client:
        await ask(client, tool, arguments)


class Answering(RestClient):
    """A client of a server that answers everything alike."""

    def __init__(self, body: bytes) -> None:
        super().__init__("http://fhir.example", 10)
        self._body = body

    async def _fetch(self, url: httpx.URL) -> tuple[int, bytes]:
        return 200, self._body


@given(json_values | bundles)
async def test_any_answer_of_a_server_is_read_or_refused(answer: Any) -> None:
    """One that is JSON, and may be FHIR."""
    rest = FhirRest(Answering(json.dumps(answer).encode()))
    for question in (
        rest.count_patients(),
        rest.search_patients("a"),
        rest.of_patient("Condition", "p"),
        rest.find_patients_by_condition("a"),
        rest.read_resource("Patient/p"),
    ):
        with suppress(SourceFailed, UnknownPatient):
            await question
