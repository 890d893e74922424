"""Everything can be done without a pointer, and one always sees where one is."""

import re

from playwright.async_api import Page, expect

from tests.browser.browsing import Browsing
from tests.browser.chat_page import ChatPage
from tests.browser.focus import Focus, read_focus, read_reachable, walk_by_tab
from tests.browser.scenes import tell_beginning, tell_whole
from tests.browser.stage import Stage, ToldSession
from tests.support.eventually import eventually

SKIP = "Skip to the message field"


async def test_tab_reaches_everything_in_the_order_of_the_page_and_each_stop_is_seen(
    browsing: Browsing, stage: Stage
) -> None:
    page = await _open_whole(browsing, stage)
    await expect(page.get_by_role("textbox", name="Message")).to_be_focused()
    stops = await _walk_from_the_top(page)
    assert [stop["name"] for stop in stops] == await read_reachable(page)
    assert [stop["name"] for stop in stops if not (stop["isMarked"] and stop["isInWindow"])] == []
    assert stops[0]["name"] == SKIP
    parts = [stop["part"] for stop in stops[1:]]
    assert list(dict.fromkeys(parts)) == ["header", "Messages", "form", "Telemetry"]
    assert parts == sorted(parts, key=["header", "Messages", "form", "Telemetry"].index)


async def test_the_skip_link_leads_to_the_message_field(browsing: Browsing, stage: Stage) -> None:
    page = await _open_whole(browsing, stage)
    await _focus_skip_link(page)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("textbox", name="Message")).to_be_focused()


async def test_a_message_is_sent_and_its_reply_stopped_by_keys_and_the_focus_stays(
    browsing: Browsing, stage: Stage
) -> None:
    session = stage.session()
    page = await browsing.open(session.address)
    chat = ChatPage(page)
    await chat.until_connected()
    await page.keyboard.type("One line")
    await page.keyboard.press("Shift+Enter")
    await page.keyboard.type("and another")
    await page.keyboard.press("Enter")
    await expect(chat.questions.last).to_contain_text("One line\nand another")
    await expect(chat.message_field).to_be_focused()
    button = page.get_by_role("button", name="Stop", exact=True)
    await expect(button).to_be_visible()  # there is a turn to stop as soon as its message is echoed
    await page.keyboard.press("Escape")
    await expect(chat.log.get_by_text("Stopped", exact=True)).to_be_visible()
    await tell_beginning(session)
    await page.keyboard.press("Tab")
    await expect(button).to_be_focused()
    await page.keyboard.press("Enter")
    await eventually(session.is_asked_to_stop, "the turn is asked to stop")
    await session.finish("cancelled")
    await expect(page.get_by_role("button", name="Send", exact=True)).to_be_focused()


async def test_a_row_is_opened_and_leads_into_the_conversation_by_keys(
    browsing: Browsing, stage: Stage
) -> None:
    page = await _open_whole(browsing, stage)
    panel = page.get_by_role("complementary", name="Telemetry")
    row = panel.get_by_role("button", name=re.compile("search_conditions"))
    await row.focus()
    await page.keyboard.press("Enter")
    await expect(row).to_have_attribute("aria-expanded", "true")
    await expect(panel.get_by_role("group", name="Result of search_conditions")).to_be_visible()
    await panel.get_by_role("button", name="Show in conversation").last.focus()
    await page.keyboard.press("Enter")
    step = page.get_by_role("log").get_by_role("button", name=re.compile("^search_conditions"))
    await expect(step).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(panel.get_by_text("Showing one turn")).to_be_visible()


async def test_dialogs_keep_the_focus_and_give_it_back_where_it_was(
    browsing: Browsing, stage: Stage
) -> None:
    page = await _open_whole(browsing, stage)
    for name in ("Sessions", "Help and settings"):
        opener = page.get_by_role("button", name=name, exact=True)
        await opener.focus()
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("dialog", name=name)).to_be_visible()
        stops = await walk_by_tab(page)
        assert {stop["dialog"] for stop in stops} == {name}
        assert [stop["name"] for stop in stops if not stop["isMarked"]] == []
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("dialog")).to_have_count(0)
        await expect(opener).to_be_focused()


async def test_a_session_is_renamed_and_deleted_by_keys(browsing: Browsing, stage: Stage) -> None:
    page = await _open_whole(browsing, stage)
    await page.get_by_role("log").focus()
    await page.keyboard.press("s")
    sessions = page.get_by_role("dialog", name="Sessions")
    actions = sessions.get_by_role("button", name=re.compile("^Actions for"))
    rename = page.get_by_role("menuitem", name="Rename")
    await actions.focus()
    await page.keyboard.press("Enter")
    await expect(rename).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(sessions.get_by_role("textbox", name="Name")).to_be_focused()
    await page.keyboard.type("My patients")
    await page.keyboard.press("Enter")
    await expect(sessions.get_by_role("link", name=re.compile("^My patients"))).to_be_visible()
    await expect(actions).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(rename).to_be_focused()
    await page.keyboard.press("End")
    await expect(page.get_by_role("menuitem", name="Delete")).to_be_focused()
    await page.keyboard.press("Enter")
    confirmation = page.get_by_role("dialog", name="Delete this session?")
    await expect(confirmation.get_by_role("button", name="Keep it")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(confirmation).to_have_count(0)
    await expect(actions).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("log")).to_be_focused()


async def test_shortcuts_of_one_key_are_only_text_in_a_field_and_can_be_switched_off(
    browsing: Browsing, stage: Stage
) -> None:
    page = await _open_whole(browsing, stage)
    address, log = page.url, page.get_by_role("log")
    await page.keyboard.type("?/nst")
    await expect(page.get_by_role("textbox", name="Message")).to_have_value("?/nst")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await log.focus()
    await page.keyboard.press("/")
    await expect(page.get_by_role("textbox", name="Message")).to_be_focused()
    await log.focus()
    await page.keyboard.press("t")
    await expect(page.get_by_role("complementary", name="Telemetry")).to_be_hidden()
    await page.keyboard.press("t")
    await expect(page.get_by_role("complementary", name="Telemetry")).to_be_visible()
    await page.keyboard.press("?")
    await page.get_by_role("checkbox", name="Shortcuts of a single key").focus()
    await page.keyboard.press("Space")
    await page.keyboard.press("Escape")
    await expect(log).to_be_focused()
    await page.keyboard.type("?nst/")
    await expect(page.get_by_role("complementary", name="Telemetry")).to_be_visible()
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(log).to_be_focused()
    assert page.url == address


async def _open_whole(browsing: Browsing, stage: Stage) -> Page:
    session: ToldSession = stage.session(seconds_ago=8)
    await tell_whole(session)
    page = await browsing.open(session.address)
    await ChatPage(page).until_over()
    return page


async def _focus_skip_link(page: Page) -> None:
    """Backwards from the field, as far as it goes."""
    while (focus := await read_focus(page)) is None or focus["name"] != SKIP:
        await page.keyboard.press("Shift+Tab")


async def _walk_from_the_top(page: Page) -> list[Focus]:
    await _focus_skip_link(page)
    await page.keyboard.press("Shift+Tab")
    return await walk_by_tab(page)
