"""A session of 5,000 events: it opens, its DOM is bounded, and how fluid it is is measured."""

import asyncio
import re

import pytest
from playwright.async_api import Locator, Page, expect

from tests.browser.browsing import Browsing
from tests.browser.chat_page import ChatPage
from tests.browser.figures import record_milliseconds
from tests.browser.measuring import (
    measure_in,
    read_frame_times,
    read_key_times,
    until_idle,
    until_painted,
)
from tests.browser.scenes import tell_long_turn, tell_many_turns
from tests.browser.stage import Stage, ToldSession

TURNS = 250
LONG_TURN = 2000
MOST_ROWS = 300
MOST_MESSAGES = 200
MOST_STEPS = 100
TEXT = "how many patients with diabetes are older than sixty years"
FRAMES = 120
AT_ONCE = 3
"""Frames that come in one go, before the page is waited for."""

COUNT = """() => ({
    rows: document.querySelectorAll('[data-row]').length,
    messages: document.querySelectorAll('li[data-message]').length,
})"""


@pytest.fixture(scope="module")
async def long_session(stage: Stage) -> ToldSession:
    """250 turns of 20 events."""
    session = stage.session(seconds_ago=300)
    await tell_many_turns(session, TURNS)
    return session


async def test_5000_events_open_with_a_bounded_dom_and_all_can_be_reached(
    browsing: Browsing, long_session: ToldSession
) -> None:
    page = await _open(browsing, long_session)
    panel = page.get_by_role("complementary", name="Telemetry")
    await expect(page.get_by_text(f"Answer number {TURNS - 1}")).to_be_visible()
    await panel.get_by_role("button", name="Expand all").click()
    await _check_bounds(page)
    await _load_all(page, page.get_by_role("button", name="Load earlier messages"))
    await expect(page.get_by_role("log").get_by_text("Question number 0")).to_be_visible()
    await _load_all(page, panel.get_by_role("button", name="Load earlier"))
    await expect(panel.get_by_role("button", name="Question number 0")).to_be_visible()


async def test_a_turn_of_2000_events_is_bounded_too_while_it_runs(
    browsing: Browsing, stage: Stage
) -> None:
    session = stage.session(seconds_ago=60)
    await tell_long_turn(session, LONG_TURN)
    page = await _open(browsing, session)
    panel = page.get_by_role("complementary", name="Telemetry")
    await expect(panel.get_by_role("button", name="Load earlier")).to_be_visible()
    await _check_bounds(page)
    await session.tell(session.tool_call("last", "the_last_tool", {}))
    await expect(panel.get_by_role("button", name="the_last_tool")).to_be_in_viewport()
    await _check_bounds(page)
    await session.finish()
    await page.get_by_role("log").get_by_role("button", name=re.compile("^Used .* tools")).click()
    steps = page.locator("[data-item]")
    await expect(steps.first).to_be_visible()
    assert await steps.count() <= MOST_STEPS


async def test_typing_with_5000_events_open_is_measured(
    browsing: Browsing, long_session: ToldSession
) -> None:
    page = await _open(browsing, long_session)
    await expect(page.get_by_text(f"Answer number {TURNS - 1}")).to_be_visible()
    await _type(page)
    await _record_keys(page, "5,000 events")


async def test_typing_and_painting_while_events_stream_into_5000_are_measured(
    browsing: Browsing, long_session: ToldSession
) -> None:
    page = await _open(browsing, long_session)
    await expect(page.get_by_text(f"Answer number {TURNS - 1}")).to_be_visible()
    turn_id = await long_session.ask("Tell me everything")
    await long_session.begin(turn_id)
    await asyncio.gather(_stream(page, long_session), _type(page))
    await _record_keys(page, "5,000 events while more stream in")
    times = await read_frame_times(page)
    record_milliseconds("from a frame's arrival to its text in the DOM", times.in_dom)
    record_milliseconds("from a frame's arrival to its text painted", times.painted)
    await long_session.finish()


async def _open(browsing: Browsing, session: ToldSession) -> Page:
    context = await browsing.context(traced=False)
    await measure_in(context)
    page = await browsing.open(session.address, context)
    await ChatPage(page).until_connected()
    return page


async def _check_bounds(page: Page) -> None:
    count = await page.evaluate(COUNT)
    assert 0 < count["rows"] <= MOST_ROWS
    assert 0 < count["messages"] <= MOST_MESSAGES


async def _load_all(page: Page, earlier: Locator) -> None:
    while await earlier.count():
        await earlier.click()
        await _check_bounds(page)


async def _type(page: Page) -> None:
    field = ChatPage(page).message_field
    await expect(field).to_be_focused()
    await until_idle(page)
    await page.keyboard.type(TEXT)
    await expect(field).to_have_value(TEXT)


async def _record_keys(page: Page, where: str) -> None:
    times = await read_key_times(page, len(TEXT))
    record_milliseconds(f"from a key press to its character painted, {where}", times.frames)
    record_milliseconds("  the same by the browser's own Event Timing", times.events)


async def _stream(page: Page, session: ToldSession) -> None:
    """An answer that grows, and tools that are called meanwhile."""
    for first in range(0, FRAMES, AT_ONCE):
        for mark in range(first, first + AT_ONCE):
            if mark % 10:
                await session.tell(session.piece("s", f"mark-{mark} and so on. "))
            else:
                await session.tell(session.tool_call(f"s{mark}", f"mark-{mark}", {}))
        await until_painted(page, first + AT_ONCE)
