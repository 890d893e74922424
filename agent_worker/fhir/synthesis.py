"""Synthetic patients: a FHIR R4 bundle made from a seed. The same seed gives the same bytes.

Nobody in it exists. What they have hangs together: a condition begins at an age that can have it
and before the visits about it, a medicine is prescribed at such a visit and for that condition, a
measurement is taken there.
"""

import random
import uuid
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from agent_worker.fhir.catalogue import ALLERGIES, ILLNESSES, Illness, Measurement, Medicine
from agent_worker.fhir.names import FAMILY_NAMES, FEMALE_NAMES, MALE_NAMES

TODAY = date(2026, 1, 1)
"""The day that all ages and dates count from: a bundle does not change with the clock."""
YEAR_DAYS = 365.25
LONGEST_ILL_DAYS = 3000
LONGEST_BETWEEN_VISITS_DAYS = 240
MOST_VISITS = 4
SNOMED = "http://snomed.info/sct"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"
HL7 = "http://terminology.hl7.org/CodeSystem"

Resource = dict[str, Any]
Person = tuple[str, str, str]
"""Gender, given name, family name."""


@dataclass
class _Maker:
    chance: random.Random
    resources: list[Resource] = field(default_factory=lambda: [])

    def add(self, kind: str, **fields: Any) -> Resource:
        made = uuid.UUID(int=self.chance.getrandbits(128), version=4)
        resource = {"resourceType": kind, "id": str(made), **fields}
        self.resources.append(resource)
        return resource

    def day_between(self, first: date, last: date) -> date:
        return first + timedelta(days=self.chance.randint(0, (last - first).days))


def build_bundle(seed: int, patients: int = 60) -> Resource:
    """A bundle of type `collection` with at least so many patients and what they have.

    Raises `ValueError` for more patients than there are different names.
    """
    chance = random.Random(seed)
    count = patients + chance.randrange(12)
    people = chance.sample(_everybody(), count)
    record_numbers = chance.sample(range(100_000, 1_000_000), count)
    maker = _Maker(chance)
    for person, record_number in zip(people, record_numbers, strict=True):
        _add_patient(maker, person, record_number)
    entries = [
        {"fullUrl": f"urn:uuid:{resource['id']}", "resource": resource}
        for resource in maker.resources
    ]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def _everybody() -> list[Person]:
    """Everybody who could be made: each name once."""
    given_names = [("female", given) for given in FEMALE_NAMES]
    given_names += [("male", given) for given in MALE_NAMES]
    return [(gender, given, family) for gender, given in given_names for family in FAMILY_NAMES]


def _add_patient(maker: _Maker, person: Person, record_number: int) -> None:
    gender, given, family = person
    born = maker.day_between(_years_ago(92), _years_ago(4))
    patient = maker.add(
        "Patient",
        active=True,
        identifier=[{"system": "urn:fanline:mrn", "value": f"MRN{record_number}"}],
        name=[{"use": "official", "family": family, "given": [given]}],
        gender=gender,
        birthDate=born.isoformat(),
    )
    for illness in ILLNESSES:
        oldest_onset = max(born + _years(illness.youngest), TODAY - timedelta(LONGEST_ILL_DAYS))
        newest_onset = TODAY - timedelta(30)
        if oldest_onset < newest_onset and maker.chance.random() < illness.share:
            onset = maker.day_between(oldest_onset, newest_onset)
            _add_illness(maker, patient, illness, onset)
    if maker.chance.random() < 0.4:
        _add_encounter(maker, patient, "General check-up", _recent_day(maker))
    if maker.chance.random() < 0.3:
        _add_allergy(maker, patient)


