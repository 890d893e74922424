"""The FHIR MCP server: read-only tools with compact results, in pages.

Every argument is checked, and a tool that cannot answer says so in one sentence. Nothing that a
model writes reaches further than a look-up in the source, of clinical records alone.
"""

import json
import re
import unicodedata
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastmcp import FastMCP
from mcp.types import ToolAnnotations
from pydantic import AfterValidator, Field

from agent_worker.fhir.references import is_id, is_readable
from agent_worker.fhir.source import FhirSource, Found, UnknownPatient
from agent_worker.fhir.summaries import Resource, summarize, summarize_patient
from agent_worker.fhir.tool_errors import PlainErrors, cannot_answer

MOST_ROWS = 100
MOST_TEXT = 200
MOST_BYTES = 1024 * 1024
"""Of a whole resource; workers cut it at `MODEL_RESULT_BYTES`."""
NOT_ALL = "There are more than these {total}, which could not be read: narrow the search."
INSTRUCTIONS = (
    "Read-only access to the FHIR R4 records of patients: nothing here can change anything. Find a "
    "patient's id first (search_patients, find_patients_by_condition), then ask for what that "
    "patient has. Lists come in pages: `total` counts all rows; while `next_offset` is a number "
    "there are more, from that `offset` on."
)
READ_ONLY = ToolAnnotations(
    read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
)


def _check_id(value: str) -> str:
    if not is_id(value):
        raise ValueError("an id is 1 to 64 letters, digits, hyphens and dots")
    return value


def _check_reference(value: str) -> str:
    if not is_readable(value):
        raise ValueError("a reference is written Type/id of a clinical record: Condition/123")
    return value


def _check_text(value: str) -> str:
    if any(unicodedata.category(char) in ("Cc", "Cs") for char in value):
        raise ValueError("write it in one line, without control characters")
    return value.strip()


def _check_day(value: str) -> str:
    if value and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value) is None:
        raise ValueError("a date is written YYYY-MM-DD")
    return value


def _check_words(value: str) -> str:
    if re.search(r"\w", value) is None:
        raise ValueError("write a code or at least one word")
    return _check_text(value)


Name = Annotated[
    str,
    Field(max_length=MOST_TEXT, description="Given or family name or both, or their beginning"),
    AfterValidator(_check_text),
]
BirthDate = Annotated[str, AfterValidator(_check_day), Field(description="YYYY-MM-DD")]
Identifier = Annotated[
    str,
    Field(max_length=MOST_TEXT, description="A medical record number, exactly"),
    AfterValidator(_check_text),
]
PatientId = Annotated[
    str, AfterValidator(_check_id), Field(description="The `id` of a patient, not a name")
]
ConditionName = Annotated[
    str,
    Field(max_length=MOST_TEXT, description="Such as `diabetes`, or a SNOMED CT code"),
    AfterValidator(_check_words),
]
Reference = Annotated[
    str, AfterValidator(_check_reference), Field(description="Written Type/id: `Patient/ID`")
]
Limit = Annotated[int, Field(ge=1, le=MOST_ROWS, description="How many rows at most")]
Offset = Annotated[int, Field(ge=0, le=1_000_000, description="Rows to pass over, for paging")]
Page = dict[str, Any]
"""`total`, `rows` and `next_offset`, which is `None` on the last page; `note` when rows are missing
that the source has."""


def build_fhir_server(source: FhirSource) -> FastMCP:
    """The server over `source`, which is closed when the last client has gone."""

    @asynccontextmanager
    async def close_source(_: FastMCP) -> AsyncGenerator[None, None]:
        try:
            yield
        finally:
            await source.aclose()

    tools = FhirTools(source)
    mcp: FastMCP = FastMCP(
        "fanline-fhir",
        instructions=INSTRUCTIONS,
        lifespan=close_source,
        middleware=[PlainErrors()],
        mask_error_details=True,
    )
    for tool in (
        tools.count_patients,
        tools.search_patients,
        tools.find_patients_by_condition,
        tools.get_conditions,
        tools.get_medications,
        tools.get_encounters,
        tools.get_observations,
        tools.get_allergies,
        tools.read_resource,
    ):
        mcp.tool(tool, annotations=READ_ONLY)
    return mcp


