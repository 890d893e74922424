"""The page fits into every window, and everything in it can be clicked."""

import pytest
from playwright.async_api import Page, expect

from tests.browser.browsing import Browsing
from tests.browser.chat_page import ChatPage
from tests.browser.page_layout import (
    find_motion,
    find_overflows,
    find_unusable_controls,
    until_still,
)
from tests.browser.scenes import LONG_NAME, tell_running, tell_whole, tell_wide
from tests.browser.stage import Stage
from tests.browser.walk import begin_walk
from tests.support.eventually import eventually

WIDTHS = (2560, 1920, 1280, 1024, 768, 360, 320)
PHONE = 768


@pytest.mark.timeout(240)
@pytest.mark.parametrize("size", [(1280, 800), (320, 640), (640, 400)])
async def test_in_every_state_nothing_overflows_and_every_control_can_be_hit(
    browsing: Browsing, stage: Stage, size: tuple[int, int]
) -> None:
    context = await browsing.context(size=size, traced=False)
    chat = ChatPage(await context.new_page())
    wrong: list[str] = []
    async with begin_walk(browsing, stage, chat) as walk:
        async for state in walk.states():
            await until_still(chat.page)
            found = await find_overflows(chat.page) + await find_unusable_controls(chat.page)
            wrong += [f"{state}: {line}" for line in found]
    assert not wrong, "\n".join(wrong)


async def test_what_does_not_fit_never_makes_the_page_scroll_sideways(
    browsing: Browsing, stage: Stage
) -> None:
    session = stage.session()
    await tell_wide(session)
    page = await browsing.open(session.address)
    wrong: list[str] = []
    for width in WIDTHS:
        await page.set_viewport_size({"width": width, "height": 800})
        if width < PHONE:
            await page.get_by_role("button", name="Telemetry", exact=True).click()
        await _open_every_row(page)
        await until_still(page)
        found = await find_overflows(page) + await find_unusable_controls(page)
        await page.get_by_role("tab", name="Table").click()
        await expect(page.get_by_role("table", name="Telemetry of the session")).to_be_visible()
        found += await find_overflows(page)
        await page.get_by_role("tab", name="Waterfall").click()
        if width < PHONE:
            await page.keyboard.press("Escape")
            await expect(page.get_by_role("dialog")).to_have_count(0)
            await until_still(page)
            found += await find_overflows(page) + await find_unusable_controls(page)
        wrong += [f"{width} px: {line}" for line in found]
    assert not wrong, "\n".join(wrong)


async def test_nothing_moves_for_those_who_want_less_motion(
    browsing: Browsing, stage: Stage
) -> None:
    session = stage.session(seconds_ago=4)
    await tell_running(session)
    context = await browsing.context(reduced_motion=True)
    page = await browsing.open(session.address, context)
    await expect(page.get_by_text("Reading: read_lab_results")).to_be_visible()
    await expect(page.locator("[data-bar=growing]").first).to_be_visible()

    async def is_still() -> bool:
        return await find_motion(page) == []

    await eventually(is_still, "nothing moves while a tool runs")


async def test_bars_bubbles_and_buttons_have_an_edge_in_forced_colours(
    browsing: Browsing, stage: Stage
) -> None:
    session = stage.session(seconds_ago=4)
    await tell_whole(session)
    page = await browsing.open(session.address)
    await page.emulate_media(forced_colors="active")
    for part in ("[data-bar]", "[data-bubble]", "[data-slot=button]"):
        edges = await page.locator(part).evaluate_all(
            "parts => parts.map(part => getComputedStyle(part).borderTopWidth)"
        )
        assert edges, part
        assert set(edges) == {"1px"}, part


async def _open_every_row(page: Page) -> None:
    panel = page.locator("[data-slot=telemetry-panel]")
    await expect(panel.get_by_role("button", name=LONG_NAME).first).to_be_visible()
    closed = panel.get_by_role("list", name="Steps").get_by_role("button", expanded=False)
    while await closed.count():
        await closed.first.click()
    await expect(panel.get_by_role("group", name=f"Result of {LONG_NAME}")).to_be_visible()
