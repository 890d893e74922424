"""References to resources, written `Type/id`, and which of them may be read. Pure."""

import re
from typing import TypeGuard, cast

from agent_worker.fhir.summaries import Resource, object_in

# fmt: off
READABLE_TYPES = frozenset((
    "AllergyIntolerance", "Appointment", "CarePlan", "CareTeam", "Condition", "Coverage", "Device",
    "DiagnosticReport", "DocumentReference", "Encounter", "EpisodeOfCare", "FamilyMemberHistory",
    "Goal", "ImagingStudy", "Immunization", "Location", "Medication", "MedicationAdministration",
    "MedicationDispense", "MedicationRequest", "MedicationStatement", "Observation", "Organization",
    "Patient", "Practitioner", "PractitionerRole", "Procedure", "QuestionnaireResponse",
    "RelatedPerson", "ServiceRequest", "Specimen",
))
# fmt: on
"""Clinical records and who is named in them. Servers serve their own users, clients and policies
the same way, secrets included (Aidbox does): a model has no business there."""
SUBJECT_FIELDS = {"AllergyIntolerance": "patient"}
"""Where a resource names its patient, when it is not `subject`."""


def is_id(text: str) -> bool:
    """Whether `text` can be a resource's id; one of dots alone would be a step in a path."""
    return re.fullmatch(r"(?=.*[A-Za-z0-9-])[A-Za-z0-9.-]{1,64}", text) is not None


def is_readable(reference: str) -> bool:
    """Whether `reference` is `Type/id` of a type that may be read."""
    kind, _, resource_id = reference.partition("/")
    return kind in READABLE_TYPES and is_id(resource_id)


def is_resource(read: object) -> TypeGuard[Resource]:
    """Whether it is an object with a type and an id."""
    return isinstance(read, dict) and all(
        isinstance(cast(Resource, read).get(name), str) for name in ("resourceType", "id")
    )


def reference_to(resource: Resource) -> str:
    return f"{resource['resourceType']}/{resource['id']}"


def subject_of(resource: Resource) -> str:
    """The reference to its patient, as it is written; empty when there is none."""
    named = object_in(resource, SUBJECT_FIELDS.get(resource["resourceType"], "subject"))
    reference: object = named.get("reference")
    return reference if isinstance(reference, str) else ""
