"""What of a log line is written: where and of which type, never what was said."""

import asyncio
import io
import json
import logging
import subprocess
import sys
from collections.abc import Iterator

import pytest

from shared.log_content import MOST_CAUSES, describe_error, keep_content_back

MARK = "said by somebody"
LIBRARY = "/somewhere/site-packages/library/client.py"


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What the logger `shared.test` writes."""
    text = io.StringIO()
    handler = logging.StreamHandler(text)
    handler.addFilter(keep_content_back)
    logger = logging.getLogger("shared.test")
    logger.addHandler(handler)
    yield text
    logger.removeHandler(handler)


def message(name: str, text: str, *values: object, path: str = LIBRARY) -> str:
    """What is written of one line of a logger in this file."""
    record = logging.LogRecord(name, logging.WARNING, path, 7, text, values, None)
    assert keep_content_back(record)
    return record.getMessage()


def raise_all() -> None:
    """An exception of which every part quotes something."""
    try:
        try:
            raise KeyError(MARK)
        except KeyError as error:
            error.add_note(MARK)
            raise ValueError(MARK) from error
    except ValueError as error:
        raise ExceptionGroup(MARK, [error, FileNotFoundError(2, MARK, MARK)]) from None


def test_a_traceback_keeps_places_and_types_and_loses_texts(written: io.StringIO) -> None:
    """Those of causes, notes and the members of groups too."""
    try:
        raise_all()
    except ExceptionGroup:
        logging.getLogger("shared.test").exception("it failed: %s", "for once")
    assert MARK not in written.getvalue()
    lines = written.getvalue().splitlines()
    assert lines[0] == "it failed: for once"
    assert [line for line in lines if line.startswith("builtins.")] == [
        "builtins.KeyError",
        "builtins.ValueError",
        "builtins.FileNotFoundError",
        "builtins.ExceptionGroup",
    ]
    assert any("in raise_all" in line for line in lines)


def test_causes_in_a_circle_are_told_once_and_no_more() -> None:
    one, other = ValueError(MARK), KeyError(MARK)
    one.__cause__, other.__cause__ = other, one
    lines = describe_error(one)
    assert len([line for line in lines if line.startswith("builtins.")]) == MOST_CAUSES + 1


def test_of_a_library_s_line_the_template_is_written_or_its_place() -> None:
    """A text without values may have been put together before."""
    assert message("openai", "Request: %s", MARK) == "Request: %s (values withheld)"
    assert message("fastmcp.server", f"calling {MARK}") == "line 7 of client.py (text withheld)"
    assert message("mcp.client.session", f"bad {MARK}", path=LIBRARY.replace("site", "dist")) == (
        "line 7 of client.py (text withheld)"
    )


@pytest.mark.parametrize("name", ["gateway.app", "agent_worker", "shared.x", "uvicorn.error"])
def test_our_own_lines_and_those_about_connections_are_written_as_they_are(name: str) -> None:
    """Also where we are installed like a library; and an agent's own, from a file of its own."""
    assert message(name, "port %d", 8000) == "port 8000"
    assert message("my_agent", "port %d", 8000, path="/home/me/agent.py") == "port 8000"
    assert message(f"{name.split('.')[0]}x", "%s", MARK) == "%s (values withheld)"


def test_what_redis_quotes_of_a_command_that_it_does_not_know_is_cut_off() -> None:
    error = f"ERR unknown command 'XADD', with args beginning with: 'turns' '{MARK}'"
    assert message("shared.x", "Redis refused: %s", error) == (
        "Redis refused: ERR unknown command 'XADD'"
    )


async def test_a_task_whose_exception_nobody_took_is_told_without_it() -> None:
    """asyncio's own text shows the task, and in it what the exception says."""

    async def fail() -> None:
        raise ValueError(MARK)

    task = asyncio.create_task(fail())
    await asyncio.wait([task])
    text = f"Task exception was never retrieved\nfuture: {task!r}"
    assert MARK in text
    assert message("asyncio", text, path="/usr/lib/python3/asyncio/base_events.py") == (
        "Task exception was never retrieved"
    )
    task.exception()


SCRIPT = f"""
import logging, sys, threading, warnings
from shared.logs import configure_logging

def fail(*_):
    raise ValueError("{MARK}"[:])

configure_logging(sys.argv[1], sys.argv[2])
warnings.warn("{MARK}"[:])
thread = threading.Thread(target=fail)
thread.start()
thread.join()
class Odd:
    __del__ = fail
Odd()
try:
    fail()
except ValueError:
    logging.getLogger("shared.x").exception("logged")
fail()
"""


def run(level: str, form: str, content: str) -> list[str]:
    """What a process writes in which everything goes wrong."""
    environment = {"TELEMETRY_CONTENT": content, "PYTHONPATH": "."}
    command = [sys.executable, "-c", SCRIPT, level, form]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 1
    return done.stderr.splitlines()


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize(("level", "content"), [("INFO", "full"), ("DEBUG", "structure")])
def test_what_python_itself_says_is_told_without_texts(form: str, level: str, content: str) -> None:
    """Warnings, and exceptions that nobody has caught: in a thread, in `__del__`, at the end."""
    lines = run(level, form, content)
    assert not [line for line in lines if MARK in line]
    assert len([line for line in lines if "nobody has caught ValueError" in line]) == 3
    assert [line for line in lines if "UserWarning (text withheld)" in line]
    if form == "json":
        (logged,) = [line for line in lines if '"logged"' in line]
        assert json.loads(logged)["exception"].endswith("builtins.ValueError")


@pytest.mark.parametrize("form", ["text", "json"])
def test_who_debugs_where_all_content_may_be_told_gets_the_texts(form: str) -> None:
    lines = run("DEBUG", form, "full")
    assert [line for line in lines if f"ValueError: {MARK}" in line]


class Unspeakable:
    def __str__(self) -> str:
        raise RuntimeError(MARK)


@pytest.mark.parametrize(
    ("template", "values"),
    [("found %d records", (MARK,)), ("%s and %s", (MARK,)), ("%s", (Unspeakable(),))],
    ids=["of another type", "too few", "that fails"],
)
def test_a_line_whose_values_do_not_fit_is_told_by_its_place(
    template: str, values: tuple[object, ...]
) -> None:
    """And fails nobody: a tool that logs it has done its work."""
    record = logging.LogRecord(
        "my_agent", logging.INFO, "/a/my_agent.py", 7, template, values, None
    )
    assert keep_content_back(record)
    assert record.getMessage().startswith("line 7 of my_agent.py")
    assert MARK not in record.getMessage()


@pytest.mark.parametrize(
    "text",
    [
        f"Exception in callback functools.partial(<function f>, '{MARK}')",
        f"Exception in callback f('{MARK}')",
        f"Executing <Task exception=ValueError('{MARK}')> took 1.0 seconds",
    ],
)
def test_of_what_asyncio_says_only_the_beginning_is_told(text: str) -> None:
    record = logging.LogRecord("asyncio", logging.ERROR, "events.py", 1, text, (), None)
    assert keep_content_back(record)
    assert record.getMessage().strip() in (
        "Exception in callback f",
        "Exception in callback",
        "Executing",
    )
