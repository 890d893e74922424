"""Reading our Markdown pages: sections, tables and code blocks, as the tests need them."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

Row = dict[str, str]


def read_page(name: str) -> str:
    return (ROOT / name).read_text()


def sections_of(page: str) -> dict[str, str]:
    """Text by heading, of whatever level; a heading's text ends where the next one begins."""
    pieces = re.split(r"^#+ (.+)$", _without_code_headings(page), flags=re.MULTILINE)
    return dict(zip(pieces[1::2], pieces[2::2], strict=True))


def headings_of(page: str) -> list[str]:
    """The headings of a page, of whatever level, in order."""
    return re.findall(r"^#+ (.+)$", _without_code_headings(page), flags=re.MULTILINE)


def without_code(page: str) -> str:
    """The page without its blocks of code."""
    return re.sub(r"^```.*?^```$", "", page, flags=re.MULTILINE | re.DOTALL)


def tables_of(text: str) -> list[list[Row]]:
    """Every table, as rows by column name."""
    tables: list[list[Row]] = []
    for block in re.findall(r"(?:^\|.*\|\n)+", text + "\n", flags=re.MULTILINE):
        head, _, *rows = [_cells(line) for line in block.splitlines()]
        tables.append([dict(zip(head, row, strict=True)) for row in rows])
    return tables


def code_of(text: str, language: str) -> list[str]:
    """The code blocks in `language`."""
    return [code for kind, code in _FENCE.findall(text) if kind == language]


def name_in(cell: str) -> str:
    """The name that a cell gives in backticks."""
    match = re.search(r"`([^`]+)`", cell)
    assert match is not None, f"no name in {cell!r}"
    return match[1]


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def _without_code_headings(page: str) -> str:
    """The page with the `#` that begin lines of code made harmless."""
    return _FENCE.sub(lambda match: re.sub(r"^#", " #", match[0], flags=re.MULTILINE), page)
