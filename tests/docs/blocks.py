"""The code blocks of our Markdown pages, and what becomes of each.

Output (`text`, `json`) is nobody's to run. Every other block is a file, when its first line is a
comment with a file's name; or it is run as it stands; or the line above it says why it is not:
`*Not run in tests: needs Docker.*`
"""

import os
import re
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from tests.docs.markdown import ROOT
from tests.docs.steps import Step

OUTPUT = {"text", "json"}
SHELL, PYTHON = "sh", "python"
NOT_OURS = (".", "node_modules", "var")
"""How folders begin whose pages are other people's, or of no commit."""
_OPENING = re.compile(r"^```(.*)$")
MARK = re.compile(r"^\*Not run in tests: (\S.*)\.\*$")
_FILE = re.compile(r"^# ([\w-]+\.\w+)$")


@dataclass(frozen=True)
class Block:
    """One fenced block."""

    page: str
    line: int
    """Of its first fence."""
    language: str
    text: str
    reason: str
    """Why it is not run, as its page says; empty where it says nothing."""

    @property
    def is_output(self) -> bool:
        return self.language in OUTPUT

    @property
    def file(self) -> str:
        """The name of the file that this block is; empty when it is to be run itself."""
        match = _FILE.match(self.text.partition("\n")[0])
        return match[1] if match and self.language != SHELL else ""

    @property
    def place(self) -> str:
        return f"{self.page}:{self.line}"


FATES = pytest.StashKey[dict[Block, str]]()
"""Of each block that the test of its page came to, as `fate_of` has it."""
RUN, ELSEWHERE, DRY, WRITTEN = "run", "elsewhere", "dry", "written"


def fate_of(block: Block, steps: Sequence[Step]) -> str:
    """What becomes of it, by the steps of its commands; empty: nothing. Pure."""
    if block.reason or block.is_output:
        return ""
    if block.file:
        return WRITTEN
    if all(step.elsewhere for step in steps):
        return ELSEWHERE
    return DRY if all(step.dry for step in steps) else RUN


def describe_fates(fates: Mapping[Block, str], marked: Sequence[Block]) -> list[str]:
    """For a person: what pages say and nobody tries is not hidden. Pure."""
    count = Counter(fates.values())
    return [
        f"{count[RUN]} blocks run, {count[WRITTEN]} files that they use, {count[ELSEWHERE]} run by"
        f" tests of their own, {count[DRY]} by make --dry-run;"
        f" {len(marked)} not run, and marked so on their pages:",
        *(f"  {block.place}: {block.reason}" for block in marked),
    ]


@cache
def all_pages() -> list[str]:
    """Every Markdown file of the project, by its path from the root."""
    found: list[str] = []
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [name for name in folders if not name.startswith(NOT_OURS)]
        pages = [Path(folder, name) for name in files if name.endswith(".md")]
        found += [str(page.relative_to(ROOT)) for page in pages]
    return sorted(found)


@cache
def blocks_of(page: str) -> list[Block]:
    """The blocks of a page, in order. Raises `AssertionError` for a block without an end."""
    return list(read_blocks(page, (ROOT / page).read_text()))


def read_blocks(page: str, text: str) -> Iterator[Block]:
    """As `blocks_of`, of this text. Pure."""
    lines = iter(enumerate(text.splitlines(), 1))
    above = ""
    """The last line that is not empty."""
    for number, line in lines:
        if (opening := _OPENING.match(line)) is not None:
            inside: list[str] = []
            for _, code in lines:
                if code == "```":
                    break
                inside.append(code)
            else:
                raise AssertionError(f"{page}:{number}: the block has no end")
            mark = MARK.match(above)
            reason = mark[1] if mark else ""
            yield Block(page, number, opening[1], "\n".join(inside) + "\n", reason)
        if line.strip():
            above = line


def commands_of(block: Block) -> list[str]:
    """What somebody who follows the page would run, one after the other: a whole program, or each
    command of a shell."""
    if block.reason or block.is_output or block.file:
        return []
    return _shell_commands(block) if block.language == SHELL else [block.text]


def _shell_commands(block: Block) -> list[str]:
    """Lines, put together where only several are a command."""
    commands: list[str] = []
    begun = ""
    for line in block.text.splitlines():
        begun += f"{line}\n"
        if re.fullmatch(r"(\s*(#.*)?\n)*", begun):
            begun = ""  # a remark
        elif not line.endswith("\\") and _is_whole(begun):
            commands.append(begun.strip())
            begun = ""
    assert not begun, f"{block.place}: no end of {begun!r}"
    return commands


def _is_whole(command: str) -> bool:
    """Whether a shell waits for more."""
    read = subprocess.run(["sh", "-n", "-c", command], stderr=subprocess.DEVNULL, check=False)
    return read.returncode == 0
