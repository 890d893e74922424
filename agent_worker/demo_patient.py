"""The demo model's side of `POST /patient`: a history put together from the tools' rows. Pure."""

from typing import Any

from agent_worker.demo_answers import Findings
from agent_worker.demo_phrases import CONFESSION
from agent_worker.fhir.summaries import name_of

HISTORY, NO_SUCH_PATIENT = "patient_history", "no_such_patient"
"""The two outputs that the agent may give (`patient_history.py`)."""
RECENT_ENCOUNTERS = 10


def describe_patient(patient_id: str, findings: Findings) -> dict[str, Any]:
    """The arguments of `patient_history`, as far as `findings` go."""
    patient = findings.get("read_resource", reference=f"Patient/{patient_id}")
    conditions = findings.rows("get_conditions", patient_id=patient_id)
    medications = findings.rows("get_medications", patient_id=patient_id)
    encounters = findings.rows("get_encounters", patient_id=patient_id)
    name = name_of(patient) if patient else ""
    return {
        "patient_name": name,
        "clinical_summary": (
            f"{name}, {patient.get('gender')}, born {patient.get('birthDate')}: "
            f"{len(conditions)} conditions, {len(medications)} medications, "
            f"{len(encounters)} encounters on record. {CONFESSION}"
        ),
        "key_conditions": [str(row["condition"]) for row in conditions],
        "active_medications": [
            f"{row['medication']}, {row['dose']}" if row.get("dose") else str(row["medication"])
            for row in medications
            if row.get("status") in (None, "active")
        ],
        "recent_encounters": sorted(
            (f"{row['date']}: {row['type']}" for row in encounters), reverse=True
        )[:RECENT_ENCOUNTERS],
    }