class FhirTools:
    """The tools. What their docstrings say is what a model reads."""

    def __init__(self, source: FhirSource) -> None:
        self._source = source

    async def count_patients(self) -> dict[str, int]:
        """How many patients there are in all."""
        return {"patients": await self._source.count_patients()}

    async def search_patients(
        self,
        name: Name = "",
        birth_date: BirthDate = "",
        identifier: Identifier = "",
        limit: Limit = 20,
        offset: Offset = 0,
    ) -> Page:
        """Find patients by name, birth date or medical record number.

        Giving several narrows the search; giving none lists everybody. Each row has the patient's
        `id`, name, gender, birth date and record number.
        """
        found = await self._source.search_patients(name, birth_date, identifier)
        rows = [summarize_patient(patient) for patient in found.items]
        return _page(Found(rows, found.is_cut), limit, offset)

    async def find_patients_by_condition(
        self, condition: ConditionName, limit: Limit = 50, offset: Offset = 0
    ) -> Page:
        """Find the patients who have a condition: one row each, with the conditions that match.

        Conditions that are over or were refuted do not count.
        """
        found = await self._source.find_patients_by_condition(condition)
        rows = [
            summarize_patient(patient)
            | {"conditions": [summarize(one) for one in conditions[:MOST_ROWS]]}
            for patient, conditions in found.items
        ]
        return _page(Found(rows, found.is_cut), limit, offset)

    async def get_conditions(
        self, patient_id: PatientId, limit: Limit = 50, offset: Offset = 0
    ) -> Page:
        """A patient's conditions (diagnoses) with code, status and onset, newest first."""
        return await self._rows("Condition", patient_id, limit, offset)

    async def get_medications(
        self, patient_id: PatientId, limit: Limit = 50, offset: Offset = 0
    ) -> Page:
        """The medicines that a patient has been prescribed, with dose and status, newest first."""
        return await self._rows("MedicationRequest", patient_id, limit, offset)

    async def get_encounters(
        self, patient_id: PatientId, limit: Limit = 50, offset: Offset = 0
    ) -> Page:
        """A patient's encounters (visits) with date and reason, newest first."""
        return await self._rows("Encounter", patient_id, limit, offset)

    async def get_observations(
        self, patient_id: PatientId, limit: Limit = 50, offset: Offset = 0
    ) -> Page:
        """A patient's measurements (laboratory, vital signs, scores) with dates, newest first."""
        return await self._rows("Observation", patient_id, limit, offset)

    async def get_allergies(
        self, patient_id: PatientId, limit: Limit = 50, offset: Offset = 0
    ) -> Page:
        """A patient's allergies and intolerances, newest first."""
        return await self._rows("AllergyIntolerance", patient_id, limit, offset)

    async def read_resource(self, reference: Reference) -> Resource:
        """One whole FHIR R4 resource as JSON, for what the other tools leave out."""
        resource = await self._source.read_resource(reference)
        if resource is None:
            raise cannot_answer("There is no resource with this reference.")
        if _size_of(resource) > MOST_BYTES:
            raise cannot_answer("This resource is too large to be read as a whole.")
        return resource

    async def _rows(self, kind: str, patient_id: str, limit: int, offset: int) -> Page:
        try:
            found = await self._source.of_patient(kind, patient_id)
        except UnknownPatient:
            raise cannot_answer("There is no patient with this id.") from None
        rows = [summarize(resource) for resource in found.items]
        return _page(Found(rows, found.is_cut), limit, offset)


def _size_of(resource: Resource) -> int:
    """In bytes of JSON. Raises for what JSON cannot say, although it was read as such: numbers
    without an end, halves of characters, more depth than anybody writes."""
    try:
        return len(json.dumps(resource, allow_nan=False, ensure_ascii=False).encode())
    except (ValueError, RecursionError):
        raise cannot_answer("This resource cannot be told as JSON.") from None


def _page(found: Found[dict[str, Any]], limit: int, offset: int) -> Page:
    total, end = len(found.items), offset + limit
    page = {
        "total": total,
        "rows": found.items[offset:end],
        "next_offset": end if end < total else None,
    }
    return page | {"note": NOT_ALL.format(total=total)} if found.is_cut else page
