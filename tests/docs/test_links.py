"""Links, files and folders that our pages name: all are there."""

import re
from pathlib import Path

import pytest

from tests.docs.blocks import all_pages
from tests.docs.markdown import ROOT, headings_of, read_page, without_code

PAGES = all_pages()
WIDEST = 120
LINK = re.compile(r"\]\(([^)\s]+)\)")
ELSEWHERE = re.compile(r"https?://|mailto:")
PATH = re.compile(r"`([\w.-]+(?:/[\w.*-]+)*/?)`")
FOLDERS = {
    "agent_worker", "benchmarks", "clients", "deploy", "dev", "docs", "examples", "frontend",
    "gateway", "shared", "tests",
}  # fmt: skip
BUILT = {"frontend/dist", "frontend/build/session.js"}
"""Not there in a fresh clone."""


def anchors_of(page: Path) -> set[str]:
    """What can come after `#` in a link to the page, as GitHub makes it of a heading."""
    found: set[str] = set()
    for heading in headings_of(page.read_text()):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")
        number = 0
        while (anchor := f"{slug}-{number}" if number else slug) in found:
            number += 1
        found.add(anchor)
    return found


def names_of(line: str) -> list[str]:
    """What the line names as a file or folder, by its look."""
    return [name for name in PATH.findall(line) if "/" in name]


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page: str) -> None:
    """To a file or folder of ours and, after `#`, to a heading that it has."""
    for link in LINK.findall(without_code(read_page(page))):
        if ELSEWHERE.match(link):
            continue
        path, _, anchor = link.partition("#")
        target = (ROOT / page).parent / path if path else ROOT / page
        assert target.exists(), f"{page}: {link}"
        if anchor:
            assert anchor in anchors_of(target), f"{page}: {link}"


@pytest.mark.parametrize("page", PAGES)
def test_every_file_that_the_page_names_from_the_root_is_there(page: str) -> None:
    for name in names_of(without_code(read_page(page))):
        if name.split("/")[0] in FOLDERS and name not in BUILT:
            assert list(ROOT.glob(name.rstrip("/"))), f"{page}: {name}"


def test_every_folder_that_the_readme_names_is_there() -> None:
    """From the root, or in the folder that the same line begins with."""
    for line in read_page("README.md").splitlines():
        names = names_of(line)
        for name in names:
            assert (ROOT / name).exists() or (ROOT / names[0] / name).exists(), name


def test_every_page_of_docs_is_in_the_table_of_the_readme() -> None:
    linked = set(LINK.findall(read_page("README.md")))
    assert {page for page in PAGES if page.startswith("docs/")} <= linked


@pytest.mark.parametrize("page", PAGES)
def test_no_line_of_the_page_is_too_long_to_be_read(page: str) -> None:
    lines = read_page(page).splitlines()
    assert [line for line in lines if len(line) > WIDEST or line != line.rstrip()] == []
