"""What a browser has to fetch before the page can be used is small."""

import re
from pathlib import Path

from tests.browser.conftest import PAGE
from tests.browser.figures import record_size

SCRIPT_BYTES = 200_000
STYLE_BYTES = 50_000


def test_the_scripts_that_the_page_begins_with_are_small_enough() -> None:
    """What index.html asks for. The telemetry panel comes apart, for a phone begins without it; on
    a wide screen it follows at once, so it is told beside the other."""
    addresses = _addresses("script", "src") + _addresses('link rel="modulepreload"', "href")
    assert addresses
    begins = _with_imports({PAGE.parent / address.lstrip("/") for address in addresses})
    size = _compressed_bytes(begins)
    record_size("scripts that the page begins with, compressed", size, SCRIPT_BYTES)
    panel = _with_imports(begins | set((PAGE.parent / "assets").glob("TelemetryPanel-*.js")))
    assert panel > begins
    record_size("the same and the telemetry panel", _compressed_bytes(panel), SCRIPT_BYTES)
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


def _with_imports(files: set[Path]) -> set[Path]:
    """The files, and what they import before they run."""
    imported = {
        file.with_name(name)
        for file in files
        for name in re.findall(r'(?:from|import)"\./([^"]+\.js)"', file.read_text())
    }
    return files if imported <= files else _with_imports(files | imported)


def _compressed_bytes(files: set[Path]) -> int:
    return sum(file.with_name(f"{file.name}.gz").stat().st_size for file in files)
