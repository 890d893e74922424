"""The first agent through real processes: a tab asks, the demo model answers from tool calls.

What the answers must hold is read straight from the bundle of the seed that the processes got.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from agent_worker.demo_phrases import CONFESSION
from dev.embedded_redis import EmbeddedRedis
from tests.agent_worker.fhir.records import Records, full_name, records_of
from tests.agent_worker.fhir.served import serve_fhir
from tests.support.chat import Chat, Tab
from tests.support.deployment import Deployment, Process, deploy
from tests.support.fhir_server import basic, fhir_server
from tests.support.stub_model import StubModel


@pytest.fixture(scope="module")
async def demo(
    redis_server: EmbeddedRedis, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[Deployment, None]:
    """One gateway. Each test starts the worker that it talks to, and ends it."""
    folder = tmp_path_factory.mktemp("demo")
    async with deploy(redis_server, folder, MODEL="demo") as deployment:
        await deployment.start_gateway()
        yield deployment


@asynccontextmanager
async def worker_of(deployment: Deployment, **settings: object) -> AsyncGenerator[Process, None]:
    """The only worker, for the block."""
    worker = await deployment.start_worker(**settings)
    try:
        yield worker
    finally:
        await worker.stop()


async def ask(tab: Tab, question: str, *tools: str) -> str:
    """The answer, without what the model says of itself. It was streamed, after calls of exactly
    these tools, none of which failed."""
    begun = len(tab.events)
    turn = await tab.ask(question)
    assert turn.status == "completed", turn.error
    events = tab.events[begun:]
    called = [event["tool_name"] for event in events if event.type == "tool_call"]
    assert set(called) == set(tools)
    ended = [event for event in events if event.type == "tool_result"]
    assert len(ended) == len(called)
    assert not any(event["is_error"] for event in ended)
    pieces = [event["streaming"] for event in events if event.type == "assistant"]
    assert pieces.pop() is False
    assert pieces
    assert all(pieces)
    assert turn.answer.endswith(CONFESSION)
    return turn.answer.removesuffix(CONFESSION).strip()


async def check_answers_about_all(tab: Tab, records: Records) -> None:
    """How many there are, and who has a condition and takes what for it."""
    answer = await ask(tab, "How many patients are there?", "count_patients")
    assert answer == f"There are {len(records.patients)} patients."

    diabetics = records.with_condition("diabetes")
    question = "Which patients have diabetes, and what do they take?"
    answer = await ask(tab, question, "find_patients_by_condition", "get_medications")
    first, *lines = answer.splitlines()
    assert first == f"{len(diabetics)} patients have diabetes:"
    told = dict(line.removeprefix("- ").split(" (Type 2 diabetes mellitus): ") for line in lines)
    assert {name: set(said.split("; ")) for name, said in told.items()} == {
        full_name(patient): records.medicines(patient) for patient in diabetics
    }


async def check_answers_about_one(tab: Tab, records: Records) -> None:
    """A conversation about a patient, and a question that names another."""
    patient = records.sickest()
    name = full_name(patient)
    answer = await ask(tab, f"Find {name}", "search_patients")
    born = f"{patient['gender']}, born {patient['birthDate']}"
    assert answer.splitlines() == [f"Found under {name}:", f"- {name}, {born}"]
    answer = await ask(tab, "What are that patient's conditions?", "get_conditions")
    said = answer.removeprefix(f"{name}, conditions: ").removesuffix(".").split("; ")
    assert {one.split(", since")[0] for one in said} == records.conditions(patient)
    answer = await ask(tab, "And what medications does she take?", "get_medications")
    said = answer.removeprefix(f"{name}, medications: ").removesuffix(".").split("; ")
    assert set(said) == records.medicines(patient)
    answer = await ask(tab, "List his encounters", "get_encounters")
    said = answer.removeprefix(f"{name}, encounters: ").removesuffix(".").split("; ")
    assert sorted(said, reverse=True) == records.visits(patient)

    somebody = records.with_condition("diabetes")[0]
    other = full_name(somebody)
    question = f"What medications is {other} on?"
    answer = await ask(tab, question, "search_patients", "get_medications")
    said = answer.removeprefix(f"{other}, medications: ").removesuffix(".").split("; ")
    assert set(said) == records.medicines(somebody)


@pytest.mark.parametrize("seed", [31, 32])
async def test_answers_are_those_of_the_bundle_of_the_seed(
    demo: Deployment, stub: StubModel, seed: int
) -> None:
    """The FHIR server runs in the worker; nothing that goes well leaves a traceback."""
    async with worker_of(demo, fhir_seed=seed) as worker, Chat(demo, stub).tab() as tab:
        await check_answers_about_all(tab, records_of(seed))
        await check_answers_about_one(tab, records_of(seed))
    assert "Traceback" not in worker.log()
    assert " ERROR " not in worker.log()


@pytest.mark.parametrize(("transport", "seed"), [("http", 33), ("sse", 34)])
async def test_answers_come_from_the_mcp_server_and_end_with_it(
    demo: Deployment, stub: StubModel, tmp_path: Path, transport: str, seed: int
) -> None:
    """Its bundle's answers, not those of the worker's own; with the server stopped the turn fails
    and says nothing."""
    async with serve_fhir(tmp_path, transport, "--seed", seed) as server:
        worker = worker_of(demo, mcp_url=server.url, fhir_seed=seed + 100)
        async with worker, Chat(demo, stub).tab() as tab:
            await check_answers_about_all(tab, records_of(seed))
            await server.stop()
            await check_failure(tab, "How many patients are there?")


async def test_answers_come_from_the_fhir_server_and_end_with_it(
    demo: Deployment, stub: StubModel
) -> None:
    """One setting makes the same questions get that server's answers; with the server away a turn
    fails, and with it back the next one works, in the same worker."""
    records = records_of(35)
    async with fhir_server(records.bundle, authorization=basic("us", "s3cret")) as fhir:
        worker = worker_of(
            demo, fhir_base_url=fhir.base_url, aidbox_client_id="us", aidbox_client_secret="s3cret"
        )
        async with worker as process, Chat(demo, stub).tab() as tab:
            await check_answers_about_all(tab, records)
            await check_answers_about_one(tab, records)
            assert "Traceback" not in process.log()
            await fhir.stop()
            await check_failure(tab, "How many patients are there?")
            await fhir.start()
            answer = await ask(tab, "How many patients are there?", "count_patients")
            assert answer == f"There are {len(records.patients)} patients."
        assert "s3cret" not in process.log()
        assert records.patients[0]["name"][0]["family"] not in process.log()


async def check_failure(tab: Tab, question: str) -> None:
    """The turn ends as failed, because of a tool, and nothing pretends to be an answer."""
    begun = len(tab.events)
    turn = await tab.ask(question)
    assert turn.status == "failed"
    assert turn.error is not None
    assert turn.error["code"] == "tool_error"
    assert not [event for event in tab.events[begun:] if event.type == "assistant"]
