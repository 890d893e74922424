"""A bundle as the tests read it, straight from its JSON: what answers must be made of.

Nothing of the store, the tools or the demo model is used here.
"""

from functools import cache
from typing import Any

from agent_worker.fhir.synthesis import build_bundle

Resource = dict[str, Any]


class Records:
    """The resources of a bundle."""

    def __init__(self, bundle: Resource) -> None:
        self.bundle = bundle
        self.resources: list[Resource] = [entry["resource"] for entry in bundle["entry"]]
        self.by_reference = {
            f"{resource['resourceType']}/{resource['id']}": resource for resource in self.resources
        }

    def of_type(self, kind: str) -> list[Resource]:
        return [resource for resource in self.resources if resource["resourceType"] == kind]

    @property
    def patients(self) -> list[Resource]:
        return self.of_type("Patient")

    def of_patient(self, kind: str, patient: Resource) -> list[Resource]:
        return [one for one in self.of_type(kind) if self.patient_of(one) is patient]

    def patient_of(self, resource: Resource) -> Resource:
        named = resource.get("patient") or resource["subject"]
        return self.by_reference[named["reference"]]

    def with_condition(self, word: str) -> list[Resource]:
        """The patients with a condition in whose name `word` stands."""
        return [
            self.patient_of(condition)
            for condition in self.of_type("Condition")
            if word in condition["code"]["text"].lower()
        ]

    def conditions(self, patient: Resource) -> set[str]:
        return {one["code"]["text"] for one in self.of_patient("Condition", patient)}

    def medicines(self, patient: Resource) -> set[str]:
        """Each with its dose."""
        return {
            f"{one['medicationCodeableConcept']['text']}, {one['dosageInstruction'][0]['text']}"
            for one in self.of_patient("MedicationRequest", patient)
        }

    def visits(self, patient: Resource) -> list[str]:
        """Each with its day, the newest first."""
        visits = self.of_patient("Encounter", patient)
        return sorted(
            (f"{one['period']['start'][:10]}, {one['type'][0]['text']}" for one in visits),
            reverse=True,
        )

    def sickest(self) -> Resource:
        """The patient with most conditions."""
        return max(self.patients, key=lambda patient: len(self.conditions(patient)))


def full_name(patient: Resource) -> str:
    name = patient["name"][0]
    return f"{name['given'][0]} {name['family']}"


@cache
def records_of(seed: int) -> Records:
    """What `build_bundle(seed)` holds."""
    return Records(build_bundle(seed))
