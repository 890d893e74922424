"""An agent that lives outside the clone, with files and packages of its own, by `make run`."""

import asyncio
import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from unittest.mock import ANY

import httpx2 as httpx
import pytest
from fanline import Conversation, connect
from fanline.conversation import Turn

from dev.embedded_redis import free_port
from tests.examples import environments
from tests.support.deployment import ROOT
from tests.support.eventually import eventually
from tests.support.stub_model import Call, Reply, StubModel

FOLDER = ROOT / "examples" / "own_agent"
REQUIREMENTS = FOLDER / "requirements.txt"
READY_SECONDS = 120.0
"""The page may have to be built first."""
WAIT_SECONDS = 30.0
MOST_SECONDS = 240
TEN_LINES = '''\
from datetime import date
import holidays
from pydantic_ai import Agent

agent = Agent("test", instructions="Answer in one sentence.")

@agent.tool_plain
def is_open(day: date) -> str:
    """Whether we are open on a day."""
    return holidays.country_holidays("GB", subdiv="ENG").get(day, "open")
'''


class Run:
    """What `make run` has started."""

    def __init__(self, port: int, log_file: Path) -> None:
        self.port = port
        self._log_file = log_file

    def log(self) -> str:
        return self._log_file.read_text()

    async def ask(self, session_id: str, content: str) -> Turn:
        """The turn of this question, when it is over."""
        conversation = Conversation()
        url = f"ws://127.0.0.1:{self.port}/ws"
        async with asyncio.timeout(WAIT_SECONDS), connect(url, session_id) as session:
            turn_id = await session.send(content)
            async for event in session:
                conversation.apply(event)
                turn = conversation.turns.get(turn_id)
                if turn is not None and turn.status is not None:
                    return turn
        raise AssertionError("the session has ended")


@asynccontextmanager
async def make_run(
    environment: Path, folder: Path, agent: str, **settings: str
) -> AsyncGenerator[Run, None]:
    """`make run` with this agent and its requirements, until Ctrl-C."""
    port = free_port()
    log_file = folder / f"run-{port}.log"
    ours = {"AGENT": agent, "AGENT_REQUIREMENTS": str(REQUIREMENTS), "PORT": str(port)}
    with log_file.open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *("make", "run", f"VENV={environment}"),
            cwd=ROOT,
            env=os.environ | ours | settings,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    run = Run(port, log_file)

    def is_ready() -> bool:
        assert process.returncode is None, run.log()
        return "Fanline is ready." in run.log()

    try:
        await eventually(is_ready, "make run is ready", timeout=READY_SECONDS)
        yield run
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGINT)
        await process.wait()
    assert "Traceback" not in run.log(), run.log()
    assert " ERROR " not in run.log(), run.log()


@pytest.mark.timeout(MOST_SECONDS)
async def test_the_example_has_its_own_files_packages_and_dependencies(
    locked_environment: Path, tmp_path: Path, stub: StubModel
) -> None:
    """Its package is installed, its neighbour imported, and each turn's tools are given what was
    opened once: what one session has booked, another has not."""
    stub.script(
        "Christmas", Reply(calls=[Call("book", {"day": "2026-12-25"})]), Reply(["We are closed."])
    )
    stub.script(
        "the day before", Reply(calls=[Call("book", {"day": "2026-12-24"})]), Reply(["Yes"])
    )
    stub.script("when do I come", Reply(calls=[Call("list_bookings", {})]), Reply(["Then."]))
    settings = {"DESK_MODEL": "openai-chat:m-x", "OPENAI_API_KEY": "stub"}
    settings["OPENAI_BASE_URL"] = stub.base_url
    agent = f"{FOLDER}/front_desk.py:desk"
    async with make_run(locked_environment, tmp_path, agent, **settings) as run:
        assert result_in(await run.ask("a", "a visit at Christmas?")) == "closed: Christmas Day"
        booked = await run.ask("a", "and the day before?")
        assert result_in(booked) == "booked for Thursday, 24 December 2026, open from 9 to 17"
        assert booked.answer == "Yes"
        assert json.loads(result_in(await run.ask("a", "when do I come?"))) == ["2026-12-24"]
        assert json.loads(result_in(await run.ask("b", "when do I come?"))) == []


@pytest.mark.timeout(MOST_SECONDS)
async def test_an_agent_of_ten_lines_is_behind_the_gateway_with_the_web_app(
    locked_environment: Path, tmp_path: Path
) -> None:
    """A file somewhere else, and one command. What it needs is there by now: nothing is installed
    again, and no index is asked."""
    assert len(TEN_LINES.splitlines()) <= 10
    (tmp_path / "ten_lines.py").write_text(TEN_LINES)
    before = installed_in(locked_environment)
    agent = f"{tmp_path}/ten_lines.py:agent"
    async with make_run(locked_environment, tmp_path, agent, PIP_NO_INDEX="1") as run:
        turn = await run.ask("mine", "Are you open?")
        assert (turn.status, result_in(turn)) == ("completed", "New Year's Day")
        async with httpx.AsyncClient() as http:
            page = await http.get(f"http://127.0.0.1:{run.port}/s/mine")
        assert page.headers["content-type"].startswith("text/html")
        assert '<div id="root">' in page.text
    assert any(path.startswith("holidays") for path in before)
    assert installed_in(locked_environment) == before


async def test_the_image_of_the_example_has_what_the_agent_needs(
    locked_environment: Path, tmp_path: Path
) -> None:
    """No image is built here: that needs Docker. What it copies is there, what it names is copied,
    what it installs can be had beside what the image has, and it does not end as root."""
    steps = re.findall(r"^(\w+) (.+)$", (FOLDER / "Dockerfile").read_text(), re.MULTILINE)
    assert steps[0] == ("FROM", "fanline")
    copied: set[str] = set()
    for _, words in (step for step in steps if step[0] == "COPY"):
        *names, target = words.split()
        for name in names:
            shutil.copy(FOLDER / name, tmp_path)
            copied.add(target + name)
    assert {f"/agent/{path.name}" for path in FOLDER.glob("*.py")} <= copied
    said = dict(steps)
    assert said["ENV"].removeprefix("AGENT=").rpartition(":")[0] in copied
    assert said["USER"] == "10001:10001"
    assert json.loads(said["CMD"]) == ["python", "-m", "agent_worker"]

    pip = f"{locked_environment}/bin/python -m pip "
    command = said["RUN"].replace("/agent/", f"{tmp_path}/").replace("pip ", pip)
    assert await environments.run(Path("/bin/sh"), "-c", command) == (0, ANY)
    assert "pydantic==" in (tmp_path / "fanline.txt").read_text()


def result_in(turn: Turn) -> str:
    """What the turn's only tool call gave."""
    (call,) = [call for call in turn.calls.values() if "tool_name" in call]
    return call["end"]["result"]


def installed_in(environment: Path) -> dict[str, int]:
    """The files of the environment's own packages, with the times when they were written."""
    (site,) = environment.glob("lib/python*/site-packages")
    files = [path for path in site.rglob("*") if path.suffix not in {".pyc", ""}]
    return {str(path.relative_to(site)): path.stat().st_mtime_ns for path in files}
