"""The telemetry panel while things happen: rows are there before what they tell of is over."""

import asyncio
import re
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from playwright.async_api import expect

from dev.embedded_redis import EmbeddedRedis
from shared.ids import TurnId
from shared.redis_client import connect_redis
from tests.browser.browsing import Browsing
from tests.browser.chat_page import ChatPage, check_they_show_the_same
from tests.shared.one_session import OneSession
from tests.support.deployment import Deployment, deploy
from tests.support.stub_model import Call, Reply, StubModel

AGENT = '''
"""An agent with a tool that lasts until the test has had its look, and one that tells more."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from pydantic_ai import Agent, CustomEvent, RunContext

agent = Agent("openai-chat:m-x", name="patient")


@agent.tool_plain
async def wait_for(file: str) -> str:
    """Wait until the file is there."""
    while not Path(file).exists():
        await asyncio.sleep(0.01)
    return "it is there"


@dataclass(kw_only=True)
class ChartOpened(CustomEvent):
    patient: str


@agent.tool
async def open_chart(ctx: RunContext[None], patient: str) -> str:
    """Open a patient's chart."""
    await ctx.emit(ChartOpened(patient=patient))
    return "open"
'''


@pytest.fixture(scope="module")
async def patient_system(
    redis_server: EmbeddedRedis, stub: StubModel, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[Deployment, None]:
    """A gateway, and a worker with that agent."""
    folder = tmp_path_factory.mktemp("patient")
    (folder / "patient_agent.py").write_text(AGENT)
    agent = f"{folder / 'patient_agent.py'}:agent"
    async with deploy(redis_server, folder, **stub.environment()) as own:
        await asyncio.gather(own.start_gateway(), own.start_worker(agent=agent))
        yield own
        await own.check_nothing_is_left()


async def test_the_row_of_a_tool_call_is_there_before_its_result_exists(
    patient_system: Deployment,
    browsing: Browsing,
    stub: StubModel,
    session_id: str,
    tmp_path: Path,
) -> None:
    """While the tool runs, both tabs show that it does, and with what; then how long it took and
    what it gave."""
    file = tmp_path / "go on"
    stub.script(
        session_id, Reply(calls=[Call("wait_for", {"file": str(file)})]), Reply(["At last."])
    )
    gateway = next(process.http for process in patient_system.processes if process.port)
    tabs = [await ChatPage.open(browsing, gateway, session_id) for _ in range(2)]
    await tabs[0].ask(session_id)
    for tab in tabs:
        row = tab.turn_rows.filter(has_text="wait_for")
        await expect(row).to_have_text(re.compile(r"^\s*Tool wait_for .*running"))
        await expect(tab.log.get_by_text("wait_for")).to_be_visible()
    await tabs[0].turn_rows.filter(has_text="wait_for").click()
    details = tabs[0].telemetry.get_by_role("listitem").filter(has_text="wait_for").last
    await expect(details).to_contain_text(str(file))
    await expect(details).not_to_contain_text("it is there")
    assert not file.exists()

    file.touch()
    await expect(details).to_contain_text("it is there")
    await expect(details).to_contain_text(re.compile(r"Duration\s*[\d.]+ m?s"))
    await tabs[0].press("Collapse all", tabs[0].telemetry)
    for tab in tabs:
        await tab.until_answered("At last.")
    await check_they_show_the_same(*tabs)
    row = tabs[1].turn_rows.filter(has_text="wait_for")
    await expect(row).to_have_text(re.compile(r"Tool wait_for .*done [\d.]+ m?s"))


async def test_an_agent_s_own_event_is_a_row_with_its_data(
    patient_system: Deployment, browsing: Browsing, stub: StubModel, session_id: str
) -> None:
    """By the name that its agent gave it."""
    stub.script(
        session_id, Reply(calls=[Call("open_chart", {"patient": "Ada"})]), Reply(["It is open."])
    )
    gateway = next(process.http for process in patient_system.processes if process.port)
    chat = await ChatPage.open(browsing, gateway, session_id)
    await chat.ask(session_id)
    await chat.until_answered("It is open.")
    await chat.turn_rows.filter(has_text="Event chart_opened").click()
    details = chat.telemetry.get_by_role("listitem").filter(has_text="chart_opened").last
    await expect(details).to_contain_text('"patient": "Ada"')


async def test_an_event_of_a_type_that_the_page_does_not_know_is_a_row_too(
    deployment: Deployment, browsing: Browsing, session_id: str
) -> None:
    """A worker that is newer than the page: what it says is kept and shown as it came, and the
    answer around it is as ever."""
    gateway = await deployment.start_gateway()
    chat = await ChatPage.open(browsing, gateway.http, session_id)
    async with connect_redis(deployment.redis_url) as client:
        worker = OneSession(client, deployment.keys, session_id)
        turn_id = TurnId((await worker.submit("what is new?")).message.message_id)
        lease = await worker.acquire()
        await worker.start(lease, turn_id)
        event = (
            f'{{"type":"guardrail","session_id":"{session_id}","turn_id":"{turn_id}","attempt":1,'
            '"timestamp":"2026-01-01T00:00:00.000Z","verdict":"let it pass"}'
        )
        await lease.append(lease.next_batch(), turn_id, [event], [])
        await worker.finish(lease, turn_id, "Nothing.")
        await chat.until_answered("Nothing.")
        await chat.turn_rows.filter(has_text="Unknown guardrail").click()
        details = chat.telemetry.get_by_role("listitem").filter(has_text="guardrail").last
        await expect(details).to_contain_text('"verdict": "let it pass"')
        # Nobody answers here: the promise in the work stream is the test's own to drop.
        await client.delete(deployment.keys.turns())
