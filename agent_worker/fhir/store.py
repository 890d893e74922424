"""A read-only store of FHIR R4 resources in memory, with the look-ups that the tools need.

It takes any R4 bundle: references may name resources by `Type/id` or by the `fullUrl` of their
entry. It returns whole resources; what a model is told of them is in `summaries.py`.
"""

import json
import re
import unicodedata
from collections import defaultdict
from pathlib import Path
from typing import cast

from agent_worker.fhir.references import is_resource, reference_to, subject_of
from agent_worker.fhir.source import Found, Holder, UnknownPatient
from agent_worker.fhir.summaries import (
    Resource,
    concepts_of,
    date_of,
    name_of,
    object_in,
    objects_in,
    text_in,
)

NOT_HELD = {
    "clinicalStatus": {"inactive", "remission", "resolved"},
    "verificationStatus": {"refuted", "entered-in-error"},
}
"""Conditions with such a status are on record, and the patient does not have them."""


class FhirStore:
    """The resources of one bundle, by type and patient."""

    def __init__(self, bundle: Resource) -> None:
        """Raises `ValueError` for a bundle with something in the place of a resource that is none:
        what was left out would be missing from a patient's record, and nobody would know."""
        entries = _entries_of(bundle)
        resources = [resource for _, resource in entries]
        self._by_reference = {reference_to(resource): resource for resource in resources}
        addresses = {url: reference_to(resource) for url, resource in entries if url}
        self._of_patient: dict[tuple[str, str], list[Resource]] = defaultdict(list)
        for resource in sorted(resources, key=date_of, reverse=True):
            kind: str = resource["resourceType"]
            subject = subject_of(resource)
            self._of_patient[kind, addresses.get(subject, subject)].append(resource)
        self._patients = sorted(
            (resource for resource in resources if resource["resourceType"] == "Patient"),
            key=lambda patient: (name_of(patient), patient["id"]),
        )

    @classmethod
    def from_file(cls, path: Path) -> "FhirStore":
        """The store over a bundle in a JSON file. Raises `ValueError` when it is none."""
        try:
            bundle = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            raise ValueError(f"{path} cannot be read as JSON: {error}") from error
        if not isinstance(bundle, dict) or cast(Resource, bundle).get("resourceType") != "Bundle":
            raise ValueError(f"{path} is not a FHIR bundle")
        try:
            return cls(cast(Resource, bundle))
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None

    async def count_patients(self) -> int:
        return len(self._patients)

    async def search_patients(
        self, name: str = "", birth_date: str = "", identifier: str = ""
    ) -> Found[Resource]:
        """Patients who match everything that is given, by name; every word of `name` begins a word
        of theirs, without regard to case or accents."""
        return Found(
            [
                patient
                for patient in self._patients
                if _matches(name, name_of(patient))
                and (not birth_date or text_in(patient, "birthDate") == birth_date)
                and (not identifier or _has_identifier(patient, identifier))
            ]
        )

    async def of_patient(self, kind: str, patient_id: str) -> Found[Resource]:
        reference = f"Patient/{patient_id}"
        if reference not in self._by_reference:
            raise UnknownPatient(patient_id)
        return Found(self._of_patient.get((kind, reference), []))

    async def find_patients_by_condition(self, condition: str) -> Found[Holder]:
        """Each patient who has a condition of this code, or in whose name every one of these words
        begins a word; with the conditions that match."""
        found: list[Holder] = []
        for patient in self._patients:
            conditions = self._of_patient.get(("Condition", reference_to(patient)), [])
            matching = [one for one in conditions if is_held(one) and _is_called(one, condition)]
            if matching:
                found.append((patient, matching))
        return Found(found)

    async def read_resource(self, reference: str) -> Resource | None:
        return self._by_reference.get(reference)

    async def aclose(self) -> None:
        """There is nothing to let go of."""


def _entries_of(bundle: Resource) -> list[tuple[str, Resource]]:
    """The resources, each with the address of its entry, which may be empty."""
    found: list[tuple[str, Resource]] = []
    entries: object = bundle.get("entry") or []
    if not isinstance(entries, list):
        raise ValueError("`entry` is no list")
    for number, entry in enumerate(cast(list[object], entries)):
        if not isinstance(entry, dict):
            raise ValueError(f"entry {number} is no object")
        read, url = (cast(Resource, entry).get(name) for name in ("resource", "fullUrl"))
        if is_resource(read):
            found.append((url if isinstance(url, str) else "", read))
        elif read is not None:
            raise ValueError(f"entry {number} has a resource without type or id")
    return found


def _words(text: str) -> list[str]:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(char for char in decomposed if not unicodedata.combining(char))
    return re.findall(r"\w+", plain)


def _matches(wanted: str, text: str) -> bool:
    words = _words(text)
    return all(any(word.startswith(part) for word in words) for part in _words(wanted))


def _has_identifier(patient: Resource, value: str) -> bool:
    return any(text_in(held, "value") == value for held in objects_in(patient, "identifier"))


def is_held(condition: Resource) -> bool:
    """Whether the patient has it, by what the resource says of its status."""
    return not any(
        statuses.intersection(concepts_of(object_in(condition, field))[0])
        for field, statuses in NOT_HELD.items()
    )


def _is_called(condition: Resource, wanted: str) -> bool:
    codes, names = concepts_of(object_in(condition, "code"))
    return wanted in codes or any(_matches(wanted, name) for name in names)
