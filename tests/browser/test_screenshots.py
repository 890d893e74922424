"""The pictures of the README, made anew by every run: people look at them, not this test."""

from pathlib import Path
from typing import Literal

import pytest
from playwright.async_api import Page, expect

from tests.browser.browsing import Browsing
from tests.browser.chat_page import ChatPage
from tests.browser.conftest import EVIDENCE
from tests.browser.scenes import tell_running
from tests.browser.stage import Stage

FOLDER = EVIDENCE / "screenshots"
DESKTOP = (1280, 800)
PHONE = (390, 844)
PNG = b"\x89PNG"


@pytest.mark.parametrize(("name", "scheme"), [("desktop", "light"), ("dark", "dark")])
async def test_a_picture_of_an_answer_beside_a_waterfall_that_grows(
    browsing: Browsing, stage: Stage, name: str, scheme: Literal["light", "dark"]
) -> None:
    page = await _open_running(browsing, stage, DESKTOP, scheme)
    await expect(page.locator("[data-bar=growing]").first).to_be_visible()
    check_picture(await _take_picture(page, name))


async def test_pictures_of_the_chat_and_of_the_telemetry_on_a_phone(
    browsing: Browsing, stage: Stage
) -> None:
    page = await _open_running(browsing, stage, PHONE, "light")
    check_picture(await _take_picture(page, "mobile"))
    await page.get_by_role("button", name="Telemetry", exact=True).click()
    await expect(page.locator("[data-bar=growing]").last).to_be_in_viewport()
    check_picture(await _take_picture(page, "mobile-telemetry"))


def check_picture(file: Path) -> None:
    assert file.read_bytes().startswith(PNG)


async def _open_running(
    browsing: Browsing, stage: Stage, size: tuple[int, int], scheme: Literal["light", "dark"]
) -> Page:
    """A turn whose third tool has been running for a second and a half."""
    session = stage.session(seconds_ago=4.8)
    await tell_running(session)
    context = await browsing.context(size=size, color_scheme=scheme, traced=False)
    page = await browsing.open(session.address, context)
    await ChatPage(page).until_connected()
    await expect(page.get_by_text("Reading: read_lab_results")).to_be_visible()
    await expect(page.get_by_role("log").get_by_role("table")).to_be_visible()
    await page.evaluate("() => document.fonts.ready")
    return page


async def _take_picture(page: Page, name: str) -> Path:
    FOLDER.mkdir(parents=True, exist_ok=True)
    file = FOLDER / f"{name}.png"
    await page.screenshot(path=file)
    return file
