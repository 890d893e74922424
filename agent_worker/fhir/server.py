"""The FHIR MCP server: read-only tools with compact results.

Every argument is checked, and a tool that cannot answer says so in one sentence. Nothing that a model
writes reaches further than a look-up in the store.
"""

import re
from typing import Annotated, Any

from fastmcp import FastMCP
from fastmcp.exceptions import ToolError
from pydantic import Field

from agent_worker.fhir.store import FhirStore, Resource, UnknownPatient, patient_name

MOST_ROWS = 100
MOST_TEXT = 200
_REFERENCE = re.compile(r"[A-Z][A-Za-z]{2,40}/[A-Za-z0-9.-]{1,64}")

Text = Annotated[str, Field(max_length=MOST_TEXT)]
PatientId = Annotated[str, Field(pattern=r"^[A-Za-z0-9.-]{1,64}$", description="A patient's id")]
Limit = Annotated[int, Field(ge=1, le=MOST_ROWS, description="At most so many rows")]
Offset = Annotated[int, Field(ge=0, le=100_000, description="Rows to pass over, for paging")]

INSTRUCTIONS = "Read-only access to FHIR R4 patient data. Nothing here changes anything."


def build_fhir_server(store: FhirStore) -> FastMCP:
    """The server over `store`."""
    mcp: FastMCP = FastMCP("fanline-fhir", instructions=INSTRUCTIONS)

    @mcp.tool
    async def count_patients() -> dict[str, int]:  # pyright: ignore[reportUnusedFunction]
        """How many patients there are."""
        return {"patients": await store.count_patients()}

    @mcp.tool
    async def search_patients(  # pyright: ignore[reportUnusedFunction]
        name: Text = "",
        birth_date: Annotated[str, Field(pattern=r"^(\d{4}-\d{2}-\d{2})?$")] = "",
        identifier: Text = "",
        limit: Limit = 20,
        offset: Offset = 0,
    ) -> dict[str, Any]:
        """Find patients by name (any part), birth date (YYYY-MM-DD) or identifier."""
        found = await store.search_patients(name, birth_date, identifier)
        return _page([_patient(patient) for patient in found], limit, offset)

    @mcp.tool
    async def find_patients_by_condition(  # pyright: ignore[reportUnusedFunction]
        condition: Annotated[str, Field(min_length=2, max_length=MOST_TEXT)],
        limit: Limit = 50,
        offset: Offset = 0,
    ) -> dict[str, Any]:
        """Patients who have a condition, by its SNOMED CT code or words of its name."""
        found = await store.find_patients_by_condition(condition)
        rows = [_patient(patient) | {"condition": _text(held)} for patient, held in found]
        return _page(rows, limit, offset)

    @mcp.tool
    async def get_conditions(patient_id: PatientId) -> dict[str, Any]:  # pyright: ignore[reportUnusedFunction]
        """A patient's conditions."""
        return await _rows(store, "Condition", patient_id)

    @mcp.tool
    async def get_medications(patient_id: PatientId) -> dict[str, Any]:  # pyright: ignore[reportUnusedFunction]
        """What a patient has been prescribed, with doses."""
        return await _rows(store, "MedicationRequest", patient_id)

    @mcp.tool
    async def get_encounters(patient_id: PatientId) -> dict[str, Any]:  # pyright: ignore[reportUnusedFunction]
        """A patient's visits."""
        return await _rows(store, "Encounter", patient_id)

    @mcp.tool
    async def get_observations(patient_id: PatientId) -> dict[str, Any]:  # pyright: ignore[reportUnusedFunction]
        """A patient's measurements."""
        return await _rows(store, "Observation", patient_id)

    @mcp.tool
    async def get_allergies(patient_id: PatientId) -> dict[str, Any]:  # pyright: ignore[reportUnusedFunction]
        """A patient's allergies."""
        return await _rows(store, "AllergyIntolerance", patient_id)

    @mcp.tool
    async def read_resource(reference: Text) -> Resource:  # pyright: ignore[reportUnusedFunction]
        """One whole FHIR resource by its reference, such as `Patient/ID`."""
        if _REFERENCE.fullmatch(reference) is None:
            raise ToolError("A reference is written Type/id.")
        resource = await store.read_resource(reference)
        if resource is None:
            raise ToolError("There is no such resource.")
        return resource

    return mcp


async def _rows(store: FhirStore, kind: str, patient_id: str) -> dict[str, Any]:
    try:
        resources = await store.of_patient(kind, patient_id)
    except UnknownPatient:
        raise ToolError("There is no patient with this id.") from None
    return _page([_summary(resource) for resource in resources], MOST_ROWS, 0)


def _page(rows: list[dict[str, Any]], limit: int, offset: int) -> dict[str, Any]:
    return {"total": len(rows), "rows": rows[offset : offset + limit]}


def _patient(patient: Resource) -> dict[str, Any]:
    return {
        "id": patient["id"],
        "name": patient_name(patient),
        "gender": patient.get("gender"),
        "birth_date": patient.get("birthDate"),
    }


def _summary(resource: Resource) -> dict[str, Any]:
    match resource["resourceType"]:
        case "MedicationRequest":
            dosage = resource.get("dosageInstruction") or [{}]
            return {
                "medication": resource["medicationCodeableConcept"].get("text"),
                "dose": dosage[0].get("text"),
                "since": resource.get("authoredOn"),
            }
        case "Encounter":
            return {
                "date": resource["period"]["start"][:10],
                "type": resource["type"][0].get("text"),
            }
        case "Observation":
            quantity = resource.get("valueQuantity", {})
            return {
                "date": resource["effectiveDateTime"][:10],
                "observation": _text(resource),
                "value": quantity.get("value"),
                "unit": quantity.get("unit"),
            }
        case "Condition":
            code = resource["code"]["coding"][0]["code"]
            since = resource.get("onsetDateTime")
            return {"condition": _text(resource), "code": code, "since": since}
        case _:
            return {"allergy": _text(resource), "category": resource.get("category")}


def _text(resource: Resource) -> str:
    return str(resource["code"].get("text"))
