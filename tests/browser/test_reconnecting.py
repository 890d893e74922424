"""What connects a tab with the system breaks in every way; the screen loses nothing and doubles
nothing."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Literal

import pytest
from playwright.async_api import expect

from dev.embedded_redis import EmbeddedRedis
from tests.browser.browsing import Browsing
from tests.browser.chat_page import ChatPage, check_they_show_the_same
from tests.browser.door import door_before
from tests.browser.stepped_reply import SteppedReply
from tests.support.deployment import Deployment, Process, deploy
from tests.support.stub_model import StubModel


async def test_a_connection_that_is_cut_in_mid_answer_is_resumed(
    shaky: Browsing, system: Deployment, stub: StubModel, session_id: str
) -> None:
    """Cut between the pieces, again and again: two tabs show at every moment what the model has
    said, and end as a third does that lost nothing."""
    pieces = [f"{number} sheep, " for number in range(1, 9)] + ["asleep."]
    stub.script(session_id, reply := SteppedReply(pieces))
    async with door_before(system.processes[0]) as door:
        context = await shaky.context()
        left = await ChatPage.open(shaky, door.http, session_id, context)
        right = await ChatPage.open(shaky, door.http, session_id, context)
        unbroken = await ChatPage.open(shaky, system.processes[1].http, session_id)
        await left.ask(session_id)
        for cuts in (1, 2):
            reply.send(2)
            for tab in (left, right):
                await expect(tab.texts()).to_have_text(["".join(pieces[: 4 * cuts - 2])])
            door.cut()
            reply.send(2)  # nobody is there to hear it
            for tab in (left, right):
                await tab.until_reconnected(cuts)
                await expect(tab.texts()).to_have_text(["".join(pieces[: 4 * cuts])])
        reply.send()
        for tab in (left, right, unbroken):
            await tab.until_answered("".join(pieces))
        assert await check_they_show_the_same(left, right, unbroken) == [
            f"You: {session_id}", f"Assistant: {''.join(pieces)}",
        ]  # fmt: skip
        assert await unbroken.reconnects() == 0


@pytest.mark.parametrize("end", ["is killed", "is told to stop"])
async def test_another_gateway_takes_over_in_mid_answer(
    deployment: Deployment,
    shaky: Browsing,
    stub: StubModel,
    session_id: str,
    end: Literal["is killed", "is told to stop"],
) -> None:
    """Behind the same address, whether the first had time to say good-bye or not."""
    stub.script(session_id, reply := SteppedReply(["before, ", "while ", "and ", "after."]))
    first, second, _ = await asyncio.gather(
        deployment.start_gateway(drain_seconds=1),
        deployment.start_gateway(),
        deployment.start_worker(),
    )
    async with door_before(first) as door:
        left = await ChatPage.open(shaky, door.http, session_id)
        right = await ChatPage.open(shaky, door.http, session_id)
        await left.ask(session_id)
        reply.send()
        for tab in (left, right):
            await expect(tab.texts()).to_have_text(["before,"])
        door.lead_to(second)
        await (first.kill() if end == "is killed" else first.stop())
        reply.send()
        for tab in (left, right):
            await tab.until_reconnected()
            await expect(tab.texts()).to_have_text(["before, while"])
        reply.send(2)
        for tab in (left, right):
            await tab.until_answered("before, while and after.")
        assert await check_they_show_the_same(left, right) == [
            f"You: {session_id}", "Assistant: before, while and after.",
        ]  # fmt: skip


async def test_two_windows_stay_equal_through_a_reconnect_of_one_and_a_restart_of_the_gateway(
    deployment: Deployment, shaky: Browsing, stub: StubModel, session_id: str
) -> None:
    """Each is used after each: what either says is in both, once and in the same order."""
    gateway, _ = await asyncio.gather(deployment.start_gateway(), deployment.start_worker())
    stub.script(session_id, reply := SteppedReply(["one ", "two ", "three"]))
    async with door_before(gateway) as near, door_before(gateway) as far:
        left = await ChatPage.open(shaky, near.http, session_id)
        right = await ChatPage.open(shaky, far.http, session_id)
        await left.ask(session_id)
        reply.send()
        near.cut()
        await right.ask("and you?")
        reply.send(2)
        for tab in (left, right):
            await tab.until_answered("echo: and you?", turns=2)
        await check_they_show_the_same(left, right)

        await gateway.stop()
        again = await deployment.start_gateway()
        for door in (near, far):
            door.lead_to(again)
        await right.ask("and now?")
        for tab in (left, right):
            await tab.until_answered("echo: and now?", turns=3)
        assert await check_they_show_the_same(left, right) == [
            f"You: {session_id}", "Assistant: one two three",
            "You: and you?", "Assistant: echo: and you?",
            "You: and now?", "Assistant: echo: and now?",
        ]  # fmt: skip
        assert await right.reconnects() < await left.reconnects()


@pytest.fixture
async def own_redis(tmp_path: Path) -> AsyncGenerator[EmbeddedRedis, None]:
    """A server that the test may stop, and that then has what it had."""
    server = EmbeddedRedis(tmp_path / "redis", append_only=True)
    await asyncio.to_thread(server.start)
    yield server
    await asyncio.to_thread(server.stop)


@pytest.fixture
async def mortal(
    own_redis: EmbeddedRedis, stub: StubModel, tmp_path: Path
) -> AsyncGenerator[list[Process], None]:
    """A gateway and a worker on that server."""
    async with deploy(own_redis, tmp_path, **stub.environment(), LINGER_SECONDS="0.1") as own:
        await asyncio.gather(own.start_gateway(), own.start_worker())
        yield own.processes
        await own.check_nothing_is_left()


@pytest.mark.parametrize("meanwhile", ["the page stays", "the page is reloaded"])
async def test_a_tab_outlives_a_restart_of_redis(
    mortal: list[Process],
    own_redis: EmbeddedRedis,
    browsing: Browsing,
    stub: StubModel,
    session_id: str,
    meanwhile: str,
) -> None:
    """It says what is missing, on the same socket, and then shows the whole conversation; what was
    sent meanwhile is seen at once, also by a page loaded anew, and answered once."""
    (gateway,) = (process for process in mortal if process.port)
    chat = await ChatPage.open(browsing, gateway.http, session_id)
    await chat.ask("before")
    await chat.until_answered("echo: before")
    await asyncio.to_thread(own_redis.stop)
    await expect(chat.connection).to_have_attribute("data-state", "reconnecting")
    await expect(chat.connection).to_contain_text("The service has lost its store")
    await chat.ask(session_id)
    if meanwhile == "the page is reloaded":
        await chat.page.reload()
    await expect(chat.questions.last).to_contain_text(f"{session_id}Waiting to be sent")
    await asyncio.to_thread(own_redis.start)
    await chat.until_connected()
    await chat.until_answered(f"echo: {session_id}", turns=2)
    assert await chat.conversation() == [
        "You: before", "Assistant: echo: before",
        f"You: {session_id}", f"Assistant: echo: {session_id}",
    ]  # fmt: skip
    assert (await chat.reconnects(), stub.runs(session_id)) == (0, 1)
