"""The page as the person before it sees and uses it: everything is found by its role and its name.

Only where there is nothing to name, an attribute is read that the page has for its tests.
"""

import re

import pytest
from playwright.async_api import BrowserContext, Locator, Page, expect
from playwright.async_api import Error as PlaywrightError

from tests.browser.browsing import Browsing

SAID = """articles => articles.map(article => {
    const who = article.querySelector("h3").textContent.split(",")[0];
    const texts = article.querySelectorAll(who === "You" ? "[data-bubble]" : ".md");
    return `${who}: ${[...texts].map(text => text.textContent.trim()).join("|")}`;
})"""


class ChatPage:
    """One tab that shows one session."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.log = page.get_by_role("log", name="Messages")
        self.invitation = page.get_by_role("heading", name="Ask about your clinical data")
        """Stands where the messages will be, while there are none."""
        self.questions = self.log.get_by_role("article", name=re.compile("^You"))
        self.answers = self.log.get_by_role("article", name=re.compile("^Assistant"))
        self.message_field = page.get_by_role("textbox", name="Message", exact=True)
        self.telemetry = page.get_by_role("complementary", name="Telemetry")
        self.turn_rows = self.telemetry.get_by_role("list", name=re.compile("^Steps")).get_by_role(
            "button", expanded=False
        )
        """The closed rows of the turns that are open in the panel."""
        self.totals = self.telemetry.get_by_label("Session totals")
        self.connection = page.locator("[data-slot=connection-status]")

    @classmethod
    async def open(
        cls, browsing: Browsing, origin: str, session_id: str, context: BrowserContext | None = None
    ) -> "ChatPage":
        """A new tab at the session's address, which has shown all that there was: of this context,
        else of one of its own."""
        chat = cls(await (context or await browsing.context()).new_page())
        await chat.go_to(f"{origin}/s/{session_id}")
        return chat

    async def go_to(self, address: str) -> None:
        await self.page.bring_to_front()
        await self.page.goto(address)
        await expect(self.log.or_(self.invitation)).to_be_visible()
        await self.until_connected()

    async def go_in_vain_to(self, address: str) -> None:
        """Nobody is there; what the browser shows instead is on the screen."""
        with pytest.raises(PlaywrightError, match="net::ERR_"):
            await self.page.goto(address)
        await expect(self.page).to_have_url(re.compile("^chrome-error:"))

    async def until_connected(self) -> None:
        await expect(self.connection).to_have_attribute("data-state", "connected")

    async def ask(self, text: str) -> None:
        """Type the message and send it by the keyboard."""
        await self.page.bring_to_front()
        await self.message_field.fill(text)
        await self.message_field.press("Enter")
        await expect(self.message_field).to_have_value("")

    async def press(self, name: str, within: Locator | None = None) -> None:
        """Click the last button of this name."""
        await self.page.bring_to_front()
        button = (within or self.page.locator("body")).get_by_role("button", name=name, exact=True)
        await button.last.click()

    async def until_answered(self, answer: str, *, turns: int = 1) -> None:
        """The conversation has so many answers, and the last one is whole and reads so."""
        await expect(self.answers).to_have_count(turns)
        await expect(self.texts()).to_have_text([answer])
        await self.until_over()

    async def until_over(self) -> None:
        """The last answer does not grow any more."""
        await expect(self.answers.last).to_have_attribute("aria-busy", "false")

    def texts(self, answer: int = -1) -> Locator:
        """The texts of one answer, without the steps between them."""
        return self.answers.nth(answer).locator(".md")

    async def conversation(self) -> list[str]:
        """Who said what, to the letter: one line for each message."""
        return await self.log.get_by_role("article").evaluate_all(SAID)

    async def all_rows(self) -> list[str]:
        """Every row of the panel, as it reads."""
        await self.press("Expand all", self.telemetry)
        return [" ".join(text.split()) for text in await self.turn_rows.all_inner_texts()]

    async def reconnects(self) -> int:
        """How many sockets this tab has lost since it was loaded."""
        return int(await self.connection.get_attribute("data-reconnects") or "")

    async def until_reconnected(self, times: int = 1) -> None:
        """So many sockets are lost, and there is another."""
        await expect(self.connection).to_have_attribute(
            "data-reconnects", re.compile(f"^[{times}-9]$")
        )
        await self.until_connected()

    async def sessions(self) -> Locator:
        """The list of sessions, opened."""
        await self.press("Sessions")
        return self.page.get_by_role("dialog", name="Sessions")


async def check_they_show_the_same(*tabs: ChatPage) -> list[str]:
    """The same conversation, to the letter, the same telemetry and the same totals in every tab,
    once the last turn is over. Returns the conversation."""
    for tab in tabs:
        await tab.until_over()
    first, *others = tabs
    conversation, rows = await first.conversation(), await first.all_rows()
    totals = await first.totals.inner_text()
    assert conversation
    assert rows
    for other in others:
        assert await other.conversation() == conversation
        assert await other.all_rows() == rows
        assert await other.totals.inner_text() == totals
    return conversation
