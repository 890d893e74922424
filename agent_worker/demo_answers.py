"""From a question and what tools returned to the demo model's answer, or to what it has yet to ask.

An answer is written as if all results were there; a result that is not is noted as missing, and the
answer counts only when nothing is. Pure.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from agent_worker.demo_phrases import (
    HELP,
    NOBODY_MEANT,
    ONE_AT_A_TIME,
    Question,
    describe_patient,
    describe_rows,
)

PAGE_ROWS = 100
Row = dict[str, Any]


@dataclass(frozen=True)
class Ask:
    """A tool call."""

    tool: str
    arguments: dict[str, Any]

    @property
    def key(self) -> str:
        return f"{self.tool} {json.dumps(self.arguments, sort_keys=True)}"


Returned = tuple[Ask, dict[str, Any]]
"""A tool call with what came of it."""


class Findings:
    """What the tools have returned in this turn, and what is asked for and not there."""

    def __init__(self, returned: Iterable[Returned]) -> None:
        self._by_ask = {ask.key: result for ask, result in returned}
        self.missing: list[Ask] = []
        self.notes: list[str] = []
        """What the tools say about rows that they could not give."""

    def get(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """The result of this call; empty when it is missing."""
        ask = Ask(tool, arguments)
        if ask.key not in self._by_ask:
            self.missing.append(ask)
        return self._by_ask.get(ask.key, {})

    def rows(self, tool: str, **arguments: Any) -> list[Row]:
        """The rows of all pages; those of the pages that are there when one is missing."""
        rows: list[Row] = []
        offset: int | None = 0
        while offset is not None:
            page = self.get(tool, **arguments, limit=PAGE_ROWS, offset=offset)
            rows += page.get("rows", [])
            if page.get("note") and page["note"] not in self.notes:
                self.notes.append(page["note"])
            offset = page.get("next_offset")
        return rows


def answer(question: Question, findings: Findings, before: Sequence[Returned]) -> str:
    """The answer. `before` is what tools returned in earlier turns, for whom "her" means."""
    return "\n".join([_answer(question, findings, before), *findings.notes])


def _answer(question: Question, findings: Findings, before: Sequence[Returned]) -> str:
    if question.condition:
        return _answer_condition(question, question.condition, findings)
    if question.count:
        return f"There are {findings.get('count_patients').get('patients')} patients."
    if question.name:
        found = findings.rows("search_patients", name=question.name)
        meant = _meant(question.name, found)
        if meant is None or not question.kinds:
            return _list_found(question.name, [meant] if meant else found)
        return _answer_patient(question, meant, findings)
    if question.singular or question.plural:
        return _answer_follow_up(question, findings, before)
    return HELP


def _answer_condition(question: Question, condition: str, findings: Findings) -> str:
    if any(word in ("and", "or") for word in condition.lower().split()):
        return ONE_AT_A_TIME
    patients = findings.rows("find_patients_by_condition", condition=condition)
    if not patients:
        return f"No patient has a condition called {condition}."
    verb = "patient has" if len(patients) == 1 else "patients have"
    summary = f"{len(patients)} {verb} {condition}"
    if question.count and not question.kinds:
        return f"{summary}."
    lines = [f"- {_describe_holder(patient, question, findings)}" for patient in patients]
    return "\n".join([f"{summary}:", *lines])


def _describe_holder(patient: Row, question: Question, findings: Findings) -> str:
    held = ", ".join(str(condition["condition"]) for condition in patient["conditions"])
    said = [
        describe_rows(kind, findings.rows(f"get_{kind}", patient_id=patient["id"]))
        for kind in question.kinds
    ]
    return ": ".join([f"{patient['name']} ({held})", *said])


def _answer_patient(question: Question, patient: Row, findings: Findings) -> str:
    lines = [
        f"{patient['name']}, {kind}: "
        f"{describe_rows(kind, findings.rows(f'get_{kind}', patient_id=patient['id']))}."
        for kind in question.kinds or ["conditions"]
    ]
    return "\n".join(lines)


def _answer_follow_up(question: Question, findings: Findings, before: Sequence[Returned]) -> str:
    for ask, result in reversed(before):
        rows: list[Row] = result.get("rows", [])
        if ask.tool == "find_patients_by_condition":
            if question.plural:
                return _answer_condition(question, ask.arguments["condition"], findings)
            one = rows[0] if result.get("total") == 1 else None
        elif ask.tool == "search_patients":
            one = _meant(str(ask.arguments.get("name")), rows)
        else:
            continue
        # What was asked last decides: an earlier patient would be the wrong one.
        return NOBODY_MEANT if one is None else _answer_patient(question, one, findings)
    return NOBODY_MEANT


def _meant(name: str, found: list[Row]) -> Row | None:
    """The one who is called exactly so, or else the only one found."""
    exactly = [row for row in found if row["name"].casefold() == name.casefold()]
    candidates = exactly or found
    return candidates[0] if len(candidates) == 1 else None


def _list_found(name: str, found: list[Row]) -> str:
    if not found:
        return f"No patient is called {name}."
    return "\n".join([f"Found under {name}:", *(f"- {describe_patient(row)}" for row in found)])
