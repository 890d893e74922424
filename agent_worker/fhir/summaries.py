"""What a model is told of a resource: the few fields that matter, without the JSON of FHIR. Pure.

R4 leaves most fields optional: what a resource does not say is `None` here, never an error.
"""

from typing import Any

Resource = dict[str, Any]

DATE_FIELDS = ("onsetDateTime", "authoredOn", "effectiveDateTime", "recordedDate")


def summarize_patient(patient: Resource) -> dict[str, Any]:
    """Who a patient is."""
    identifiers = patient.get("identifier", [])
    return {
        "id": patient["id"],
        "name": name_of(patient),
        "gender": patient.get("gender"),
        "birth_date": patient.get("birthDate"),
        "identifier": identifiers[0].get("value") if identifiers else None,
    }


def summarize(resource: Resource) -> dict[str, Any]:
    """One row about a condition, medicine, visit, measurement or allergy."""
    match resource["resourceType"]:
        case "Condition":
            return _summarize_condition(resource)
        case "MedicationRequest":
            return _summarize_medication(resource)
        case "Encounter":
            return _summarize_encounter(resource)
        case "Observation":
            return _summarize_observation(resource)
        case _:
            return {
                "allergy": text_of(resource.get("code", {})),
                "category": ", ".join(resource.get("category", [])) or None,
                "status": _first_code(resource.get("clinicalStatus", {})),
            }


def name_of(patient: Resource) -> str:
    """A patient's name as people say it; the id of one without a name."""
    for name in patient.get("name", []):
        said = " ".join([*name.get("given", []), name.get("family", "")]).strip()
        if said or name.get("text"):
            return said or name["text"]
    return patient["id"]


def text_of(concept: Resource) -> str | None:
    """What a concept is called, or its code."""
    codes, names = concepts_of(concept)
    return next(iter([*names, *codes]), None)


def concepts_of(concept: Resource) -> tuple[list[str], list[str]]:
    """The codes of a concept, and its names."""
    codings = concept.get("coding", [])
    codes = [coding["code"] for coding in codings if "code" in coding]
    names = [concept["text"]] if "text" in concept else []
    return codes, names + [coding["display"] for coding in codings if "display" in coding]


def date_of(resource: Resource) -> str:
    """When it happened or began, as `YYYY-MM-DD` or what part of it is known; may be empty."""
    said = [resource.get("period", {}).get("start"), *(resource.get(name) for name in DATE_FIELDS)]
    return str(next((moment for moment in said if moment), ""))[:10]


def _summarize_condition(resource: Resource) -> dict[str, Any]:
    return {
        "condition": text_of(resource.get("code", {})),
        "code": _first_code(resource.get("code", {})),
        "status": _first_code(resource.get("clinicalStatus", {})),
        "since": date_of(resource) or None,
    }


def _summarize_medication(resource: Resource) -> dict[str, Any]:
    named = text_of(resource.get("medicationCodeableConcept", {}))
    referred = resource.get("medicationReference", {})
    dosage: list[Resource] = resource.get("dosageInstruction", [])
    return {
        "medication": named or referred.get("display") or referred.get("reference"),
        "code": _first_code(resource.get("medicationCodeableConcept", {})),
        "dose": dosage[0].get("text") if dosage else None,
        "status": resource.get("status"),
        "since": date_of(resource) or None,
    }


def _summarize_encounter(resource: Resource) -> dict[str, Any]:
    reasons = [text_of(concept) for concept in resource.get("reasonCode", [])]
    kinds = [text_of(concept) for concept in resource.get("type", [])]
    return {
        "date": date_of(resource) or None,
        "type": next((said for said in [*kinds, *reasons] if said), None),
        "status": resource.get("status"),
    }


def _summarize_observation(resource: Resource) -> dict[str, Any]:
    quantity = resource.get("valueQuantity", {})
    coded = text_of(resource.get("valueCodeableConcept", {}))
    return {
        "date": date_of(resource) or None,
        "observation": text_of(resource.get("code", {})),
        "value": quantity.get("value", coded or resource.get("valueString")),
        "unit": quantity.get("unit"),
    }


def _first_code(concept: Resource) -> str | None:
    return next(iter(concepts_of(concept)[0]), None)
