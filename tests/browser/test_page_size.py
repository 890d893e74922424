"""What a browser has to fetch before the page can be used is small."""

import re
from pathlib import Path

from tests.browser.conftest import PAGE
from tests.browser.figures import record_size

SCRIPT_BYTES = 200_000
STYLE_BYTES = 50_000


def test_the_scripts_that_the_page_begins_with_are_small_enough() -> None:
    addresses = _addresses("script", "src") + _addresses('link rel="modulepreload"', "href")
    assert addresses
    size = sum(_compressed(address).stat().st_size for address in addresses)
    record_size("scripts that the page begins with, compressed", size, SCRIPT_BYTES)
    assert size <= SCRIPT_BYTES


def test_the_style_sheet_is_small_enough() -> None:
    addresses = _addresses('link rel="stylesheet"', "href")
    assert addresses
    size = sum(_file(address).stat().st_size for address in addresses)
    record_size("style sheet", size, STYLE_BYTES)
    assert size < STYLE_BYTES


def _addresses(tag: str, attribute: str) -> list[str]:
    return re.findall(rf'<{tag}[^>]* {attribute}="([^"]+)"', PAGE.read_text())


def _file(address: str) -> Path:
    return PAGE.parent / address.lstrip("/")


def _compressed(address: str) -> Path:
    file = _file(address)
    return file.with_name(f"{file.name}.gz")
