"""Every code block of every page: run, or output, or marked on its page as not run."""

import re

import pytest

from tests.docs.blocks import (
    MARK,
    OUTPUT,
    PYTHON,
    SHELL,
    all_pages,
    blocks_of,
    commands_of,
    describe_fates,
    fate_of,
    read_blocks,
)
from tests.docs.markdown import ROOT, read_page
from tests.docs.scripts import SCRIPTS
from tests.docs.steps import Step

PAGES = all_pages()
MOST_WORDS = 12

PAGE = """
Text.

```sh
# a remark
one --option \\
  and more
two | while read -r line; do
  echo "$line"; done

three  # why
```

*Not run in tests: needs a licence.*

```sh
four
```

```python
# five.py
5
```

```text
six
```
"""


def test_the_pages_are_those_of_the_whole_project() -> None:
    assert {"README.md", "docs/protocol.md", "clients/python/README.md"} <= set(PAGES)
    assert not [page for page in PAGES if "node_modules" in page]


def test_a_page_is_read_as_its_reader_understands_it() -> None:
    one, two, three, four = read_blocks("page.md", PAGE)
    assert commands_of(one) == [
        "one --option \\\n  and more",
        'two | while read -r line; do\n  echo "$line"; done',
        "three  # why",
    ]
    assert (two.reason, commands_of(two)) == ("needs a licence", [])
    assert (three.file, three.reason, commands_of(three)) == ("five.py", "", [])
    assert (four.is_output, commands_of(four)) == (True, [])


def test_a_block_without_an_end_is_an_error() -> None:
    with pytest.raises(AssertionError, match=r"page\.md:2"):
        list(read_blocks("page.md", "\n```sh\none\n"))


@pytest.mark.parametrize("page", PAGES)
def test_every_command_of_the_page_has_a_step_that_runs_it(page: str) -> None:
    """In its order; and no step is without a command."""
    printed = [command for block in blocks_of(page) for command in commands_of(block)]
    steps = [step.command for step in SCRIPTS.get(page, ())]
    for command, step in zip(printed, steps, strict=False):
        assert command.startswith(step), page
    assert len(printed) == len(steps), (printed[len(steps) :], steps[len(printed) :])


@pytest.mark.parametrize("page", PAGES)
def test_every_block_of_the_page_says_what_it_is(page: str) -> None:
    """Its language; and of what is not run the reason, in a few words."""
    fences = re.findall(r"^ *(?:```|~~~)", read_page(page), re.MULTILINE)
    assert len(fences) == 2 * len(blocks_of(page)), "a block that is indented is not found"
    for block in blocks_of(page):
        assert block.file or block.reason or block.language in OUTPUT | {SHELL, PYTHON}, block.place
        assert len(block.reason.split()) <= MOST_WORDS, block.place
        assert not (block.reason and block.is_output), f"{block.place}: nobody would run it"


@pytest.mark.parametrize("page", PAGES)
def test_every_mark_of_the_page_is_above_a_block(page: str) -> None:
    marks = [line for line in read_page(page).splitlines() if MARK.match(line)]
    assert len(marks) == len([block for block in blocks_of(page) if block.reason])


@pytest.mark.parametrize("page", PAGES)
def test_every_file_that_the_page_has_written_is_used_there(page: str) -> None:
    """By a command that is run."""
    commands = " ".join(command for block in blocks_of(page) for command in commands_of(block))
    for block in blocks_of(page):
        assert not block.file or block.reason or block.file in commands, block.place


def test_what_is_not_run_is_told_at_the_end() -> None:
    """By its place and its reason, beside how many were."""
    blocks = list(read_blocks("page.md", PAGE))
    fates = {block: fate for block in blocks if (fate := fate_of(block, [Step("")]))}
    marked = [block for block in blocks if block.reason]
    assert describe_fates(fates, marked) == [
        "1 blocks run, 1 files that they use, 0 run by tests of their own, 0 by make --dry-run;"
        " 1 not run, and marked so on their pages:",
        "  page.md:16: needs a licence",
    ]


def test_what_is_run_elsewhere_is_run_there() -> None:
    """By a test that names what the command is about."""
    for step in [step for script in SCRIPTS.values() for step in script if step.elsewhere]:
        words = re.findall(r"(?<=examples[/.])\w+|build:\w+", step.command)
        assert any(word in read_page(step.elsewhere) for word in words), step.command


def test_every_page_with_steps_is_there() -> None:
    assert [page for page in SCRIPTS if not (ROOT / page).is_file()] == []
