"""Any FHIR R4 REST server as a source: each question is a search, read page by page.

Reference: https://hl7.org/fhir/R4/search.html. What comes back is looked at again where a mistake
would mix up patients: a server may search in ways of its own.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import httpx2 as httpx

from agent_worker.fhir.references import (
    is_id,
    is_readable,
    is_resource,
    reference_to,
    subject_of,
)
from agent_worker.fhir.rest_client import NOT_FHIR, RestClient
from agent_worker.fhir.source import MOST_RESOURCES, Found, Holder, SourceFailed, UnknownPatient
from agent_worker.fhir.store import is_held
from agent_worker.fhir.summaries import Resource, date_of, name_of

PAGE_RESOURCES = 250
MOST_PAGES = 100
"""Of one search: servers may give fewer resources a page than they are asked for."""
IDS_PER_SEARCH = 50
NO_SEARCH = "The FHIR server has no such search: is its base URL right?"
NO_COUNT = "The FHIR server does not say how many patients it has."
NEWEST_FIRST = {
    "AllergyIntolerance": "-date",
    "Condition": "-recorded-date",
    "Encounter": "-date",
    "MedicationRequest": "-authoredon",
    "Observation": "-date",
}
Parameters = Sequence[tuple[str, str]]


@dataclass
class _Hits:
    """What a search has found so far, each resource once."""

    kind: str
    matches: dict[str, Resource] = field(default_factory=lambda: {})
    included: dict[str, Resource] = field(default_factory=lambda: {})
    is_cut: bool = False

    def add(self, bundle: Resource) -> None:
        for resource in _resources_of(bundle):
            found = self.matches if resource["resourceType"] == self.kind else self.included
            found[reference_to(resource)] = resource


class FhirRest:
    """The questions of `FhirSource`, put to the server of `client`."""

    def __init__(self, client: RestClient) -> None:
        self._client = client

    async def count_patients(self) -> int:
        bundle = await self._read_bundle(
            self._client.url_of("Patient", parameters=[("_summary", "count")])
        )
        total = bundle.get("total")
        if not isinstance(total, int) or isinstance(total, bool) or total < 0:
            raise SourceFailed(NO_COUNT)
        return total

    async def search_patients(
        self, name: str = "", birth_date: str = "", identifier: str = ""
    ) -> Found[Resource]:
        """Patients who match everything that is given, by name; each word of `name` is searched
        for, as the server understands it."""
        parameters = [("name", _literal(word)) for word in re.split(r"[\s,]+", name) if word]
        parameters += [("birthdate", birth_date)] if birth_date else []
        parameters += [("identifier", _literal(identifier))] if identifier else []
        hits = await self._search("Patient", parameters)
        return Found(sorted(hits.matches.values(), key=_by_name), hits.is_cut)

    async def of_patient(self, kind: str, patient_id: str) -> Found[Resource]:
        if not is_id(patient_id):
            raise UnknownPatient(patient_id)
        reference = f"Patient/{patient_id}"
        parameters = [("patient", patient_id), ("_sort", NEWEST_FIRST[kind])]
        hits = await self._search(kind, parameters)
        theirs = [one for one in hits.matches.values() if self._patient_of(one) == reference]
        if not theirs and await self.read_resource(reference) is None:
            raise UnknownPatient(patient_id)
        return Found(sorted(theirs, key=date_of, reverse=True), hits.is_cut)

    async def find_patients_by_condition(self, condition: str) -> Found[Holder]:
        """Each patient who has a condition of this code or, when nobody has, in whose text every
        one of these words is found, as the server understands it."""
        hits = _Hits("Condition")
        if re.fullmatch(r"(?=.*\d)\S+", condition):
            hits = await self._search_conditions([("code", _literal(condition))])
        if not hits.matches:
            words = [("code:text", _literal(word)) for word in condition.split()]
            hits = await self._search_conditions(words)
        held_by: dict[str, list[Resource]] = {}
        for one in sorted(hits.matches.values(), key=date_of, reverse=True):
            if is_held(one):
                held_by.setdefault(self._patient_of(one), []).append(one)
        patients = await self._read_patients(held_by, hits.included)
        holders = [(one, held_by[reference_to(one)]) for one in sorted(patients, key=_by_name)]
        return Found(holders, hits.is_cut)

    async def read_resource(self, reference: str) -> Resource | None:
        if not is_readable(reference):
            return None
        resource = await self._client.get(self._client.url_of(*reference.split("/")))
        if resource is not None and (not is_resource(resource) or not _is(resource, reference)):
            raise SourceFailed(NOT_FHIR)
        return resource

    async def aclose(self) -> None:
        await self._client.aclose()

    async def _search_conditions(self, parameters: Parameters) -> _Hits:
        return await self._search("Condition", [*parameters, ("_include", "Condition:subject")])

    async def _read_patients(
        self, references: Iterable[str], included: dict[str, Resource]
    ) -> list[Resource]:
        """Those patients: the ones that came along, and the others by their ids."""
        patients = [included[one] for one in references if one in included]
        ids = [one.removeprefix("Patient/") for one in references if one not in included]
        ids = [one for one in ids if is_id(one)]
        for start in range(0, len(ids), IDS_PER_SEARCH):
            wanted = ids[start : start + IDS_PER_SEARCH]
            hits = await self._search("Patient", [("_id", ",".join(wanted))])
            patients += [one for one in hits.matches.values() if one["id"] in wanted]
        return patients

    async def _search(self, kind: str, parameters: Parameters) -> _Hits:
        hits = _Hits(kind)
        page = self._client.url_of(kind, parameters=[*parameters, ("_count", str(PAGE_RESOURCES))])
        for _ in range(MOST_PAGES):
            bundle = await self._read_bundle(page)
            hits.add(bundle)
            after = self._client.next_of(page, bundle)
            if after is None:
                return hits
            if len(hits.matches) >= MOST_RESOURCES:
                break
            page = after
        hits.is_cut = True
        return hits

    async def _read_bundle(self, url: httpx.URL) -> Resource:
        bundle = await self._client.get(url)
        if bundle is None:
            raise SourceFailed(NO_SEARCH)
        if bundle["resourceType"] != "Bundle":
            raise SourceFailed(NOT_FHIR)
        return bundle

    def _patient_of(self, resource: Resource) -> str:
        """`Patient/id` of its patient, without a version; as it is written when it is not here."""
        return self._client.relative(subject_of(resource)).partition("/_history/")[0]


def _literal(value: str) -> str:
    """`value` as text in a search: the signs that FHIR gives a meaning lose it."""
    return re.sub(r"([\\,$|])", r"\\\1", value)


def _by_name(patient: Resource) -> tuple[str, str]:
    return name_of(patient), patient["id"]


def _resources_of(bundle: Resource) -> list[Resource]:
    entries: object = bundle.get("entry") or []
    if not isinstance(entries, list):
        raise SourceFailed(NOT_FHIR)
    found = [
        cast(Resource, entry).get("resource")
        for entry in cast(list[Any], entries)
        if isinstance(entry, dict)
    ]
    return [resource for resource in found if is_resource(resource)]


def _is(resource: Resource, reference: str) -> bool:
    return reference_to(resource) == reference
