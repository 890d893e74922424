"""The tools as an MCP client sees them, over each kind of source with the same data, which the test
reads for itself."""

from collections.abc import AsyncGenerator
from typing import Any

import pytest
from fastmcp import Client
from fastmcp.exceptions import ToolError

from agent_worker.fhir.server import build_fhir_server
from tests.agent_worker.fhir.records import Records, Resource, full_name, records_of
from tests.agent_worker.fhir.sources import SOURCES, source_of

SEED = 3
PATIENT_TOOLS = {
    "get_conditions": "Condition",
    "get_medications": "MedicationRequest",
    "get_encounters": "Encounter",
    "get_observations": "Observation",
    "get_allergies": "AllergyIntolerance",
}
PAGED_TOOLS = {*PATIENT_TOOLS, "search_patients", "find_patients_by_condition"}


class Tools:
    """A client, and what the server's bundle holds."""

    def __init__(self, client: Client[Any], records: Records) -> None:
        self.client = client
        self.records = records

    async def call(self, tool: str, **arguments: object) -> dict[str, Any]:
        """The tool's result."""
        return (await self.client.call_tool(tool, arguments)).structured_content or {}

    async def refusal(self, tool: str, **arguments: object) -> str:
        """What the tool says when it cannot answer."""
        with pytest.raises(ToolError) as refused:
            await self.client.call_tool(tool, arguments)
        return str(refused.value)


@pytest.fixture(scope="module", params=SOURCES)
async def tools(request: pytest.FixtureRequest) -> AsyncGenerator[Tools, None]:
    records = records_of(SEED)
    async with (
        source_of(request.param, records.bundle) as source,
        Client(build_fhir_server(source)) as client,
    ):
        yield Tools(client, records)


def someone_with(records: Records, kind: str) -> Resource:
    """The patient who has most of it."""
    return max(records.patients, key=lambda patient: len(records.of_patient(kind, patient)))


async def test_every_tool_says_what_it_does_and_that_it_only_reads(tools: Tools) -> None:
    """A model sees the tools through these words alone."""
    assert "Read-only" in (tools.client.instructions or "")
    offered = await tools.client.list_tools()
    assert {tool.name for tool in offered} == {"count_patients", "read_resource", *PAGED_TOOLS}
    for tool in offered:
        assert tool.description
        assert tool.annotations is not None
        assert tool.annotations.read_only_hint
        for name, schema in tool.input_schema["properties"].items():
            assert schema["description"], f"{tool.name}.{name}"


async def test_patients_are_counted(tools: Tools) -> None:
    """All of the bundle's."""
    assert await tools.call("count_patients") == {"patients": len(tools.records.patients)}


async def test_a_patient_is_found_by_name_birth_date_and_record_number(tools: Tools) -> None:
    """Each of them leads to the same row."""
    patient = tools.records.patients[5]
    expected = {
        "id": patient["id"],
        "name": full_name(patient),
        "gender": patient["gender"],
        "birth_date": patient["birthDate"],
        "identifier": patient["identifier"][0]["value"],
    }
    for arguments in (
        {"name": full_name(patient).lower()},
        {"birth_date": patient["birthDate"], "name": patient["name"][0]["family"]},
        {"identifier": patient["identifier"][0]["value"]},
    ):
        found = await tools.call("search_patients", **arguments)
        assert found == {"total": 1, "rows": [expected], "next_offset": None}


async def test_nobody_found_is_an_answer(tools: Tools) -> None:
    """Not an error: the tool worked."""
    nobody: dict[str, Any] = {"total": 0, "rows": [], "next_offset": None}
    assert await tools.call("search_patients", name="Nemo") == nobody
    assert await tools.call("find_patients_by_condition", condition="plague") == nobody


@pytest.mark.parametrize("condition", ["diabetes", "44054006"])
async def test_patients_are_found_by_a_condition_s_words_or_code(
    tools: Tools, condition: str
) -> None:
    """One row each, with the condition that matches."""
    found = await tools.call("find_patients_by_condition", condition=condition)
    expected = {one["id"] for one in tools.records.with_condition("diabetes")}
    assert {row["id"] for row in found["rows"]} == expected
    assert found["total"] == len(expected)
    for row in found["rows"]:
        assert [one["code"] for one in row["conditions"]] == ["44054006"]


async def test_conditions_come_with_code_status_and_onset(tools: Tools) -> None:
    """The newest first."""
    patient = someone_with(tools.records, "Condition")
    found = await tools.call("get_conditions", patient_id=patient["id"])
    expected = [
        {
            "condition": one["code"]["text"],
            "code": one["code"]["coding"][0]["code"],
            "status": "active",
            "since": one["onsetDateTime"],
        }
        for one in tools.records.of_patient("Condition", patient)
    ]
    assert found["rows"] == sorted(expected, key=lambda row: row["since"], reverse=True)


async def test_medications_come_with_dose(tools: Tools) -> None:
    """All that the patient was prescribed, whatever for."""
    patient = someone_with(tools.records, "MedicationRequest")
    found = await tools.call("get_medications", patient_id=patient["id"])
    said = {f"{row['medication']}, {row['dose']}" for row in found["rows"]}
    assert said == tools.records.medicines(patient)


