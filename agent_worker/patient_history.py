"""`patient_history_agent`: one patient's history, for `POST /patient`.

The agent answers with a union, so "there is no such patient" is something that it can say. Whose
history it is and when it was made are not its to say: the gateway knows.
"""

from typing import Any

from pydantic import BaseModel, Field
from pydantic_ai import AbstractToolset, Agent, ToolOutput
from pydantic_ai.capabilities import AgentCapability
from pydantic_ai.models import Model

from agent_worker.demo_patient import HISTORY, NO_SUCH_PATIENT
from shared.patient_request import NoSuchPatient, PatientAnswer, PatientSummary

INSTRUCTIONS = (
    "You are a clinical summariser. You are given a patient's id. Query the Patient, Condition, "
    "MedicationRequest and Encounter resources of exactly that patient with the tools. Write a "
    "concise clinical narrative, and fill the lists: key conditions, active medications, and "
    "recent encounters as `date: type or reason`. Leave a list empty when there are no data. If "
    "there is no patient with this id, say so by `no_such_patient`. Return structured data only, "
    "and nothing that the tools did not return."
)


class PatientHistory(BaseModel):
    """The patient's history, from the tools' results alone."""

    patient_name: str
    clinical_summary: str
    key_conditions: list[str] = Field(default_factory=list)
    active_medications: list[str] = Field(default_factory=list)
    recent_encounters: list[str] = Field(default_factory=list)


class UnknownPatient(BaseModel):
    """There is no patient with the given id."""


PatientAgent = Agent[None, PatientHistory | UnknownPatient]


def build_patient_history_agent(
    model: Model, toolset: AbstractToolset[Any], cutting: AgentCapability[Any]
) -> PatientAgent:
    """The agent; its prompt is the patient's id."""
    return Agent(
        model,
        name="patient_history_agent",
        instructions=INSTRUCTIONS,
        toolsets=[toolset],
        capabilities=[cutting],
        output_type=[
            ToolOutput(PatientHistory, name=HISTORY),
            ToolOutput(UnknownPatient, name=NO_SUCH_PATIENT),
        ],
    )


def answer_of(output: PatientHistory | UnknownPatient) -> PatientAnswer:
    """What the gateway is told."""
    if isinstance(output, UnknownPatient):
        return NoSuchPatient()
    return PatientSummary(**output.model_dump())
