"""Sessions as a browser keeps them: by their address, in a list of its own, until they are
deleted."""

import re

import pytest
from playwright.async_api import Locator, WebSocket, expect

from tests.browser.browsing import Browsing
from tests.browser.chat_page import ChatPage, check_they_show_the_same
from tests.support.deployment import Deployment
from tests.support.stub_model import Call, Reply, StubModel


def row_of(session_id: str, sessions: Locator) -> Locator:
    """The row of the session, while it has no name."""
    return sessions.get_by_role("listitem").filter(has_text=session_id[:8])


async def choose(chat: ChatPage, action: str, row: Locator) -> None:
    """Do something with a session of the list."""
    await row.get_by_role("button", name=re.compile("^Actions for ")).click()
    await chat.page.get_by_role("menuitem", name=action).click()


async def test_a_conversation_outlives_a_reload_and_is_at_its_address_for_everybody(
    browsing: Browsing, system: Deployment, stub: StubModel, session_id: str
) -> None:
    """The same words and the same telemetry, after a reload and in somebody else's browser, on
    another gateway."""
    call = Reply(["I count. "], calls=[Call("count_patients", {})])
    stub.script(session_id, call, Reply(["They are ", "many."]))
    chat = await ChatPage.open(browsing, system.processes[0].http, session_id)
    await chat.ask(session_id)
    await chat.until_over()
    said, rows = await check_they_show_the_same(chat), await chat.all_rows()
    assert said == [f"You: {session_id}", "Assistant: I count.|They are many."]
    await chat.go_to(chat.page.url)
    elsewhere = await ChatPage.open(browsing, system.processes[1].http, session_id)
    assert await check_they_show_the_same(chat, elsewhere) == said
    assert await chat.all_rows() == rows


async def test_the_first_page_opens_the_session_that_was_used_last(
    browsing: Browsing, system: Deployment, session_id: str
) -> None:
    gateway, context = system.processes[0].http, await browsing.context()
    await ChatPage.open(browsing, gateway, session_id, context)
    page = await browsing.open(gateway, context)
    await expect(page).to_have_url(f"{gateway}/s/{session_id}")


@pytest.mark.parametrize("bad_id", ["not%20one", "a.b", "%3Cb%3E", "s" * 129])
async def test_an_address_that_no_session_can_have_is_not_found(
    browsing: Browsing, system: Deployment, bad_id: str
) -> None:
    """404, and nothing tries to connect."""
    browsing.allow("404")
    page = await (await browsing.context()).new_page()
    sockets: list[WebSocket] = []
    page.on("websocket", lambda socket: sockets.append(socket))
    answer = await page.goto(f"{system.processes[0].http}/s/{bad_id}")
    assert answer is not None
    assert answer.status == 404
    assert sockets == []


async def test_deleting_a_session_asks_first_and_empties_it_in_every_tab(
    browsing: Browsing, system: Deployment, stub: StubModel, session_id: str
) -> None:
    """It is gone from the list, from the other tab and from the other browser, whose next message
    begins a new conversation; the tab that deleted it goes on with a new session."""
    gateway, context = system.processes[0].http, await browsing.context()
    chat = await ChatPage.open(browsing, gateway, session_id, context)
    beside = await ChatPage.open(browsing, gateway, session_id, context)
    elsewhere = await ChatPage.open(browsing, system.processes[1].http, session_id)
    await chat.ask("remember me")
    for tab in (chat, beside, elsewhere):
        await tab.until_answered("echo: remember me")

    sessions = await chat.sessions()
    await choose(chat, "Delete", row_of(session_id, sessions))
    question = chat.page.get_by_role("dialog", name="Delete this session?")
    await question.get_by_role("button", name="Keep it").click()
    await expect(question).to_have_count(0)
    await expect(elsewhere.questions).to_have_text([re.compile("remember me")])

    await choose(chat, "Delete", row_of(session_id, sessions))
    await question.get_by_role("button", name="Delete for everybody").click()
    await expect(chat.page).not_to_have_url(re.compile(session_id))
    for tab in (chat, beside, elsewhere):
        await expect(tab.invitation).to_be_visible()
        await expect(tab.questions.or_(tab.turn_rows)).to_have_count(0)
    sessions = await chat.sessions()
    await expect(sessions.get_by_role("listitem")).not_to_have_count(0)
    await expect(row_of(session_id, sessions)).to_have_count(0)

    await beside.ask(session_id)
    for tab in (beside, elsewhere):
        await tab.until_answered(f"echo: {session_id}")
    assert await check_they_show_the_same(beside, elsewhere) == [
        f"You: {session_id}", f"Assistant: echo: {session_id}",
    ]  # fmt: skip
    assert stub.runs("remember me") == 1


async def test_a_session_s_name_is_this_browser_s_own(
    browsing: Browsing, system: Deployment, session_id: str
) -> None:
    """Other tabs of it show the name at once, other people's browsers never; the page says so."""
    gateway, context = system.processes[0].http, await browsing.context()
    chat = await ChatPage.open(browsing, gateway, session_id, context)
    beside = await ChatPage.open(browsing, gateway, session_id, context)
    elsewhere = await ChatPage.open(browsing, gateway, session_id)
    theirs = await elsewhere.sessions()
    ours = await beside.sessions()
    sessions = await chat.sessions()
    await choose(chat, "Rename", row_of(session_id, sessions))
    field = sessions.get_by_role("textbox", name="Name")
    await expect(field).to_be_focused()
    await expect(sessions.get_by_text("its names are kept in this browser only")).to_be_visible()
    await field.fill("Ada's chart")
    await field.press("Enter")
    for list_of_mine in (sessions, ours):
        await expect(list_of_mine.get_by_role("link", name="Ada's chart")).to_be_visible()
    await chat.go_to(chat.page.url)
    named = (await chat.sessions()).get_by_role("link", name="Ada's chart")
    await expect(named).to_have_attribute("href", f"/s/{session_id}")
    await expect(row_of(session_id, theirs)).to_be_visible()
    await expect(theirs.get_by_role("link", name="Ada's chart")).to_have_count(0)


async def test_a_person_goes_from_session_to_session_and_back(
    browsing: Browsing, system: Deployment, session_id: str
) -> None:
    """A new one, the old one by the list, and the browser's own way back: each shows its own, and
    what was typed in it and not sent."""
    chat = await ChatPage.open(browsing, system.processes[0].http, session_id)
    await chat.ask("in the first")
    await chat.until_answered("echo: in the first")
    await chat.message_field.fill("half a thought")
    await chat.press("New session")
    await expect(chat.page).not_to_have_url(re.compile(session_id))
    await expect(chat.invitation).to_be_visible()
    await expect(chat.message_field).to_have_value("")
    await chat.until_connected()
    await chat.ask("in the second")
    await chat.until_answered("echo: in the second")

    sessions = await chat.sessions()
    await expect(sessions.get_by_role("link")).to_have_count(2)
    await row_of(session_id, sessions).get_by_role("link").click()
    await expect(chat.page).to_have_url(re.compile(session_id))
    await chat.until_answered("echo: in the first")
    await expect(chat.message_field).to_have_value("half a thought")
    assert await chat.conversation() == ["You: in the first", "Assistant: echo: in the first"]

    await chat.page.go_back()
    await chat.until_answered("echo: in the second")
    assert await chat.conversation() == ["You: in the second", "Assistant: echo: in the second"]
