"""What the processes log: one line for each turn and each connection, as text or as JSON."""

import json
import re
import subprocess
import sys
from collections.abc import AsyncGenerator

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from dev.embedded_redis import EmbeddedRedis
from tests.gateway.raw_tab import a_session, connected
from tests.support.chat import Chat
from tests.support.deployment import ROOT, Deployment, deploy
from tests.support.eventually import eventually
from tests.support.stub_model import Reply, StubModel

Values = dict[str, str]
TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.fixture(scope="module", params=["text", "json"])
async def logging_in(
    request: pytest.FixtureRequest,
    redis_server: EmbeddedRedis,
    stub: StubModel,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncGenerator[Deployment, None]:
    """A gateway and a worker that log in this form."""
    settings = stub.environment() | {"LINGER_SECONDS": "0.1", "LOG_FORMAT": str(request.param)}
    async with deploy(redis_server, tmp_path_factory.mktemp("logs"), **settings) as own:
        await own.start_gateway()
        await own.start_worker()
        yield own
        await own.check_nothing_is_left()


def told(deployment: Deployment, event: str, session_id: str) -> list[Values]:
    """The values of the lines about such events of this session, in both processes, as JSON writes
    them."""
    found: list[Values] = []
    for line in "".join(process.log() for process in deployment.processes).splitlines():
        if deployment.environment["LOG_FORMAT"] == "json":
            fields = json.loads(line)  # every line is JSON
            if fields.pop("message") == event:
                values = {k: v if isinstance(v, str) else json.dumps(v) for k, v in fields.items()}
                assert re.fullmatch(r"[\d-]{10}T[\d:.]{12}Z", values.pop("time"))
                assert values.pop("level") == "INFO"
                values.pop("logger")
                found.append(values)
        elif (match := re.search(rf" INFO \S+: {event} (\w+=.*)", line)) is not None:
            found.append(dict(pair.split("=") for pair in match[1].split(" ")))
    return [values for values in found if values["session"] == session_id[:8]]


async def the_line(deployment: Deployment, event: str, session_id: str) -> Values:
    """The one line about such an event."""
    (line,) = await eventually(lambda: told(deployment, event, session_id), "it is logged")
    return line


async def test_a_turn_s_line_says_what_its_last_frame_says(
    logging_in: Deployment, stub: StubModel
) -> None:
    """And when its first text came; nothing of what was asked and answered."""
    chat = Chat(logging_in, stub)
    stub.script(chat.session_id, Reply(["ANSWER-MARK", " and more"], usage=(31, 8)))
    async with chat.tab() as tab:
        await tab.ask(f"{chat.session_id} QUESTION-MARK")
    finished = tab.events[-1]
    line = await the_line(logging_in, "turn", chat.session_id)
    assert int(line.pop("first_text_ms")) <= finished["duration_ms"]
    assert line == {
        "session": chat.session_id[:8],
        "turn": finished["turn_id"],
        "status": "completed",
        "attempt": "1",
        "duration_ms": str(finished["duration_ms"]),
        "prompt_tokens": "31",
        "completion_tokens": "8",
        "trace_id": finished["trace_id"],
    }
    log = "".join(process.log() for process in logging_in.processes)
    assert not [mark for mark in ("QUESTION-MARK", "ANSWER-MARK", chat.session_id) if mark in log]


async def test_a_failed_turn_s_line_names_the_code(logging_in: Deployment, stub: StubModel) -> None:
    chat = Chat(logging_in, stub)
    stub.script(chat.session_id, Reply(["No."], finish_reason="content_filter"))
    async with chat.tab() as tab:
        await tab.ask(chat.session_id)
    line = await the_line(logging_in, "turn", chat.session_id)
    assert (line["status"], line["code"]) == ("failed", "model_error")


async def test_a_connection_s_line_is_written_at_its_end(logging_in: Deployment) -> None:
    """With what it was given and how it was closed. `resumed`: it came with a cursor, which was
    honoured."""
    gateway, session_id = logging_in.processes[0], a_session()
    async with connected(gateway, session_id) as tab:
        said = await tab.is_usable()
        frames = len(tab.frames)
        assert told(logging_in, "connection", session_id) == []
    line = await the_line(logging_in, "connection", session_id)
    assert float(line.pop("seconds")) >= 0
    assert int(line.pop("frames")) >= frames
    assert line == {"session": session_id[:8], "code": "1000", "resumed": "false"}

    async with connected(gateway, session_id, last_event_id=said["id"]):
        pass

    def both() -> list[Values]:
        lines = told(logging_in, "connection", session_id)
        return lines if len(lines) == 2 else []

    _, second = await eventually(both, "the second is logged, too")
    assert second["resumed"] == "true"


async def test_the_code_of_a_close_is_told_whoever_closed(logging_in: Deployment) -> None:
    gateway, session_id = await logging_in.start_gateway(), a_session()
    async with connected(gateway, session_id) as tab:
        gateway.terminate()
        assert (await tab.close_frame())[0] == 1012
    line = await the_line(logging_in, "connection", session_id)
    assert line["code"] == "1012"


async def test_a_connection_is_found_by_the_trace_of_whoever_opened_it(
    logging_in: Deployment,
) -> None:
    """A script may send its `traceparent`; what is none is passed over."""
    gateway = logging_in.processes[0]
    for header, expected in (
        (f"00-{TRACE_ID}-00f067aa0ba902b7-01", TRACE_ID),
        ("00-nonsense level=ERROR-1-1", None),
    ):
        session_id = a_session()
        url = f"{gateway.url}?session_id={session_id}"
        async with connect(url, additional_headers={"traceparent": header}, proxy=None):
            pass
        line = await the_line(logging_in, "connection", session_id)
        assert line.get("trace_id") == expected


async def test_a_refused_handshake_is_no_warning(logging_in: Deployment) -> None:
    """Whoever tries is counted (`fanline_refusals`), and fills no log."""
    gateway = logging_in.processes[0]
    before = gateway.log()
    for query in ("", "?session_id=no%20id"):
        with pytest.raises(InvalidStatus):
            async with connect(f"{gateway.url}{query}", proxy=None):
                pass
    async with connected(gateway, session_id := a_session()):
        pass
    await the_line(logging_in, "connection", session_id)  # the log has come so far
    new = gateway.log().removeprefix(before)
    assert not re.search(r"WARNING|ERROR|no%20id|no id", new), new


LIBRARIES = """
import logging
import warnings

import fastmcp

from shared.logs import configure_logging

configure_logging("INFO", "json")
logging.getLogger("fastmcp.client").warning("one of\\ntwo lines")
logging.getLogger("uvicorn.error").info("a connection")
warnings.warn("old")
try:
    1 / 0
except ZeroDivisionError:
    logging.getLogger("uvicorn.error").exception("an error")
"""


def test_what_libraries_say_has_the_same_form() -> None:
    """One line each, Python's own warnings and tracebacks too; what is one line a connection is
    left out."""
    ran = subprocess.run(
        [sys.executable, "-c", LIBRARIES], cwd=ROOT, capture_output=True, text=True, check=True
    )
    one, two, three = [json.loads(line) for line in ran.stderr.splitlines()]
    assert (one["logger"], one["message"]) == ("fastmcp.client", "one of\ntwo lines")
    assert (two["logger"], two["level"]) == ("py.warnings", "WARNING")
    assert (three["level"], three["message"]) == ("ERROR", "an error")
    assert "ZeroDivisionError" in three["exception"]
    assert ran.stdout == ""
