"""A walk through the states of the page: brings it into one after the other, for whoever looks."""

import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from playwright.async_api import Locator, expect

from tests.browser import scenes
from tests.browser.browsing import Browsing
from tests.browser.chat_page import ChatPage
from tests.browser.door import Door, door_before
from tests.browser.stage import Stage, ToldSession

WAIT_MS = 20_000
KEEP_SOCKET = """(() => {
    const Native = WebSocket;
    window.WebSocket = class extends Native {
        constructor(...given) { super(...given); window.lastSocket = this; }
    };
})()"""
SAY_NONSENSE = "() => window.lastSocket.send(JSON.stringify({type: 'nonsense', session_id: 'x'}))"
LOST = r"WebSocket connection to|net::ERR_|/readyz"
"""What the browser itself says on the console of a connection that it cannot make."""


class Walk:
    """One page that shows one session, through a door."""

    def __init__(self, chat: ChatPage, session: ToldSession, door: Door) -> None:
        self.chat = chat
        self.page = chat.page
        self._session = session
        self._door = door

    async def states(self) -> AsyncGenerator[str, None]:
        """The name of each state, while the page is in it."""
        for part in (self._turn, self._panel, self._failures, self._layers, self._connection):
            async for state in part():
                yield state

    async def _turn(self) -> AsyncGenerator[str, None]:
        session, page = self._session, self.page
        await page.goto(f"{self._door.http}/s/{session.session_id}")
        await self.chat.until_connected()
        await expect(page.get_by_role("list", name="Example questions")).to_be_visible()
        yield "empty"
        turn_id = await session.ask(scenes.QUESTION)
        await expect(self.chat.log.get_by_text("Waiting for a worker")).to_be_visible()
        yield "waiting for a worker"
        await scenes.tell_streaming(session, turn_id)
        await expect(self.chat.texts()).to_contain_text(["Three of the eight"])
        yield "streaming"
        await scenes.tell_tool_running(session)
        await expect(page.get_by_text("Reading: read_lab_results")).to_be_visible()
        yield "a tool runs"
        await scenes.tell_end(session)
        await expect(self.chat.texts()).to_contain_text([scenes.LAST_WORDS])
        await self.chat.until_over()
        yield "done"
        await page.get_by_role("button", name="Used 2 tools").click()
        yield "steps open"

    async def _panel(self) -> AsyncGenerator[str, None]:
        page = self.page
        await page.get_by_role("button", name=re.compile("3 tools · 2 model calls")).click()
        panel = await self._open_panel()
        await expect(panel.get_by_text("Showing one turn")).to_be_visible()
        yield "one turn in the panel"
        for name in ("gpt-5-mini", "search_conditions", "progress"):
            await panel.get_by_role("button", name=name).first.click()
        await expect(panel.get_by_role("group", name="Result of search_conditions")).to_be_visible()
        await expect(panel.get_by_role("group", name="Data of progress")).to_be_visible()
        yield "details of rows open"
        await panel.get_by_role("tab", name="Table").click()
        await expect(panel.get_by_role("table")).to_be_visible()
        yield "table view"
        await panel.get_by_role("searchbox").fill("no row has this")
        await expect(panel.get_by_text("Nothing matches")).to_be_visible()
        yield "nothing matches"
        await panel.get_by_role("button", name="Clear the search").click()
        await panel.get_by_role("tab", name="Waterfall").click()
        if await page.get_by_role("dialog").count():
            await page.keyboard.press("Escape")
            await expect(page.get_by_role("dialog")).to_have_count(0)

    async def _failures(self) -> AsyncGenerator[str, None]:
        page = self.page
        await scenes.tell_failure(self._session)
        await expect(page.get_by_role("button", name="Retry", exact=True)).to_be_visible()
        yield "a failed turn"
        await page.evaluate(SAY_NONSENSE)
        dismiss = page.get_by_role("button", name="Dismiss the error")
        await expect(dismiss).to_be_visible()
        yield "an error of the socket"
        await dismiss.click()

    async def _layers(self) -> AsyncGenerator[str, None]:
        page = self.page
        async for state in self._settings():
            yield state
        await page.get_by_role("button", name="Sessions", exact=True).click()
        sessions = page.get_by_role("dialog", name="Sessions")
        await expect(sessions).to_be_visible()
        yield "the sessions"
        actions = sessions.get_by_role("button", name=re.compile("^Actions for"))
        await actions.click()
        await expect(page.get_by_role("menuitem", name="Rename")).to_be_visible()
        yield "the menu of a session"
        await page.get_by_role("menuitem", name="Rename").click()
        await expect(sessions.get_by_role("textbox", name="Name")).to_be_focused()
        yield "a session is renamed"
        await sessions.get_by_role("button", name="Cancel").click()
        await actions.click()
        await page.get_by_role("menuitem", name="Delete").click()
        await expect(page.get_by_role("dialog", name="Delete this session?")).to_be_visible()
        yield "deletion is to be confirmed"
        await page.get_by_role("button", name="Keep it").click()
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("dialog")).to_have_count(0)

    async def _settings(self) -> AsyncGenerator[str, None]:
        page = self.page
        await page.get_by_role("button", name="Help and settings").click()
        dialog = page.get_by_role("dialog", name="Help and settings")
        await expect(dialog.get_by_role("radio", name="Dark")).to_be_visible()
        yield "help and settings"
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("dialog")).to_have_count(0)

    async def _connection(self) -> AsyncGenerator[str, None]:
        page = self.page
        self._door.shut()
        await expect(self.chat.connection).to_have_attribute("data-state", "reconnecting")
        await expect(page.get_by_role("button", name="Retry now")).to_be_visible()
        yield "reconnecting"
        await page.context.set_offline(True)
        await expect(page.get_by_text("You are offline")).to_be_visible()
        await self.chat.ask("And whom have I not asked about?")
        await expect(page.get_by_text("Waiting to be sent")).to_be_visible()
        await expect(page.get_by_text("Offline: it will be sent")).to_be_visible()
        yield "offline, with a message that waits"
        self._door.open()
        await page.context.set_offline(False)
        await self.chat.until_connected()
        await expect(page.get_by_text("Waiting to be sent")).to_have_count(0, timeout=WAIT_MS)
        for number in (2, 3):
            await self._session.ask(f"Question {number} of 3 that wait")
        await self.chat.ask("And one that is too many?")
        await expect(page.get_by_text("Not sent:")).to_be_visible()
        yield "a message that was refused"

    async def _open_panel(self) -> Locator:
        panel = self.page.locator("[data-slot=telemetry-panel]")
        await expect(panel).to_be_visible()
        return panel


@asynccontextmanager
async def begin_walk(
    browsing: Browsing, stage: Stage, chat: ChatPage
) -> AsyncGenerator[Walk, None]:
    """A walk with this page, for the block."""
    browsing.allow(LOST)
    await chat.page.add_init_script(KEEP_SOCKET)
    async with door_before(stage.gateway) as door:
        yield Walk(chat, stage.session(seconds_ago=30), door)
