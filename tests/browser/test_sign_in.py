"""A gateway that wants to know who comes: tokens end in mid-answer, and people have none, or one
for something else."""

import asyncio
import re
from collections.abc import AsyncGenerator
from typing import Literal
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from playwright.async_api import BrowserContext, Locator, Page, WebSocket, expect

from dev.embedded_redis import EmbeddedRedis
from tests.browser.axe import run_axe
from tests.browser.browsing import Browsing
from tests.browser.chat_page import ChatPage, check_they_show_the_same
from tests.browser.conftest import EVIDENCE
from tests.browser.page_layout import find_overflows, find_unusable_controls, until_still
from tests.browser.signing_in import sign_in, signed_in_for_moments
from tests.browser.stepped_reply import SteppedReply
from tests.gateway.signing_in import WITH_TOKENS
from tests.support.deployment import Deployment, Process, deploy
from tests.support.stub_model import StubModel

WINDOWS: dict[str, tuple[Literal["light", "dark"], tuple[int, int]]] = {
    "light": ("light", (1280, 800)),
    "dark": ("dark", (1280, 800)),
    "phone": ("light", (390, 844)),
    "small": ("dark", (320, 640)),
}


@pytest.fixture(scope="module")
async def guarded(
    redis_server: EmbeddedRedis, stub: StubModel, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[Deployment, None]:
    """A gateway that lets in whom a token names, and a worker."""
    settings = stub.environment() | WITH_TOKENS
    settings |= {"AUTH_SIGN_IN_URL": "/sign-in?to={return_to}", "LINGER_SECONDS": "0.1"}
    folder = tmp_path_factory.mktemp("guarded")
    async with deploy(redis_server, folder, **settings) as shared:
        await asyncio.gather(shared.start_gateway(), shared.start_worker())
        yield shared
        await shared.check_nothing_is_left()


@pytest.fixture
def gateway(guarded: Deployment) -> Process:
    return next(process for process in guarded.processes if process.port)


@pytest.fixture
def refused(browsing: Browsing) -> Browsing:
    """Windows whose browser may notice that somebody is not let in."""
    browsing.allow(r"^response (401|403) http\S+/(tickets|sessions/\S+)$")
    browsing.allow(r"^console error: Failed to load resource: .* status of (401|403) ")
    return browsing


async def open_in_vain(gateway: Process, session_id: str, context: BrowserContext) -> ChatPage:
    """A tab that is not let in."""
    chat = ChatPage(await context.new_page())
    await chat.page.goto(f"{gateway.http}/s/{session_id}")
    await expect(chat.connection).to_have_attribute("data-state", "disconnected")
    return chat


def signed_out(page: Page) -> Locator:
    return page.get_by_role("region", name="You are signed out")


def not_allowed(page: Page) -> Locator:
    return page.get_by_role("region", name="You may not open this session")


async def test_an_answer_streams_on_while_the_token_expires_again_and_again(
    browsing: Browsing, gateway: Process, stub: StubModel, session_id: str
) -> None:
    """Two tabs lose their sockets to the ends of their tokens, in the midst of an answer, and show
    it in the end as a third does that lost none. Every socket has a ticket of its own, and no
    address has the token."""
    pieces = [f"{number} sheep, " for number in range(1, 6)] + ["asleep."]
    stub.script(session_id, reply := SteppedReply(pieces))
    addresses: list[str] = []
    context, other = await browsing.context(), await browsing.context()

    def note(socket: WebSocket) -> None:
        addresses.append(socket.url)

    context.on("page", lambda page: page.on("websocket", note))
    await sign_in(other, gateway, f"{session_id[:6]}*")
    async with signed_in_for_moments(context, gateway, session_id):
        left = await ChatPage.open(browsing, gateway.http, session_id, context)
        right = await ChatPage.open(browsing, gateway.http, session_id, context)
        unbroken = await ChatPage.open(browsing, gateway.http, session_id, other)
        await left.ask(session_id)
        for times in (1, 2):
            reply.send(2)
            for tab in (left, right):
                await tab.until_reconnected(times)
                await expect(tab.texts()).to_have_text(["".join(pieces[: 2 * times]).strip()])
        reply.send(2)
        for tab in (left, right, unbroken):
            await tab.until_answered("".join(pieces))
        assert await check_they_show_the_same(left, right, unbroken) == [
            f"You: {session_id}", f"Assistant: {''.join(pieces)}",
        ]  # fmt: skip
        assert await unbroken.reconnects() == 0
    tickets = [parse_qs(urlsplit(address).query)["ticket"] for address in addresses]
    assert len(tickets) >= 6
    assert len({ticket for (ticket,) in tickets}) == len(tickets)
    assert not any("eyJ" in address for address in addresses)


async def test_who_is_signed_out_is_told_where_to_sign_in_and_loses_nothing(
    refused: Browsing, gateway: Process, session_id: str
) -> None:
    """Nothing is called loading. What they write waits, and is answered when they are back."""
    context = await refused.context()
    chat = await open_in_vain(gateway, session_id, context)
    page = chat.page
    await expect(signed_out(page)).to_be_visible()
    await expect(page.get_by_text(re.compile("Loading"))).to_have_count(0)
    link = signed_out(page).get_by_role("link", name="Sign in")
    await expect(link).to_have_attribute("href", f"{gateway.http}/sign-in?to={quote(page.url, '')}")
    await chat.ask("while signed out")
    await expect(chat.questions).to_contain_text("Waiting to be sent")

    await chat.press("Try again")
    await expect(signed_out(page).get_by_role("button", name="Try again")).to_be_focused()
    await sign_in(context, gateway, session_id)
    await page.keyboard.press("Enter")
    await chat.until_connected()
    await chat.until_answered("echo: while signed out")
    await expect(signed_out(page)).to_have_count(0)
    assert await page.evaluate("document.activeElement !== document.body")


async def test_a_conversation_stays_on_the_screen_when_its_reader_is_signed_out(
    refused: Browsing, gateway: Process, session_id: str
) -> None:
    """The token ends and there is no other; then there is, and the conversation goes on."""
    context = await refused.context()
    async with signed_in_for_moments(context, gateway, session_id):
        chat = await ChatPage.open(refused, gateway.http, session_id, context)
        await chat.ask("before")
        await chat.until_answered("echo: before")
    await expect(signed_out(chat.page)).to_be_visible()
    assert await chat.conversation() == ["You: before", "Assistant: echo: before"]
    await chat.ask("meanwhile")
    await sign_in(context, gateway, session_id)
    await chat.press("Try again")
    await chat.until_answered("echo: meanwhile", turns=2)


async def test_a_session_of_others_is_not_opened_and_nothing_of_it_stays(
    refused: Browsing, gateway: Process, session_id: str
) -> None:
    """Somebody else signs in in the same browser: what the first has read is gone from the page,
    and another session can be chosen; the first finds it as it was."""
    context = await refused.context()
    async with signed_in_for_moments(context, gateway, session_id):
        chat = await ChatPage.open(refused, gateway.http, session_id, context)
        await chat.ask("a secret")
        await chat.until_answered("echo: a secret")
    await sign_in(context, gateway, "another-session")
    await expect(not_allowed(chat.page)).to_be_visible()
    await expect(chat.page.get_by_text("a secret")).to_have_count(0)
    await expect(chat.turn_rows).to_have_count(0)
    await chat.press("Other sessions")
    await expect(chat.page.get_by_role("dialog", name="Sessions")).to_be_visible()
    await chat.page.keyboard.press("Escape")

    await sign_in(context, gateway, session_id)
    await chat.press("Try again")
    await chat.until_answered("echo: a secret")


async def test_a_session_is_deleted_only_by_whom_its_token_names(
    refused: Browsing, gateway: Process, session_id: str
) -> None:
    """The dialog says why it was not; with the right it is gone."""
    reader = await refused.context()
    await sign_in(reader, gateway, session_id)
    chat = await ChatPage.open(refused, gateway.http, session_id, reader)
    await chat.ask("keep me")
    await chat.until_answered("echo: keep me")
    stranger = await refused.context()
    await sign_in(stranger, gateway, "another-session")
    elsewhere = await open_in_vain(gateway, session_id, stranger)

    question = await _ask_to_delete(elsewhere, session_id)
    refusal = question.get_by_role("alert")
    await expect(refusal).to_have_text(re.compile("you are not allowed to delete it"))
    await stranger.clear_cookies()
    await question.get_by_role("button", name="Delete for everybody").click()
    await expect(refusal).to_have_text(re.compile("you are signed out"))
    assert await chat.conversation() == ["You: keep me", "Assistant: echo: keep me"]

    await sign_in(stranger, gateway, session_id)
    await question.get_by_role("button", name="Delete for everybody").click()
    await expect(question).to_have_count(0)
    await expect(elsewhere.page).not_to_have_url(re.compile(session_id))
    await expect(chat.invitation).to_be_visible()


@pytest.mark.parametrize(
    ("state", "window"),
    [
        *[(state, window) for state in ("signed-out", "forbidden") for window in WINDOWS],
        ("signed-out-later", "light"),
        ("signed-out-later", "phone"),
    ],
)
async def test_the_states_without_access_can_be_read_and_used_by_everybody(
    refused: Browsing, gateway: Process, session_id: str, state: str, window: str
) -> None:
    """axe, nothing wider than its place, every control to be hit; and a picture for people."""
    scheme, size = WINDOWS[window]
    context = await refused.context(size=size, color_scheme=scheme, traced=False)
    if state == "signed-out-later":
        async with signed_in_for_moments(context, gateway, session_id):
            chat = await ChatPage.open(refused, gateway.http, session_id, context)
            await chat.ask("before")
            await chat.until_answered("echo: before")
    else:
        if state == "forbidden":
            await sign_in(context, gateway, "another-session")
        chat = await open_in_vain(gateway, session_id, context)
    page = chat.page
    notice = not_allowed(page) if state == "forbidden" else signed_out(page)
    await expect(notice).to_be_visible()
    await until_still(page)
    folder = EVIDENCE / "sign-in"
    folder.mkdir(parents=True, exist_ok=True)
    await page.screenshot(path=folder / f"{state}-{window}.png")
    report = await run_axe(page)
    assert report.violations == []
    assert await find_overflows(page) + await find_unusable_controls(page) == []


async def _ask_to_delete(chat: ChatPage, session_id: str) -> Locator:
    """Ask for it, and say yes; returns the dialog."""
    sessions = await chat.sessions()
    row = sessions.get_by_role("listitem").filter(has_text=session_id[:8])
    await row.get_by_role("button", name=re.compile("^Actions for ")).click()
    await chat.page.get_by_role("menuitem", name="Delete").click()
    question = chat.page.get_by_role("dialog", name="Delete this session?")
    await question.get_by_role("button", name="Delete for everybody").click()
    return question
