"""A page that nobody touches asks for nothing: it is told."""

from playwright.async_api import Page, Request, expect

from tests.browser.browsing import Browsing
from tests.browser.chat_page import ChatPage
from tests.browser.scenes import LAST_WORDS, tell_end, tell_running, tell_whole
from tests.browser.stage import Stage
from tests.support.eventually import eventually

COUNT_INTERVALS = """(() => {
    window.intervals = new Set();
    const {setInterval: begin, clearInterval: end} = window;
    window.setInterval = (...given) => {
        const id = begin(...given);
        window.intervals.add(id);
        return id;
    };
    window.clearInterval = id => { window.intervals.delete(id); end(id); };
})()"""
BETWEEN_HEARTBEATS_MS = 25_000
"""Of the page's clock. Heartbeats come by the real one, and a page that misses two reconnects."""


async def test_a_page_makes_no_request_while_minutes_pass(browsing: Browsing, stage: Stage) -> None:
    session = stage.session()
    await tell_whole(session)
    context = await browsing.context()
    page = await context.new_page()
    await page.clock.install()
    await page.goto(session.address)
    await expect(page.get_by_text(LAST_WORDS)).to_be_visible()
    await page.wait_for_load_state("networkidle")
    requested: list[str] = []

    def note(request: Request) -> None:
        requested.append(request.url)

    context.on("request", note)
    for number in range(5):
        await page.clock.run_for(BETWEEN_HEARTBEATS_MS)
        # Something is heard, which the page has not asked for.
        turn_id = await session.ask(f"Question {number}")
        await session.begin(turn_id)
        await session.tell(session.whole(f"n{number}", f"Answer {number}"))
        await session.finish()
        await expect(page.get_by_role("log").get_by_text(f"Answer {number}")).to_be_visible()
    assert requested == []
    assert await ChatPage(page).reconnects() == 0


async def test_no_timer_is_left_running_when_nothing_runs(browsing: Browsing, stage: Stage) -> None:
    session = stage.session(seconds_ago=4)
    await tell_running(session)
    context = await browsing.context()
    await context.add_init_script(COUNT_INTERVALS)
    page = await browsing.open(session.address, context)
    await expect(page.locator("[data-bar=growing]").first).to_be_visible()
    assert await _count_intervals(page) > 0
    await tell_end(session)

    async def is_quiet() -> bool:
        return await _count_intervals(page) == 0

    await eventually(is_quiet, "no interval is left")


async def _count_intervals(page: Page) -> int:
    return await page.evaluate("() => window.intervals.size")
