"""Synthetic patients: a FHIR R4 bundle made from a seed. The same seed gives the same bundle.

Nobody in it exists. Conditions fit the age, medicines and measurements fit the conditions.
"""

import random
import uuid
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from agent_worker.fhir.catalogue import (
    ALLERGIES,
    FAMILY_NAMES,
    FEMALE_NAMES,
    ILLNESSES,
    MALE_NAMES,
    Illness,
)

TODAY = date(2026, 1, 1)
"""The day that all ages and dates count from: a bundle does not change with the clock."""
SNOMED = "http://snomed.info/sct"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
LOINC = "http://loinc.org"
HL7 = "http://terminology.hl7.org/CodeSystem"

Resource = dict[str, Any]


@dataclass
class _Maker:
    chance: random.Random
    resources: list[Resource] = field(default_factory=lambda: [])
    names_taken: set[tuple[str, str]] = field(default_factory=lambda: set())

    def add(self, kind: str, **fields: Any) -> Resource:
        made = uuid.UUID(int=self.chance.getrandbits(128), version=4)
        resource = {"resourceType": kind, "id": str(made), **fields}
        self.resources.append(resource)
        return resource

    def day(self, most_days_ago: int) -> date:
        return TODAY - timedelta(days=self.chance.randrange(1, most_days_ago))


def build_bundle(seed: int, patients: int = 60) -> Resource:
    """A bundle of type `collection` with so many patients and what they have."""
    maker = _Maker(random.Random(seed))
    for number in range(patients + maker.chance.randrange(0, 12)):
        _add_patient(maker, number)
    entries = [
        {"fullUrl": f"urn:uuid:{resource['id']}", "resource": resource}
        for resource in maker.resources
    ]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def _add_patient(maker: _Maker, number: int) -> None:
    gender = maker.chance.choice(("female", "male"))
    given, family = _name(maker, gender)
    born = TODAY - timedelta(days=maker.chance.randrange(4 * 365, 92 * 365))
    patient = maker.add(
        "Patient",
        active=True,
        identifier=[{"system": "urn:fanline:mrn", "value": f"MRN{10_000 + number}"}],
        name=[{"use": "official", "family": family, "given": [given]}],
        gender=gender,
        birthDate=born.isoformat(),
    )
    age = (TODAY - born).days // 365
    for illness in ILLNESSES:
        if age >= illness.youngest and maker.chance.random() < illness.share:
            _add_illness(maker, patient, illness)
    if maker.chance.random() < 0.4:
        _add_encounter(maker, patient, "General check-up", maker.day(900))
    if maker.chance.random() < 0.3:
        _add_allergy(maker, patient)


def _name(maker: _Maker, gender: str) -> tuple[str, str]:
    given_names = FEMALE_NAMES if gender == "female" else MALE_NAMES
    while True:
        name = (maker.chance.choice(given_names), maker.chance.choice(FAMILY_NAMES))
        if name not in maker.names_taken:
            maker.names_taken.add(name)
            return name


def _add_illness(maker: _Maker, patient: Resource, illness: Illness) -> None:
    subject = _reference(patient)
    begun = maker.day(3000)
    encounter = _add_encounter(maker, patient, illness.visit, maker.day(700))
    condition = maker.add(
        "Condition",
        clinicalStatus=_concept(f"{HL7}/condition-clinical", "active"),
        verificationStatus=_concept(f"{HL7}/condition-ver-status", "confirmed"),
        code=_concept(SNOMED, illness.code, illness.name),
        subject=subject,
        encounter=_reference(encounter),
        onsetDateTime=begun.isoformat(),
    )
    count = maker.chance.randint(1, len(illness.medicines))
    for medicine in maker.chance.sample(illness.medicines, count):
        maker.add(
            "MedicationRequest",
            status="active",
            intent="order",
            medicationCodeableConcept=_concept(RXNORM, medicine.code, medicine.name),
            subject=subject,
            encounter=_reference(encounter),
            authoredOn=maker.day(700).isoformat(),
            reasonReference=[_reference(condition)],
            dosageInstruction=[{"text": medicine.dose}],
        )
    for measured in illness.measurements:
        value = round(maker.chance.uniform(measured.low, measured.high), 1)
        maker.add(
            "Observation",
            status="final",
            code=_concept(LOINC, measured.code, measured.name),
            subject=subject,
            encounter=_reference(encounter),
            effectiveDateTime=encounter["period"]["start"],
            valueQuantity={
                "value": value,
                "unit": measured.unit,
                "system": "http://unitsofmeasure.org",
                "code": measured.unit,
            },
        )


def _add_encounter(maker: _Maker, patient: Resource, reason: str, day: date) -> Resource:
    start = datetime(day.year, day.month, day.day, maker.chance.randrange(8, 17), tzinfo=UTC)
    return maker.add(
        "Encounter",
        status="finished",
        **{"class": {"system": f"{HL7}/v3-ActCode", "code": "AMB"}},
        type=[{"text": reason}],
        subject=_reference(patient),
        period={
            "start": start.isoformat(),
            "end": (start + timedelta(minutes=maker.chance.choice((20, 30, 45)))).isoformat(),
        },
    )


def _add_allergy(maker: _Maker, patient: Resource) -> None:
    code, name, category = maker.chance.choice(ALLERGIES)
    maker.add(
        "AllergyIntolerance",
        clinicalStatus=_concept(f"{HL7}/allergyintolerance-clinical", "active"),
        verificationStatus=_concept(f"{HL7}/allergyintolerance-verification", "confirmed"),
        category=[category],
        code=_concept(SNOMED, code, name),
        patient=_reference(patient),
    )


def _concept(system: str, code: str, text: str | None = None) -> Resource:
    coding = {"system": system, "code": code}
    return {"coding": [coding]} if text is None else {"coding": [coding], "text": text}


def _reference(resource: Resource) -> Resource:
    return {"reference": f"{resource['resourceType']}/{resource['id']}"}
