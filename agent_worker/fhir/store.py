"""A read-only store of FHIR resources, with the questions that the tools ask.

It answers with summaries: what a model needs to know, and not the JSON of FHIR around it.
"""

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

Resource = dict[str, Any]

SUBJECT_FIELDS = {"AllergyIntolerance": "patient"}
"""Where a resource names its patient, when it is not `subject`."""


class UnknownPatient(Exception):
    """No patient has this id."""


class FhirStore:
    """The resources of one bundle, by type and patient."""

    def __init__(self, bundle: Resource) -> None:
        resources: list[Resource] = [entry["resource"] for entry in bundle["entry"]]
        self._by_reference = {
            f"{resource['resourceType']}/{resource['id']}": resource for resource in resources
        }
        self._of_patient: dict[tuple[str, str], list[Resource]] = defaultdict(list)
        for resource in resources:
            kind = resource["resourceType"]
            subject = resource.get(SUBJECT_FIELDS.get(kind, "subject"))
            if subject is not None:
                self._of_patient[kind, subject["reference"]].append(resource)
        self._patients = sorted(
            (resource for resource in resources if resource["resourceType"] == "Patient"),
            key=lambda patient: patient_name(patient),
        )

    @classmethod
    def from_file(cls, path: Path) -> "FhirStore":
        """The store over a bundle in a JSON file."""
        return cls(json.loads(path.read_text()))

    async def count_patients(self) -> int:
        return len(self._patients)

    async def search_patients(
        self, name: str = "", birth_date: str = "", identifier: str = ""
    ) -> list[Resource]:
        """Patients who match everything that is given; every word of `name` is part of theirs."""
        words = name.lower().split()
        return [
            patient
            for patient in self._patients
            if all(word in patient_name(patient).lower() for word in words)
            and (not birth_date or patient["birthDate"] == birth_date)
            and (not identifier or _has_identifier(patient, identifier))
        ]

    async def of_patient(self, kind: str, patient_id: str) -> list[Resource]:
        """The resources of one type that a patient has. Raises `UnknownPatient`."""
        reference = f"Patient/{patient_id}"
        if reference not in self._by_reference:
            raise UnknownPatient(patient_id)
        return self._of_patient[kind, reference]

    async def find_patients_by_condition(self, condition: str) -> list[tuple[Resource, Resource]]:
        """Patients with a condition of this code, or whose name has all of these words."""
        found: list[tuple[Resource, Resource]] = []
        for patient in self._patients:
            for held in self._of_patient["Condition", f"Patient/{patient['id']}"]:
                if _is_condition(held, condition):
                    found.append((patient, held))
        return found

    async def read_resource(self, reference: str) -> Resource | None:
        return self._by_reference.get(reference)


def patient_name(patient: Resource) -> str:
    """A patient's name as people say it."""
    name = patient["name"][0]
    return " ".join([*name.get("given", []), name.get("family", "")]).strip()


def _has_identifier(patient: Resource, value: str) -> bool:
    return any(held["value"] == value for held in patient.get("identifier", []))


def _is_condition(condition: Resource, wanted: str) -> bool:
    code = condition["code"]
    if any(coding["code"] == wanted for coding in code.get("coding", [])):
        return True
    text = code.get("text", "").lower()
    return all(word in text for word in wanted.lower().split())
