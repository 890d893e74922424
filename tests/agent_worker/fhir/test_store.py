"""The store over bundles that are not ours: whatever R4 leaves optional may be missing."""

import json
from pathlib import Path

import pytest

from agent_worker.fhir.source import UnknownPatient
from agent_worker.fhir.store import FhirStore
from agent_worker.fhir.summaries import Resource, name_of, summarize, summarize_patient


def a_patient(patient_id: str, given: str, family: str, **fields: object) -> Resource:
    name = [{"given": given.split(), "family": family}]
    return {"resourceType": "Patient", "id": patient_id, "name": name, **fields}


def a_condition(condition_id: str, subject: str, text: str, **fields: object) -> Resource:
    return {
        "resourceType": "Condition",
        "id": condition_id,
        "subject": {"reference": subject},
        "code": {"text": text, "coding": [{"code": f"code-{text}", "display": f"{text} (coded)"}]},
        **fields,
    }


def a_status(code: str) -> Resource:
    return {"coding": [{"code": code}]}


def store_of(*resources: Resource) -> FhirStore:
    entries = [{"fullUrl": f"urn:uuid:{one['id']}", "resource": one} for one in resources]
    return FhirStore({"resourceType": "Bundle", "type": "transaction", "entry": entries})


def names(patients: list[Resource]) -> list[str]:
    return [name_of(patient) for patient in patients]


ADA = a_patient("ada", "Ada María", "Núñez")
BO = a_patient("bo", "Bo", "Adamson")


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("", ["Ada María Núñez", "Bo Adamson"]),
        ("ada", ["Ada María Núñez", "Bo Adamson"]),
        ("ADA nunez", ["Ada María Núñez"]),
        ("Núñez, Ada", ["Ada María Núñez"]),
        ("bo", ["Bo Adamson"]),
        ("dam", []),
        ("nobody", []),
    ],
)
async def test_a_name_is_found_by_the_beginnings_of_its_words(asked: str, found: list[str]) -> None:
    """In any order, without regard to case and accents, as FHIR's search has it."""
    assert names((await store_of(BO, ADA).search_patients(asked)).items) == found


async def test_a_search_needs_all_that_is_given() -> None:
    """Name, birth date and identifier narrow each other."""
    born = a_patient("c", "Cy", "Ek", birthDate="1990-01-02", identifier=[{"value": "M1"}])
    store = store_of(ADA, born)
    assert names((await store.search_patients(birth_date="1990-01-02")).items) == ["Cy Ek"]
    assert names((await store.search_patients(identifier="M1")).items) == ["Cy Ek"]
    assert names((await store.search_patients(identifier="M")).items) == []
    assert names((await store.search_patients("ada", birth_date="1990-01-02")).items) == []


async def test_references_may_name_a_patient_by_the_address_of_the_entry() -> None:
    """As bundles for transactions do."""
    store = store_of(ADA, a_condition("x", "urn:uuid:ada", "Asthma"))
    assert [one["id"] for one in (await store.of_patient("Condition", "ada")).items] == ["x"]


async def test_a_condition_is_found_by_code_or_by_words_of_any_of_its_names() -> None:
    """The text, and what the code is displayed as."""
    store = store_of(ADA, BO, a_condition("x", "Patient/ada", "Type 2 diabetes"))
    for wanted in ("diabetes", "type 2", "DIABET", "code-Type 2 diabetes", "coded"):
        found = (await store.find_patients_by_condition(wanted)).items
        assert names([patient for patient, _ in found]) == ["Ada María Núñez"]
    assert (await store.find_patients_by_condition("type 1")).items == []


async def test_a_patient_with_several_such_conditions_is_found_once() -> None:
    """The number of rows is the number of patients."""
    first = a_condition("x", "Patient/ada", "Asthma", onsetDateTime="2020-01-01")
    second = a_condition("y", "Patient/ada", "Asthma, severe", onsetDateTime="2022-01-01")
    store = store_of(ADA, first, second)
    [(patient, conditions)] = (await store.find_patients_by_condition("asthma")).items
    assert patient["id"] == "ada"
    assert [one["id"] for one in conditions] == ["y", "x"]


@pytest.mark.parametrize(
    ("field", "code"),
    [
        ("clinicalStatus", "resolved"),
        ("clinicalStatus", "inactive"),
        ("clinicalStatus", "remission"),
        ("verificationStatus", "refuted"),
        ("verificationStatus", "entered-in-error"),
    ],
)
async def test_who_had_a_condition_does_not_have_it(field: str, code: str) -> None:
    """It stays on the patient's record."""
    store = store_of(ADA, a_condition("x", "Patient/ada", "Asthma", **{field: a_status(code)}))
    assert (await store.find_patients_by_condition("asthma")).items == []
    assert len((await store.of_patient("Condition", "ada")).items) == 1


async def test_an_unknown_patient_is_told_from_one_with_nothing_on_record() -> None:
    """An empty list says that nothing is there, which nobody knows of a stranger."""
    store = store_of(ADA)
    assert (await store.of_patient("Condition", "ada")).items == []
    with pytest.raises(UnknownPatient):
        await store.of_patient("Condition", "eve")


@pytest.mark.parametrize(
    "kind",
    ["Condition", "MedicationRequest", "Encounter", "Observation", "AllergyIntolerance"],
)
def test_what_a_resource_does_not_say_is_none(kind: str) -> None:
    """A resource with only its type and id is summarized too."""
    assert set(summarize({"resourceType": kind, "id": "x"}).values()) == {None}


async def test_a_patient_without_a_name_is_called_by_the_id() -> None:
    """And one with only a text by that."""
    nameless = {"resourceType": "Patient", "id": "p1"}
    assert summarize_patient(nameless)["name"] == "p1"
    assert name_of({**nameless, "name": [{"text": "Sister Ann"}]}) == "Sister Ann"


def test_a_medicine_may_be_named_by_reference_and_a_value_by_a_code() -> None:
    """R4 has choices: each is read."""
    request = {"resourceType": "MedicationRequest", "medicationReference": {"display": "Aspirin"}}
    assert summarize(request)["medication"] == "Aspirin"
    concept = {"coding": [{"code": "N", "display": "Normal"}]}
    observation = {"resourceType": "Observation", "valueCodeableConcept": concept}
    assert summarize(observation)["value"] == "Normal"
    assert summarize({"resourceType": "Observation", "valueString": "clear"})["value"] == "clear"
    zero = {"resourceType": "Observation", "valueQuantity": {"value": 0, "unit": "kg"}}
    assert (summarize(zero)["value"], summarize(zero)["unit"]) == (0, "kg")


async def test_a_bundle_is_read_from_a_file(tmp_path: Path) -> None:
    """Entries without a resource, such as answers of a server, are passed over."""
    file = tmp_path / "bundle.json"
    entries = [{"resource": ADA}, {"response": {"status": "204"}}]
    file.write_text(json.dumps({"resourceType": "Bundle", "entry": entries}), encoding="utf-8")
    assert await FhirStore.from_file(file).count_patients() == 1


@pytest.mark.parametrize("text", ["{", "[]", '{"resourceType": "Patient"}', None])
def test_a_file_that_is_no_bundle_is_refused_by_name(tmp_path: Path, text: str | None) -> None:
    """Before anybody asks a question."""
    file = tmp_path / "other.json"
    if text is not None:
        file.write_text(text)
    with pytest.raises(ValueError, match=r"other\.json"):
        FhirStore.from_file(file)