def _add_illness(maker: _Maker, patient: Resource, illness: Illness, onset: date) -> None:
    first, *later = _visit_days(maker, onset)
    diagnosis = _add_encounter(maker, patient, f"{illness.visit}: diagnosis", first)
    condition = maker.add(
        "Condition",
        clinicalStatus=_concept(f"{HL7}/condition-clinical", "active"),
        verificationStatus=_concept(f"{HL7}/condition-ver-status", "confirmed"),
        code=_concept(SNOMED, illness.code, illness.name),
        subject=_reference(patient),
        encounter=_reference(diagnosis),
        onsetDateTime=onset.isoformat(),
        recordedDate=first.isoformat(),
    )
    encounters = [diagnosis, *(_add_encounter(maker, patient, illness.visit, d) for d in later)]
    count = maker.chance.randint(1, len(illness.medicines))
    for medicine in maker.chance.sample(illness.medicines, count):
        _add_prescription(maker, condition, maker.chance.choice(encounters), medicine)
    for encounter in encounters:
        for measured in illness.measurements:
            _add_observation(maker, encounter, measured)


def _visit_days(maker: _Maker, onset: date) -> list[date]:
    """Days of visits about an illness, in order, none before its onset; at least one."""
    days = [maker.day_between(onset, min(onset + timedelta(30), TODAY - timedelta(1)))]
    while len(days) < MOST_VISITS:
        day = days[-1] + timedelta(maker.chance.randint(14, LONGEST_BETWEEN_VISITS_DAYS))
        if day >= TODAY:
            break
        days.append(day)
    return days


def _add_prescription(
    maker: _Maker, condition: Resource, encounter: Resource, medicine: Medicine
) -> None:
    maker.add(
        "MedicationRequest",
        status="active",
        intent="order",
        medicationCodeableConcept=_concept(RXNORM, medicine.code, medicine.name),
        subject=condition["subject"],
        encounter=_reference(encounter),
        authoredOn=encounter["period"]["start"],
        reasonReference=[_reference(condition)],
        dosageInstruction=[{"text": medicine.dose}],
    )


def _add_observation(maker: _Maker, encounter: Resource, measured: Measurement) -> None:
    quantity = {
        "value": round(maker.chance.uniform(measured.low, measured.high), 1),
        "unit": measured.unit,
        "system": UCUM,
        "code": measured.unit,
    }
    maker.add(
        "Observation",
        status="final",
        category=[_concept(f"{HL7}/observation-category", measured.category)],
        code=_concept(LOINC, measured.code, measured.name),
        subject=encounter["subject"],
        encounter=_reference(encounter),
        effectiveDateTime=encounter["period"]["start"],
        valueQuantity=quantity,
    )


def _add_encounter(maker: _Maker, patient: Resource, reason: str, day: date) -> Resource:
    start = datetime(day.year, day.month, day.day, maker.chance.randrange(8, 17), tzinfo=UTC)
    end = start + timedelta(minutes=maker.chance.choice((20, 30, 45)))
    return maker.add(
        "Encounter",
        status="finished",
        **{"class": {"system": f"{HL7}/v3-ActCode", "code": "AMB", "display": "ambulatory"}},
        type=[{"text": reason}],
        subject=_reference(patient),
        period={"start": start.isoformat(), "end": end.isoformat()},
    )


def _add_allergy(maker: _Maker, patient: Resource) -> None:
    code, name, category = maker.chance.choice(ALLERGIES)
    maker.add(
        "AllergyIntolerance",
        clinicalStatus=_concept(f"{HL7}/allergyintolerance-clinical", "active"),
        verificationStatus=_concept(f"{HL7}/allergyintolerance-verification", "confirmed"),
        type="allergy",
        category=[category],
        code=_concept(SNOMED, code, name),
        patient=_reference(patient),
        recordedDate=_recent_day(maker).isoformat(),
    )


def _recent_day(maker: _Maker) -> date:
    return maker.day_between(TODAY - timedelta(900), TODAY - timedelta(1))


def _years(years: int) -> timedelta:
    """At least so many years: an age counted with it has been reached."""
    return timedelta(days=int(years * YEAR_DAYS) + 1)


def _years_ago(years: int) -> date:
    return TODAY - _years(years)


def _concept(system: str, code: str, text: str | None = None) -> Resource:
    coding = {"system": system, "code": code}
    return {"coding": [coding]} if text is None else {"coding": [coding], "text": text}


def _reference(resource: Resource) -> Resource:
    return {"reference": f"{resource['resourceType']}/{resource['id']}"}
