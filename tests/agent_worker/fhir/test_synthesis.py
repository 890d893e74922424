"""The synthetic patients: R4 shapes, and records that hang together, whatever the seed."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from typing import Any, cast

import pytest
from fhir.resources.R4B import get_fhir_model_class
from pydantic import BaseModel

from agent_worker.fhir.catalogue import ILLNESSES
from agent_worker.fhir.synthesis import TODAY, build_bundle
from tests.agent_worker.fhir.records import Records, Resource, full_name, records_of

SEEDS = (1, 2, 20_260)
KINDS = {
    "Patient",
    "Condition",
    "MedicationRequest",
    "Encounter",
    "Observation",
    "AllergyIntolerance",
}
ILLNESS_BY_CODE = {illness.code: illness for illness in ILLNESSES}


@pytest.fixture(params=SEEDS)
def records(request: pytest.FixtureRequest) -> Records:
    return records_of(request.param)


def test_there_are_at_least_sixty_patients_and_every_type_of_resource(records: Records) -> None:
    """Sixty and some, so that the count says which bundle it is."""
    assert 60 <= len(records.patients) < 75
    assert {resource["resourceType"] for resource in records.resources} == KINDS


def test_every_resource_has_the_shape_of_fhir_r4(records: Records) -> None:
    """Checked by a library that knows the elements of R4B: for these types they are those of R4
    (R4B changed only resources on medicinal products, evidence and subscriptions, see
    https://hl7.org/fhir/R4B/r4b-explanation.html). An element that neither has is refused."""
    get_fhir_model_class("Bundle").model_validate(records.bundle)
    for resource in records.resources:
        model = get_fhir_model_class(resource["resourceType"])
        assert model.model_validate(resource).model_dump(mode="json", exclude_none=True)


def test_every_coded_value_is_one_that_fhir_allows(records: Records) -> None:
    """The library names the allowed codes and allowed targets of references without refusing
    others: so they are compared here."""
    checked: set[str] = set()
    for resource in records.resources:
        model = get_fhir_model_class(resource["resourceType"]).model_validate(resource)
        for where, allowed, value in _restricted(model, resource["resourceType"]):
            assert value in allowed, f"{where} is {value!r}"
            checked.add(where)
    assert checked >= {"Patient.gender", "Encounter.status", "MedicationRequest.intent"}
    assert checked >= {"Observation.encounter", "AllergyIntolerance.category"}


def _restricted(model: BaseModel, where: str) -> Iterator[tuple[str, list[str], str]]:
    """The path, allowed values and value of each element of `model` that has a list of them."""
    for name, field in type(model).model_fields.items():
        extra: Any = field.json_schema_extra or {}
        value: Any = getattr(model, name)
        items = cast(list[Any], value if isinstance(value, list) else [value])
        for item in items:
            if item is not None and "enum_values" in extra:
                yield f"{where}.{name}", extra["enum_values"], item
            if item is not None and "enum_reference_types" in extra:
                target: str = item.reference.partition("/")[0]
                yield f"{where}.{name}", extra["enum_reference_types"], target
            if isinstance(item, BaseModel):
                yield from _restricted(item, f"{where}.{name}")


@pytest.mark.parametrize(
    ("kind", "field", "system", "codes"),
    [
        ("Condition", "clinicalStatus", "condition-clinical", {"active"}),
        ("Condition", "verificationStatus", "condition-ver-status", {"confirmed"}),
        ("AllergyIntolerance", "clinicalStatus", "allergyintolerance-clinical", {"active"}),
        ("AllergyIntolerance", "verificationStatus", "allergyintolerance-verification",
         {"confirmed"}),
    ],
)  # fmt: skip
def test_statuses_are_codes_of_their_systems(
    records: Records, kind: str, field: str, system: str, codes: set[str]
) -> None:
    """These bindings are required in R4, and the library does not know them."""
    for resource in records.of_type(kind):
        [coding] = resource[field]["coding"]
        assert coding["system"] == f"http://terminology.hl7.org/CodeSystem/{system}"
        assert coding["code"] in codes


def test_every_reference_names_a_resource_of_the_bundle(records: Records) -> None:
    """Nothing dangles, and what belongs together belongs to one patient."""
    for resource in records.resources:
        if resource["resourceType"] == "Patient":
            continue
        patient = records.patient_of(resource)
        linked = [resource.get("encounter"), *resource.get("reasonReference", [])]
        for reference in filter(None, linked):
            assert records.patient_of(records.by_reference[reference["reference"]]) is patient


def test_ids_identifiers_and_names_are_unique(records: Records) -> None:
    """Nobody can be taken for somebody else."""
    patients = records.patients
    assert len(records.by_reference) == len(records.resources)
    assert len({one["identifier"][0]["value"] for one in patients}) == len(patients)
    assert len({full_name(one) for one in patients}) == len(patients)
    addresses = {entry["fullUrl"] for entry in records.bundle["entry"]}
    assert len(addresses) == len(records.resources)


def test_conditions_begin_at_an_age_that_can_have_them_and_before_their_visits(
    records: Records,
) -> None:
    """Born, old enough, ill, then seen; nothing lies in the future."""
    for condition in records.of_type("Condition"):
        illness = ILLNESS_BY_CODE[condition["code"]["coding"][0]["code"]]
        born = date.fromisoformat(records.patient_of(condition)["birthDate"])
        onset = date.fromisoformat(condition["onsetDateTime"])
        assert _age(born, onset) >= illness.youngest
        diagnosis = records.by_reference[condition["encounter"]["reference"]]
        about = [
            visit
            for visit in records.of_patient("Encounter", records.patient_of(condition))
            if visit["type"][0]["text"].startswith(illness.visit)
        ]
        assert diagnosis in about
        assert onset <= min(_day(visit) for visit in about) == _day(diagnosis)


def test_visits_are_in_the_patients_life(records: Records) -> None:
    """After the birth, before the day of the bundle, and they end after they begin."""
    for visit in records.of_type("Encounter"):
        born = date.fromisoformat(records.patient_of(visit)["birthDate"])
        assert born < _day(visit) < TODAY
        assert visit["period"]["start"] < visit["period"]["end"]
    for allergy in records.of_type("AllergyIntolerance"):
        born = date.fromisoformat(records.patient_of(allergy)["birthDate"])
        assert born < date.fromisoformat(allergy["recordedDate"]) < TODAY


def test_medicines_are_for_a_condition_that_the_patient_has(records: Records) -> None:
    """Each is one that treats its reason, prescribed at a visit after the onset, once."""
    prescribed: set[tuple[str, str]] = set()
    for request in records.of_type("MedicationRequest"):
        reason = records.by_reference[request["reasonReference"][0]["reference"]]
        illness = ILLNESS_BY_CODE[reason["code"]["coding"][0]["code"]]
        code = request["medicationCodeableConcept"]["coding"][0]["code"]
        dose = request["dosageInstruction"][0]["text"]
        assert (code, dose) in {(medicine.code, medicine.dose) for medicine in illness.medicines}
        visit = records.by_reference[request["encounter"]["reference"]]
        assert request["authoredOn"] == visit["period"]["start"]
        assert reason["onsetDateTime"] <= request["authoredOn"]
        prescribed.add((reason["id"], code))
    assert len(prescribed) == len(records.of_type("MedicationRequest"))
    treated = {condition for condition, _ in prescribed}
    assert treated == {condition["id"] for condition in records.of_type("Condition")}


def test_measurements_belong_to_a_condition_of_the_patient(records: Records) -> None:
    """Taken at a visit, in the range and the unit of what is measured."""
    for observation in records.of_type("Observation"):
        codes = {
            condition["code"]["coding"][0]["code"]
            for condition in records.of_patient("Condition", records.patient_of(observation))
        }
        measured = {one.code: one for code in codes for one in ILLNESS_BY_CODE[code].measurements}
        expected = measured[observation["code"]["coding"][0]["code"]]
        quantity = observation["valueQuantity"]
        assert expected.low <= quantity["value"] <= expected.high
        assert quantity["unit"] == expected.unit
        visit = records.by_reference[observation["encounter"]["reference"]]
        assert observation["effectiveDateTime"] == visit["period"]["start"]


def test_the_same_seed_gives_the_same_bytes_in_another_process() -> None:
    """Neither the clock nor the order of a hash has a part in it."""
    program = (
        "import json, sys; from agent_worker.fhir.synthesis import build_bundle; "
        "sys.stdout.write(json.dumps(build_bundle(7)))"
    )
    environment = os.environ | {"PYTHONHASHSEED": "4242"}
    command = [sys.executable, "-c", program]
    text = subprocess.run(command, env=environment, check=True, capture_output=True).stdout
    assert _digest(text) == _digest(json.dumps(build_bundle(7)).encode())


def test_another_seed_gives_other_patients() -> None:
    """No id in common, and other answers to the same questions."""
    one, other = records_of(SEEDS[0]), records_of(SEEDS[1])
    assert not one.by_reference.keys() & other.by_reference.keys()
    assert set(map(full_name, one.patients)) != set(map(full_name, other.patients))
    assert _diabetics(one) != _diabetics(other)


def test_a_bundle_can_be_larger_until_the_names_run_out() -> None:
    """Too many patients are refused: two of one name could not be told apart."""
    assert len(Records(build_bundle(1, patients=300)).patients) >= 300
    with pytest.raises(ValueError, match="larger than population"):
        build_bundle(1, patients=10_000)


def _diabetics(records: Records) -> set[str]:
    return set(map(full_name, records.with_condition("diabetes")))


def _digest(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()


def _day(encounter: Resource) -> date:
    return date.fromisoformat(encounter["period"]["start"][:10])


def _age(born: date, day: date) -> int:
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))
