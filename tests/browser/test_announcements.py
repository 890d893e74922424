"""What a screen reader is told: each reply once, failures at once, and nothing of the past."""

from typing import TypedDict

from playwright.async_api import Page, expect

from tests.browser.browsing import Browsing
from tests.browser.chat_page import ChatPage
from tests.browser.scenes import (
    ANSWER,
    LAST_WORDS,
    QUESTION,
    tell_end,
    tell_failure,
    tell_streaming,
    tell_tool_running,
    tell_whole,
)
from tests.browser.stage import Stage
from tests.support.eventually import eventually

LISTEN = """() => {
    const live = '[aria-live=polite], [aria-live=assertive], [role=status], [role=alert]';
    window.heard = [];
    const hear = node => {
        const element = node instanceof Element ? node : node.parentElement;
        const region = element?.closest(live) ?? null;
        const inside = element?.querySelectorAll?.(live) ?? [];
        for (const place of region === null ? inside : [region]) {
            const text = (region === null ? place : node).textContent.trim();
            if (text === '') continue;
            const urgent = place.matches('[role=alert], [aria-live=assertive]');
            const name = place.getAttribute('data-announcer') ?? (urgent ? 'alert' : 'other');
            window.heard.push({region: name, text});
        }
    };
    new MutationObserver(changes => {
        for (const change of changes) {
            if (change.type === 'characterData') hear(change.target);
            else for (const node of change.addedNodes) hear(node);
        }
    }).observe(document, {subtree: true, childList: true, characterData: true});
}"""
"""Notes every text that appears in a live region, as a screen reader would be given it."""


class Heard(TypedDict):
    """Something that was said: in which region, and what."""

    region: str
    text: str


async def test_a_streamed_reply_is_announced_once_and_whole(
    browsing: Browsing, stage: Stage
) -> None:
    session = stage.session()
    page = await _open_listening(browsing, session.address)
    turn_id = await tell_streaming(session)
    for piece in (ANSWER[200:300], ANSWER[300:400], ANSWER[400:]):
        await session.tell(session.piece("t2", piece))
    await tell_tool_running(session)

    async def the_last_note() -> bool:
        return (await _heard(page, "note"))[-1:] == ["Running read_lab_results"]

    await eventually(the_last_note, "every step has been announced")
    await tell_end(session)
    (reply,) = await _until_heard(page, "reply")
    assert reply.startswith("I look for the diagnosis first.")
    assert (await _heard(page, "note"))[0] == "Assistant is responding"
    # A message that comes after it is shown, and so is whatever might have been said twice.
    await session.ask(f"Thank you for {turn_id}")
    await expect(page.get_by_text(f"Thank you for {turn_id}").first).to_be_visible()
    assert await _heard(page, "reply") == [reply]
    assert await _heard(page, "alert") == []


async def test_nothing_is_announced_of_what_was_there_when_the_page_was_loaded(
    browsing: Browsing, stage: Stage
) -> None:
    session = stage.session()
    await tell_whole(session)
    await tell_failure(session)
    page = await _open_listening(browsing, session.address)
    await expect(page.get_by_text(LAST_WORDS)).to_be_visible()
    await expect(page.get_by_role("button", name="Retry", exact=True)).to_be_visible()
    # The reload may cut off what the idle page fetches ahead.
    browsing.allow(r"^request GET http\S+/assets/\S+: net::ERR_ABORTED")
    await page.reload()
    await expect(page.get_by_text(LAST_WORDS)).to_be_visible()
    # Announcements come one after the other: whatever waited would be heard before this one.
    turn_id = await session.ask(QUESTION)
    await session.begin(turn_id)
    assert await _until_heard(page, "note") == ["Assistant is responding"]
    for region in ("reply", "alert"):
        assert await _heard(page, region) == []


async def test_a_failure_is_an_alert_once(browsing: Browsing, stage: Stage) -> None:
    session = stage.session()
    page = await _open_listening(browsing, session.address)
    await tell_failure(session)
    await expect(page.get_by_role("button", name="Retry", exact=True)).to_be_visible()
    (alert,) = await _until_heard(page, "alert")
    assert "The model could not be reached." in alert
    notes = len(await _heard(page, "note"))
    turn_id = await session.ask(QUESTION)
    await session.begin(turn_id)

    async def has_moved_on() -> bool:
        return (await _heard(page, "note"))[notes:] == ["Assistant is responding"]

    await eventually(has_moved_on, "the next turn is announced")
    assert await _heard(page, "alert") == [alert]
    assert await _heard(page, "reply") == []


async def _open_listening(browsing: Browsing, address: str) -> Page:
    context = await browsing.context()
    await context.add_init_script(f"({LISTEN})()")
    page = await browsing.open(address, context)
    await ChatPage(page).until_connected()
    return page


async def _until_heard(page: Page, region: str) -> list[str]:
    async def something() -> list[str]:
        return await _heard(page, region)

    return await eventually(something, f"something is said as {region}")


async def _heard(page: Page, region: str) -> list[str]:
    heard: list[Heard] = await page.evaluate("() => window.heard")
    return [said["text"] for said in heard if said["region"] == region]
