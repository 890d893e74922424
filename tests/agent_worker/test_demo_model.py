"""The demo model in an agent with the FHIR tools, in process; answers against the bundle's JSON."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from fastmcp import FastMCP
from fastmcp.exceptions import ToolError
from pydantic_ai import Agent
from pydantic_ai.exceptions import ModelRetry, UnexpectedModelBehavior
from pydantic_ai.mcp import MCPToolset
from pydantic_ai.messages import ModelMessage, ModelRequest, ToolCallPart, UserPromptPart

from agent_worker.demo_answers import Ask, Findings, answer
from agent_worker.demo_model import build_demo_model
from agent_worker.demo_phrases import (
    CONFESSION,
    HELP,
    NO_TOOLS,
    NOBODY_MEANT,
    ONE_AT_A_TIME,
    Question,
)
from agent_worker.fhir.server import build_fhir_server
from agent_worker.fhir.store import FhirStore
from agent_worker.fhir.synthesis import build_bundle
from tests.agent_worker.fhir.records import Records, full_name, records_of

SEED = 8


class Talk:
    """A conversation with the demo model."""

    def __init__(self, server: FastMCP) -> None:
        toolset = MCPToolset[Any](server)
        self._agent = Agent(build_demo_model(pace_seconds=0), toolsets=[toolset])
        self.history: Sequence[ModelMessage] = []
        self.calls: list[str] = []
        """The tools that were called for the last answer."""

    async def ask(self, question: str) -> str:
        """The answer, without what the model says of itself."""
        async with self._agent:
            result = await self._agent.run(question, message_history=self.history)
        self.history = result.all_messages()
        parts = [part for message in result.new_messages() for part in message.parts]
        self.calls = [part.tool_name for part in parts if isinstance(part, ToolCallPart)]
        assert result.output.endswith(CONFESSION)
        return result.output.removesuffix(CONFESSION).strip()


@pytest.fixture
def records() -> Records:
    return records_of(SEED)


@pytest.fixture
def talk(records: Records) -> Talk:
    return Talk(build_fhir_server(FhirStore(records.bundle)))


async def test_an_answer_is_streamed_in_pieces(records: Records) -> None:
    """A few words at a time."""
    agent = Agent(
        build_demo_model(pace_seconds=0),
        toolsets=[MCPToolset[Any](build_fhir_server(FhirStore(records.bundle)))],
    )
    async with agent, agent.run_stream("How many patients are there?") as result:
        pieces = [piece async for piece in result.stream_text(delta=True, debounce_by=None)]
    assert len(pieces) > 3
    assert "".join(pieces).startswith(f"There are {len(records.patients)} patients.")


async def test_every_patient_with_a_condition_is_in_the_answer_however_many() -> None:
    """More than one page of them, more than one round of calls: all, each with all medicines."""
    records = Records(build_bundle(5, patients=900))
    talk = Talk(build_fhir_server(FhirStore(records.bundle)))
    answer = await talk.ask("Which patients have hypertension, and what do they take?")
    expected = records.with_condition("hypertension")
    assert len(expected) > 100  # rows of a page
    first, *lines = answer.splitlines()
    assert first == f"{len(expected)} patients have hypertension:"
    told = dict(line.removeprefix("- ").split(" (Hypertension): ") for line in lines)
    assert {name: set(said.split("; ")) for name, said in told.items()} == {
        full_name(patient): records.medicines(patient) for patient in expected
    }
    assert talk.calls.count("get_medications") == len(expected)


def test_an_answer_says_when_rows_could_not_be_read() -> None:
    """The number of those that were is not passed off as all."""
    arguments = {"condition": "asthma", "limit": 100, "offset": 0}
    row = {"name": "Ada Berg", "conditions": [{"condition": "Asthma"}]}
    page = {"total": 1, "rows": [row], "next_offset": None, "note": "There are more."}
    findings = Findings([(Ask("find_patients_by_condition", arguments), page)])
    said = answer(Question(count=True, condition="asthma"), findings, [])
    assert said == "1 patient has asthma.\nThere are more."


async def test_a_follow_up_is_about_the_patient_who_was_found_last(
    talk: Talk, records: Records
) -> None:
    """Her, that patient; other questions between do not matter."""
    one, other = records.sickest(), records.patients[0]
    await talk.ask(f"Find {full_name(other)}")
    await talk.ask(f"Find {full_name(one)}")
    await talk.ask("How many patients are there?")
    answer = await talk.ask("What are her conditions?")
    assert answer.startswith(f"{full_name(one)}, conditions: ")
    assert all(condition in answer for condition in records.conditions(one))
    answer = await talk.ask("And that patient's medications?")
    assert all(medicine in answer for medicine in records.medicines(one))
    assert talk.calls == ["get_medications"]


async def test_they_are_the_patients_with_the_condition_that_was_asked_about(
    talk: Talk, records: Records
) -> None:
    """A follow-up to a list is about the list."""
    await talk.ask("Which patients have asthma?")
    answer = await talk.ask("What do they take?")
    for patient in records.with_condition("asthma"):
        line = next(row for row in answer.splitlines() if full_name(patient) in row)
        assert all(medicine in line for medicine in records.medicines(patient))


async def test_nobody_is_guessed_when_several_or_none_could_be_meant(talk: Talk) -> None:
    """Asked back, also when an earlier question was about one patient: that could be the wrong
    one."""
    assert await talk.ask("What are his conditions?") == NOBODY_MEANT
    await talk.ask(f"Find {full_name(records_of(SEED).patients[0])}")
    await talk.ask("Which patients have hypertension?")
    assert await talk.ask("What does she take?") == NOBODY_MEANT
    assert talk.calls == []


async def test_one_of_several_found_is_meant_when_called_exactly_so() -> None:
    """The beginning of a name finds more than the name."""

    def patient(patient_id: str, given: str, family: str) -> dict[str, Any]:
        name = [{"given": [given], "family": family}]
        return {"resource": {"resourceType": "Patient", "id": patient_id, "name": name}}

    bundle = {"entry": [patient("1", "Eva", "Lind"), patient("2", "Eva", "Lindgren")]}
    talk = Talk(build_fhir_server(FhirStore(bundle)))
    assert await talk.ask("What conditions does Eva Lind have?") == (
        "Eva Lind, conditions: no conditions."
    )
    several = await talk.ask("What conditions does Eva have?")
    assert several.splitlines() == ["Found under Eva:", "- Eva Lind", "- Eva Lindgren"]
    assert await talk.ask("Find Adam") == "No patient is called Adam."


async def test_what_it_cannot_do_it_says(talk: Talk) -> None:
    """Without a tool call, and without half an answer."""
    assert await talk.ask("What is the capital?") == HELP
    assert await talk.ask("Which patients have asthma and depression?") == ONE_AT_A_TIME
    assert talk.calls == []
    nobody = await talk.ask("Which patients have the plague, and what do they take?")
    assert nobody == "No patient has a condition called plague."


async def test_a_server_with_other_tools_is_not_asked_for_ours() -> None:
    """Such as Aidbox: the demo says that it cannot."""
    other: FastMCP = FastMCP("other")

    @other.tool
    def search_fhir() -> str:  # pyright: ignore[reportUnusedFunction]
        """Another server's tool."""
        return ""

    assert await Talk(other).ask("How many patients are there?") == NO_TOOLS


