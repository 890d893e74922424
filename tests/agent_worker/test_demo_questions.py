"""Thirty questions with the facts that their answers must hold, over each kind of source.

The tools and the demo model together, without Redis. The facts are worked out from the bundle's
JSON alone; an answer may hold no other row than those.
"""

import re
from collections.abc import AsyncGenerator, Callable, Iterable
from dataclasses import dataclass
from typing import Any

import pytest
from pydantic_ai import Agent
from pydantic_ai.mcp import MCPToolset

from agent_worker.demo_model import build_demo_model
from agent_worker.demo_phrases import CONFESSION
from agent_worker.fhir.server import build_fhir_server
from tests.agent_worker.fhir.records import Resource, full_name, records_of
from tests.agent_worker.fhir.sources import SOURCES, source_of

RECORDS = records_of(12)
BY_CONDITIONS = sorted(RECORDS.patients, key=lambda one: -len(RECORDS.conditions(one)))
FIRST, SECOND, THIRD = BY_CONDITIONS[:3]
HEALTHY = BY_CONDITIONS[-1]
ALLERGIC = RECORDS.patient_of(RECORDS.of_type("AllergyIntolerance")[0])


@dataclass(frozen=True)
class Asked:
    """A question, and the answer's rows in any order after its first words."""

    question: str
    first: str
    rows: Iterable[str] = ()


def about_one(question: str, kind: str, rows: Iterable[str], patient: Resource) -> Asked:
    said = list(rows) or [f"no {kind}"]
    return Asked(question.format(full_name(patient)), f"{full_name(patient)}, {kind}: ", said)


def conditions(patient: Resource) -> list[str]:
    held = RECORDS.of_patient("Condition", patient)
    return [f"{one['code']['text']}, since {one['onsetDateTime']}" for one in held]


def observations(patient: Resource) -> list[str]:
    return [
        f"{one['code']['text']}, {one['valueQuantity']['value']} {one['valueQuantity']['unit']}, "
        f"{one['effectiveDateTime'][:10]}"
        for one in RECORDS.of_patient("Observation", patient)
    ]


def allergies(patient: Resource) -> list[str]:
    return [one["code"]["text"] for one in RECORDS.of_patient("AllergyIntolerance", patient)]


def found_under(question: str, name: str, patients: Iterable[Resource]) -> Asked:
    rows = [f"{full_name(p)}, {p['gender']}, born {p['birthDate']}" for p in patients]
    return Asked(question.format(name), f"Found under {name}:", rows)


def of_family(family: str) -> list[Resource]:
    return [one for one in RECORDS.patients if one["name"][0]["family"].startswith(family)]


def holders(question: str, word: str, row: Callable[[Resource, str], str]) -> Asked:
    """Those with a condition, one row each."""
    patients = RECORDS.with_condition(word.lower())
    held = {one["code"]["text"] for one in RECORDS.of_type("Condition")}
    [condition] = [text for text in held if word.lower() in text.lower()]
    rows = [row(patient, condition) for patient in patients]
    return Asked(question.format(word), f"{len(patients)} patients have {word}:", rows)


def only_name(patient: Resource, condition: str) -> str:
    return f"{full_name(patient)} ({condition})"


def with_medicines(patient: Resource, condition: str) -> str:
    return f"{only_name(patient, condition)}: {'; '.join(sorted(RECORDS.medicines(patient)))}"


def counted(question: str, word: str) -> Asked:
    return Asked(
        question.format(word), f"{len(RECORDS.with_condition(word.lower()))} patients have {word}."
    )


ALL = f"There are {len(RECORDS.patients)} patients."
FAMILY: str = FIRST["name"][0]["family"]
QUESTIONS = (
    Asked("How many patients are there?", ALL),
    Asked("Count the patients", ALL),
    Asked("What is the number of patients in the database?", ALL),
    counted("How many patients have {}?", "asthma"),
    counted("How many people suffer from {}?", "depression"),
    counted("How many patients with {} are there?", "hyperlipidemia"),
    holders("Which patients have {}?", "diabetes", only_name),
    holders("Who has been diagnosed with {}?", "hypertension", only_name),
    holders("List all patients with {}", "osteoarthritis", only_name),
    holders(
        "Which patients have {}, and what do they take?", "atrial fibrillation", with_medicines
    ),
    holders("Show me patients with {} and their medications", "asthma", with_medicines),
    Asked("Which patients have scurvy?", "No patient has a condition called scurvy."),
    found_under("Find {}", full_name(SECOND), [SECOND]),
    found_under("Find the patient named {}", full_name(THIRD), [THIRD]),
    found_under("Search for {}", FAMILY, of_family(FAMILY)),
    Asked("Find Nemo Nobody", "No patient is called Nemo Nobody."),
    about_one("What conditions does {} have?", "conditions", conditions(FIRST), FIRST),
    about_one("Which illnesses does {} suffer from?", "conditions", conditions(SECOND), SECOND),
    about_one("Show the diagnoses of {}", "conditions", conditions(HEALTHY), HEALTHY),
    about_one("What medications is {} on?", "medications", RECORDS.medicines(FIRST), FIRST),
    about_one("What does {} take?", "medications", RECORDS.medicines(SECOND), SECOND),
    about_one("List the prescriptions of {}", "medications", RECORDS.medicines(THIRD), THIRD),
    about_one("When was {} last seen?", "encounters", RECORDS.visits(FIRST), FIRST),
    about_one("List the visits of {}", "encounters", RECORDS.visits(SECOND), SECOND),
    about_one("Show {}'s encounters", "encounters", RECORDS.visits(THIRD), THIRD),
    about_one("What are the lab results of {}?", "observations", observations(FIRST), FIRST),
    about_one("List the observations of {}", "observations", observations(SECOND), SECOND),
    about_one("Show me the vitals of {}", "observations", observations(HEALTHY), HEALTHY),
    about_one("What allergies does {} have?", "allergies", allergies(ALLERGIC), ALLERGIC),
    about_one("Is {} allergic to anything? List allergies", "allergies", allergies(FIRST), FIRST),
)


@pytest.fixture(scope="module", params=SOURCES)
async def agent(request: pytest.FixtureRequest) -> AsyncGenerator[Agent[None, str], None]:
    """The demo model with the tools over this source."""
    async with source_of(request.param, RECORDS.bundle) as source:
        toolset = MCPToolset[Any](build_fhir_server(source))
        async with Agent(build_demo_model(pace_seconds=0), toolsets=[toolset]) as agent:
            yield agent


def test_there_are_thirty_of_them() -> None:
    """All different."""
    assert len({asked.question for asked in QUESTIONS}) == 30


@pytest.mark.parametrize("asked", QUESTIONS, ids=[asked.question for asked in QUESTIONS])
async def test_the_answer_holds_the_facts_and_no_others(
    agent: Agent[None, str], asked: Asked
) -> None:
    result = await agent.run(asked.question)
    text = result.output.removesuffix(CONFESSION).strip()
    assert text.startswith(asked.first)
    rest = text[len(asked.first) :]
    if rest.startswith("\n"):
        rows = [_in_order(line.removeprefix("- ")) for line in rest.strip().splitlines()]
    else:
        rows = rest.removesuffix(".").split("; ") if rest else []
    assert sorted(rows) == sorted(asked.rows)


def _in_order(row: str) -> str:
    """What stands after the name is a list in the order of dates; here it is in that of words."""
    name, *rows = re.split(r"(?<=\)): ", row, maxsplit=1)
    return ": ".join([name, *("; ".join(sorted(said.split("; "))) for said in rows)])
