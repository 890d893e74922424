"""What a model is told of a resource: the few fields that matter, without the JSON of FHIR. Pure.

R4 leaves most fields optional, and what comes from elsewhere may hold anything: what a resource
does not say, or says in a shape that is not R4's, is `None` here, never an error. No text is longer
than `MOST_CHARS`, and every one can be encoded.
"""

from typing import Any, cast

Resource = dict[str, Any]

DATE_FIELDS = ("onsetDateTime", "authoredOn", "effectiveDateTime", "recordedDate")
MOST_CHARS = 500
MOST_NUMBER = 1e15


def object_in(resource: Resource, name: str) -> Resource:
    """The object in this field; an empty one where there is none."""
    value = resource.get(name)
    return cast(Resource, value) if isinstance(value, dict) else {}


def objects_in(resource: Resource, name: str) -> list[Resource]:
    """The objects of the list in this field."""
    return [cast(Resource, one) for one in _list_in(resource, name) if isinstance(one, dict)]


def text_in(resource: Resource, name: str) -> str | None:
    """The text in this field."""
    return _text_of(resource.get(name))


def summarize_patient(patient: Resource) -> dict[str, Any]:
    """Who a patient is."""
    identifiers = objects_in(patient, "identifier")
    return {
        "id": text_in(patient, "id"),
        "name": name_of(patient),
        "gender": text_in(patient, "gender"),
        "birth_date": text_in(patient, "birthDate"),
        "identifier": text_in(identifiers[0], "value") if identifiers else None,
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
                "allergy": text_of(object_in(resource, "code")),
                "category": ", ".join(_texts_in(resource, "category"))[:MOST_CHARS] or None,
                "status": _first_code(object_in(resource, "clinicalStatus")),
            }


def name_of(patient: Resource) -> str:
    """A patient's name as people say it; the id of one without a name."""
    for name in objects_in(patient, "name"):
        words = [*_texts_in(name, "given"), text_in(name, "family") or ""]
        if said := " ".join(words).strip()[:MOST_CHARS] or text_in(name, "text"):
            return said
    return text_in(patient, "id") or ""


def text_of(concept: Resource) -> str | None:
    """What a concept is called, or its code."""
    codes, names = concepts_of(concept)
    return next(iter([*names, *codes]), None)


def concepts_of(concept: Resource) -> tuple[list[str], list[str]]:
    """The codes of a concept, and its names."""
    codings = objects_in(concept, "coding")
    codes = [text_in(coding, "code") for coding in codings]
    names = [text_in(concept, "text"), *(text_in(coding, "display") for coding in codings)]
    return [code for code in codes if code], [name for name in names if name]


def date_of(resource: Resource) -> str:
    """When it happened or began, as `YYYY-MM-DD` or what part of it is known; may be empty."""
    began = text_in(object_in(resource, "period"), "start")
    said = [began, *(text_in(resource, name) for name in DATE_FIELDS)]
    return next((moment for moment in said if moment), "")[:10]


def _summarize_condition(resource: Resource) -> dict[str, Any]:
    code = object_in(resource, "code")
    return {
        "condition": text_of(code),
        "code": _first_code(code),
        "status": _first_code(object_in(resource, "clinicalStatus")),
        "since": date_of(resource) or None,
    }


def _summarize_medication(resource: Resource) -> dict[str, Any]:
    concept = object_in(resource, "medicationCodeableConcept")
    referred = object_in(resource, "medicationReference")
    dosage = objects_in(resource, "dosageInstruction")
    return {
        "medication": text_of(concept)
        or text_in(referred, "display")
        or text_in(referred, "reference"),
        "code": _first_code(concept),
        "dose": text_in(dosage[0], "text") if dosage else None,
        "status": text_in(resource, "status"),
        "since": date_of(resource) or None,
    }


def _summarize_encounter(resource: Resource) -> dict[str, Any]:
    concepts = [*objects_in(resource, "type"), *objects_in(resource, "reasonCode")]
    return {
        "date": date_of(resource) or None,
        "type": next((said for said in map(text_of, concepts) if said), None),
        "status": text_in(resource, "status"),
    }


def _summarize_observation(resource: Resource) -> dict[str, Any]:
    quantity = object_in(resource, "valueQuantity")
    coded = text_of(object_in(resource, "valueCodeableConcept"))
    number = _number_of(quantity.get("value"))
    return {
        "date": date_of(resource) or None,
        "observation": text_of(object_in(resource, "code")),
        "value": coded or text_in(resource, "valueString") if number is None else number,
        "unit": text_in(quantity, "unit"),
    }


def _first_code(concept: Resource) -> str | None:
    return next(iter(concepts_of(concept)[0]), None)


def _list_in(resource: Resource, name: str) -> list[object]:
    value = resource.get(name)
    return cast(list[object], value) if isinstance(value, list) else []


def _texts_in(resource: Resource, name: str) -> list[str]:
    return [text for text in map(_text_of, _list_in(resource, name)) if text is not None]


def _text_of(value: object) -> str | None:
    """A half of a character, which JSON may hold, becomes a question mark: nobody can send it."""
    return value[:MOST_CHARS].encode(errors="replace").decode() if isinstance(value, str) else None


def _number_of(value: object) -> int | float | None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    return value if abs(value) < MOST_NUMBER else None  # which NaN is not either