async def test_a_tool_that_fails_is_asked_once_more_and_then_ends_the_run() -> None:
    """By the tool's own error; nothing is made up."""
    broken: FastMCP = FastMCP("broken")
    asked: list[int] = []

    @broken.tool
    def count_patients() -> dict[str, int]:  # pyright: ignore[reportUnusedFunction]
        """Fails twice for each answer that it gives."""
        asked.append(1)
        if len(asked) < 3:
            raise ToolError("no data today", log_level=0)
        return {"patients": 42}

    talk = Talk(broken)
    with pytest.raises(UnexpectedModelBehavior) as failed:
        await talk.ask("How many patients are there?")
    assert isinstance(failed.value.__cause__, ModelRetry)
    assert await talk.ask("How many patients are there?") == "There are 42 patients."


async def test_questions_that_were_never_answered_are_not_answered_later(
    talk: Talk, records: Records
) -> None:
    """Messages that were cancelled stand before the question in the history."""
    talk.history = [ModelRequest(parts=[UserPromptPart("Which patients have asthma?")])]
    answer = await talk.ask("How many patients are there?")
    assert answer == f"There are {len(records.patients)} patients."


async def test_conversations_do_not_share_what_they_found(records: Records) -> None:
    """One model serves all sessions of a process at once."""
    server = build_fhir_server(FhirStore(records.bundle))
    talks = [Talk(server) for _ in range(5)]
    found = records.patients[:5]
    for talk, patient in zip(talks, found, strict=True):
        await talk.ask(f"Find {full_name(patient)}")
    answers = await asyncio.gather(*(talk.ask("What are her visits?") for talk in talks))
    for said, patient in zip(answers, found, strict=True):
        assert said.startswith(f"{full_name(patient)}, encounters: ")
