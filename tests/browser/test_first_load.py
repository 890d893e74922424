"""The page opens, at `/` and at a session's address, and says nothing on the console."""

import re

import pytest
from playwright.async_api import expect

from tests.browser.axe import run_axe
from tests.browser.browsing import Browsing, page_address
from tests.browser.lighthouse import run_lighthouse
from tests.support.deployment import Deployment


@pytest.mark.parametrize("session_id", ["", "first-load"])
async def test_the_page_opens_with_its_title_and_one_heading(
    browsing: Browsing, system: Deployment, session_id: str
) -> None:
    page = await browsing.open(page_address(system.processes[0], session_id))
    await expect(page).to_have_title("Fanline - FHIR assistant")
    await expect(page.locator("h1")).to_have_count(1)
    await expect(page).to_have_url(re.compile(rf"/s/{session_id or '[0-9a-f-]{36}'}$"))


async def test_axe_and_lighthouse_find_nothing_wrong_with_an_empty_conversation(
    browsing: Browsing, system: Deployment
) -> None:
    address = page_address(system.processes[0], "first-load")
    page = await browsing.open(address)
    await expect(page.locator("h1")).to_be_visible()
    report = await run_axe(page)
    assert report.violations == []
    lighthouse = await run_lighthouse(address)
    assert (lighthouse.score, lighthouse.failed) == (1, [])
