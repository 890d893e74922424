"""What the tools ask of a source of FHIR R4 resources: a bundle in memory, or a server elsewhere.

The tools do not know which. A source returns whole resources, at most `MOST_RESOURCES` for one
question, and changes nothing.
"""

import logging
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from fastmcp.exceptions import ToolError

from agent_worker.fhir.summaries import Resource

MOST_RESOURCES = 2000
"""Read for one question, however many a server has."""

T = TypeVar("T")
Holder = tuple[Resource, list[Resource]]
"""A patient with the conditions that were asked for."""


class UnknownPatient(Exception):
    """No patient has this id."""


class SourceFailed(ToolError):
    """The source cannot answer; the text is a sentence that a model may read."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, log_level=logging.WARNING)


@dataclass(frozen=True)
class Found(Generic[T]):
    """What was found, in order."""

    items: list[T]
    is_cut: bool = False
    """There are more than were read."""


class FhirSource(Protocol):
    """The questions. Each raises `SourceFailed` when it cannot be answered."""

    async def count_patients(self) -> int:
        """How many there are."""
        ...

    async def search_patients(
        self, name: str = "", birth_date: str = "", identifier: str = ""
    ) -> Found[Resource]:
        """Patients who match everything that is given, by name."""
        ...

    async def of_patient(self, kind: str, patient_id: str) -> Found[Resource]:
        """The resources of one type that a patient has, newest first. Raises `UnknownPatient`."""
        ...

    async def find_patients_by_condition(self, condition: str) -> Found[Holder]:
        """Each patient who has a condition of this code or called so, by name."""
        ...

    async def read_resource(self, reference: str) -> Resource | None:
        """The resource that `Type/id` names; `None` when there is none."""
        ...

    async def aclose(self) -> None:
        """Let go of connections. A later question opens them anew."""
        ...