async def test_encounters_come_newest_first(tools: Tools) -> None:
    """Each with its day and what it was for."""
    patient = someone_with(tools.records, "Encounter")
    found = await tools.call("get_encounters", patient_id=patient["id"])
    days = [row["date"] for row in found["rows"]]
    assert days == sorted(days, reverse=True)
    said = sorted(f"{row['date']}, {row['type']}" for row in found["rows"])
    assert said == sorted(tools.records.visits(patient))


async def test_observations_come_with_value_and_unit(tools: Tools) -> None:
    """Of all conditions of the patient."""
    patient = someone_with(tools.records, "Observation")
    found = await tools.call("get_observations", patient_id=patient["id"])
    expected = [
        (one["code"]["text"], one["valueQuantity"]["value"], one["valueQuantity"]["unit"])
        for one in tools.records.of_patient("Observation", patient)
    ]
    said = [(row["observation"], row["value"], row["unit"]) for row in found["rows"]]
    assert sorted(said) == sorted(expected)


async def test_allergies_come_with_category(tools: Tools) -> None:
    """And whether they are active."""
    patient = someone_with(tools.records, "AllergyIntolerance")
    [allergy] = tools.records.of_patient("AllergyIntolerance", patient)
    found = await tools.call("get_allergies", patient_id=patient["id"])
    expected = {
        "allergy": allergy["code"]["text"],
        "category": allergy["category"][0],
        "status": "active",
    }
    assert found["rows"] == [expected]


async def test_a_whole_resource_is_read_by_its_reference(tools: Tools) -> None:
    """As it is in the bundle."""
    for kind in ("Patient", *PATIENT_TOOLS.values()):
        resource = tools.records.of_type(kind)[0]
        assert await tools.call("read_resource", reference=f"{kind}/{resource['id']}") == resource


@pytest.mark.parametrize("tool", sorted(PAGED_TOOLS))
async def test_pages_add_up_to_the_whole(tools: Tools, tool: str) -> None:
    """Page after page, by `next_offset`: every row once; past the end there is none."""
    arguments: dict[str, object] = {}
    if tool in PATIENT_TOOLS:
        arguments["patient_id"] = someone_with(tools.records, PATIENT_TOOLS[tool])["id"]
    elif tool == "find_patients_by_condition":
        arguments["condition"] = "hypertension"
    whole = await tools.call(tool, **arguments, limit=100)
    assert whole["next_offset"] is None
    rows: list[object] = []
    offset: int | None = 0
    while offset is not None:
        page = await tools.call(tool, **arguments, limit=2, offset=offset)
        assert page["total"] == whole["total"]
        assert len(page["rows"]) <= 2
        rows += page["rows"]
        offset = page["next_offset"]
    assert rows == whole["rows"]
    past = await tools.call(tool, **arguments, offset=whole["total"])
    assert (past["rows"], past["next_offset"]) == ([], None)


@pytest.mark.parametrize("tool", sorted(PATIENT_TOOLS))
async def test_an_unknown_patient_is_said_to_be_unknown(tools: Tools, tool: str) -> None:
    """In one sentence; nobody is told that a stranger has no conditions."""
    said = await tools.refusal(tool, patient_id="00000000-0000-4000-8000-000000000000")
    assert said == "There is no patient with this id."


@pytest.mark.parametrize(
    ("tool", "arguments", "said"),
    [
        ("search_patients", {"limit": 0}, "`limit`: input should be greater than or equal to 1"),
        ("search_patients", {"limit": 101}, "`limit`: input should be less than or equal to 100"),
        ("search_patients", {"offset": -1}, "`offset`: input should be greater than or equal to 0"),
        ("search_patients", {"birth_date": "May 1"}, "`birth_date`: a date is written YYYY-MM-DD"),
        ("search_patients", {"name": "x" * 201}, "`name`: string should have at most 200"),
        ("search_patients", {"nmae": "Ada"}, "`nmae`: unexpected keyword argument"),
        ("find_patients_by_condition", {}, "`condition`: missing required argument"),
        ("find_patients_by_condition", {"condition": " ?"}, "write a code or at least one word"),
        ("get_conditions", {"patient_id": "Ada Berg"}, "`patient_id`: an id is 1 to 64 letters"),
        ("get_conditions", {"patient_id": "../x"}, "`patient_id`: an id is 1 to 64 letters"),
        ("get_conditions", {"patient_id": ".."}, "`patient_id`: an id is 1 to 64 letters"),
        ("search_patients", {"name": "a\nb"}, "`name`: write it in one line"),
        ("search_patients", {"identifier": "a\x00"}, "`identifier`: write it in one line"),
        ("find_patients_by_condition", {"condition": "a\rb"}, "`condition`: write it in one line"),
        ("read_resource", {"reference": "Ada"}, "`reference`: a reference is written Type/id"),
        ("read_resource", {"reference": "Patient/.."}, "a reference is written Type/id"),
        ("read_resource", {"reference": "Client/root"}, "of a clinical record"),
        ("read_resource", {"reference": "https://a.example/Patient/1"}, "of a clinical record"),
        ("read_resource", {"reference": "Patient/nobody"}, "no resource with this reference"),
    ],
)
async def test_a_wrong_argument_is_named_in_one_sentence(
    tools: Tools, tool: str, arguments: dict[str, object], said: str
) -> None:
    """So that a model can put it right; no link, no traceback, and the server goes on."""
    text = await tools.refusal(tool, **arguments)
    assert said in text
    assert "\n" not in text
    assert "http" not in text
    assert "Traceback" not in text
    assert await tools.call("count_patients") == {"patients": len(tools.records.patients)}
