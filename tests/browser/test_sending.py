"""A message on its way while the connection breaks: it is seen from the first moment, and it runs
once."""

import re

import pytest
from playwright.async_api import expect

from tests.browser.browsing import Browsing
from tests.browser.chat_page import ChatPage, check_they_show_the_same
from tests.browser.door import door_before
from tests.browser.stepped_reply import SteppedReply
from tests.support.deployment import Deployment
from tests.support.stub_model import StubModel


async def test_the_own_message_is_on_the_screen_before_the_gateway_has_answered(
    browsing: Browsing, system: Deployment, stub: StubModel, session_id: str
) -> None:
    """The gateway has it and the model speaks already, but nothing has come back; the echo then
    takes its place."""
    stub.script(session_id, reply := SteppedReply(["late"]))
    async with door_before(system.processes[0]) as door:
        chat = await ChatPage.open(browsing, door.http, session_id)
        door.hold_answers()
        await chat.ask(session_id)
        await expect(chat.questions.get_by_text(session_id)).to_be_visible()
        await reply.was_asked_for.wait()
        await expect(chat.answers).to_have_count(0)
        door.let_through()
        reply.send()
        await chat.until_answered("late")
        await expect(chat.questions).to_have_count(1)


@pytest.mark.parametrize("meanwhile", ["the page stays", "the page is reloaded"])
async def test_a_message_typed_offline_arrives_once(
    shaky: Browsing, system: Deployment, stub: StubModel, session_id: str, meanwhile: str
) -> None:
    """It says that it waits, and is sent when there is a connection again, also by a page that was
    loaded anew in between."""
    shaky.allow(r"^request GET http\S+/s/\S+: net::ERR_")
    watcher = await ChatPage.open(shaky, system.processes[1].http, session_id)
    async with door_before(system.processes[0]) as door:
        chat = await ChatPage.open(shaky, door.http, session_id)
        door.shut()
        await expect(chat.connection).not_to_have_attribute("data-state", "connected")
        await chat.ask(session_id)
        await expect(chat.questions).to_have_text([re.compile(f"{session_id}.*Waiting to be sent")])
        await expect(watcher.questions).to_have_count(0)
        assert stub.runs(session_id) == 0
        if meanwhile == "the page is reloaded":
            address = chat.page.url
            await chat.go_in_vain_to(address)
            door.open()
            await chat.go_to(address)
        else:
            await expect(chat.page.get_by_role("button", name="Retry now")).to_be_visible()
            door.open()
        for tab in (chat, watcher):
            await tab.until_answered(f"echo: {session_id}")
        assert await check_they_show_the_same(chat, watcher) == [
            f"You: {session_id}", f"Assistant: echo: {session_id}",
        ]  # fmt: skip
    assert stub.runs(session_id) == 1


async def test_a_message_that_never_reached_the_gateway_is_sent_again(
    shaky: Browsing, system: Deployment, stub: StubModel, session_id: str
) -> None:
    """The connection broke while the message was on its way there."""
    async with door_before(system.processes[0]) as door:
        chat = await ChatPage.open(shaky, door.http, session_id)
        door.hold_questions()
        await chat.ask(session_id)
        await expect(chat.questions).to_contain_text(["Sending"])
        assert stub.runs(session_id) == 0
        door.cut()
        door.let_through()
        await chat.until_reconnected()
        await chat.until_answered(f"echo: {session_id}")
    assert await chat.conversation() == [f"You: {session_id}", f"Assistant: echo: {session_id}"]
    assert stub.runs(session_id) == 1


async def test_a_message_whose_echo_was_lost_runs_once(
    shaky: Browsing, system: Deployment, stub: StubModel, session_id: str
) -> None:
    """The connection broke while the answer was on its way back: the page cannot know that the
    message had arrived, and sends it again."""
    stub.script(session_id, reply := SteppedReply(["I heard ", "you."]))
    async with door_before(system.processes[0]) as door:
        chat = await ChatPage.open(shaky, door.http, session_id)
        door.hold_answers()
        await chat.ask(session_id)
        await reply.was_asked_for.wait()
        door.cut()
        door.let_through()
        await chat.until_reconnected()
        reply.send(2)
        await chat.until_answered("I heard you.")
    assert await chat.conversation() == [f"You: {session_id}", "Assistant: I heard you."]
    assert stub.runs(session_id) == 1
