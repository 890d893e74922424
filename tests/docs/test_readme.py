"""The README's own examples, run as they are pasted: only the address, the Python and the
environment are the test's."""

import asyncio
import json
import os
import re
import shlex
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from dev.embedded_redis import EmbeddedRedis
from shared.ids import SessionId
from shared.keys import Keys
from tests.docs.markdown import ROOT, code_of, read_page
from tests.support.chat import Chat, Tab
from tests.support.deployment import Deployment, Process, deploy
from tests.support.stub_model import StubModel

PAGE = read_page("README.md")
ADDRESS = "localhost:8000"
PYTHON = ".venv/bin/python"


@pytest.fixture(scope="module")
async def demo(
    redis_server: EmbeddedRedis, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[Deployment, None]:
    """What `make run` starts, with a second gateway."""
    folder = tmp_path_factory.mktemp("demo")
    async with deploy(redis_server, folder, MODEL="demo", LEASE_SECONDS="1") as own:
        await own.start_gateway()
        await own.start_gateway()
        await own.start_worker()
        yield own
        await own.check_nothing_is_left()


def shell_line(containing: str) -> str:
    """The one command of the README that contains this."""
    lines = [line for block in code_of(PAGE, "sh") for line in block.splitlines()]
    found = [line for line in lines if re.search(containing, line)]
    assert len(found) == 1, found
    return found[0]


def program(containing: str) -> str:
    """The one Python program of the README that contains this."""
    (found,) = [code for code in code_of(PAGE, "python") if containing in code]
    return found


@asynccontextmanager
async def running(
    arguments: list[str], gateway: Process
) -> AsyncGenerator[asyncio.subprocess.Process, None]:
    """A pasted command: this Python, and this gateway's address."""
    here = f"127.0.0.1:{gateway.port}"
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *(argument.replace(ADDRESS, here) for argument in arguments),
        env=os.environ | {"PYTHONPATH": str(ROOT / "clients/python/src")},
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()


async def output_of(arguments: list[str], gateway: Process) -> str:
    async with running(arguments, gateway) as process:
        out, _ = await process.communicate()
    assert process.returncode == 0, out.decode()
    return out.decode()


def arguments_of(line: str) -> list[str]:
    python, *arguments = shlex.split(line)
    assert python == PYTHON
    return arguments


async def test_the_question_is_answered_and_a_second_client_sees_the_same_ids(
    demo: Deployment, stub: StubModel
) -> None:
    """Streamed text built from real tool calls, and between, what the agent does."""
    ask = arguments_of(shell_line(r"Which patients have diabetes"))
    follow = arguments_of(shell_line(r"/ws demo$"))
    first, second = demo.processes[:2]
    async with Chat(demo, stub, "demo").tab() as tab, running(follow, second) as follower:
        frames = Frames(follower)
        await frames.next()  # it is connected
        out = await output_of(ask, first)
        await tab.until("turn_finished")
        while not frames.has("turn_finished"):
            await frames.next()

    answer = next(iter(tab.conversation.turns.values())).answer
    assert answer in out
    assert re.search(r"\d+ patients? ha(ve|s) diabetes", answer)
    for kind in ("tool_call", "tool_result", "openai_call", "openai_response", "turn_finished"):
        assert f"[{kind}] " in out
        assert kind in tab.kinds()
    assert frames.ids() == tab.ids()
    await after_a_position_comes_what_follows(demo, tab)


async def after_a_position_comes_what_follows(demo: Deployment, tab: Tab) -> None:
    """The README's reconnect, from the third event on, at the other gateway."""
    resume = arguments_of(shell_line(r"--after"))[:-1]
    async with running([*resume, tab.ids()[2]], demo.processes[1]) as client:
        frames = Frames(client)
        assert (await frames.next())["resumed"] is True
        while not frames.has("turn_finished"):
            await frames.next()
    assert set(frames.ids()) <= set(tab.ids()[3:])
    assert frames.ids()[-1] == tab.ids()[-1]


async def test_the_plain_example_prints_the_answer(demo: Deployment, stub: StubModel) -> None:
    code = program("from websockets")
    async with Chat(demo, stub, "plain").tab(1) as tab:
        out = await output_of(["-c", code], demo.processes[0])
        await tab.until("turn_finished")
    lines = out.splitlines()
    assert lines[0].startswith("None connection")
    printed = [line.split(" ")[0] for line in lines if re.match(r"\d+-\d+ ", line)]
    assert printed == tab.ids()
    assert re.search(r"There are \d+ patients\.", out)
    again = await output_of(["-c", code], demo.processes[0])
    assert len(again.splitlines()) > len(lines)


@pytest.mark.parametrize("page", ["docs/migration.md", "clients/python/README.md"])
async def test_the_examples_of_the_other_pages_print_the_answer(
    demo: Deployment, page: str
) -> None:
    (code,) = code_of(read_page(page), "python")
    for _ in range(2):  # also in a session that has said it before
        out = await output_of(["-c", code], demo.processes[0])
        assert re.search(r"There are \d+ patients\.", out)


async def test_the_lost_worker_is_replaced(demo: Deployment) -> None:
    """Two attempts, by two workers, and one answer; the first one's pulse comes back."""
    await demo.start_worker()
    out = await output_of(["-c", program("SIGSTOP")], demo.processes[0])
    first, second, status = out.splitlines()
    assert (first.split()[1], second.split()[1], status) == ("1", "2", "completed")
    assert first.split()[-1] != second.split()[-1]


async def test_an_agent_of_ones_own_answers(
    redis_server: EmbeddedRedis, stub: StubModel, tmp_path: Path
) -> None:
    """The file as it is printed, named as it is printed."""
    file = tmp_path / "my_agent.py"
    file.write_text(program("# my_agent.py"))
    (assignment,) = [word for word in shlex.split(shell_line("AGENT=")) if "=" in word]
    name = assignment.removeprefix("AGENT=")
    assert name.startswith("my_agent.py:")
    async with deploy(redis_server, tmp_path, AGENT=f"{tmp_path}/{name}") as own:
        await own.start_gateway()
        await own.start_worker()
        async with Chat(own, stub).tab() as tab:
            turn = await tab.ask("when are you open?")
    assert turn.status == "completed"
    (call,) = [call for call in turn.calls.values() if "tool_name" in call]
    assert (call["tool_name"], call["end"]["result"]) == ("opening_hours", "9 to 17")


def test_the_recipes_name_keys_and_channels_as_they_are() -> None:
    named = set(re.findall(r"'(session:\{demo\}[\w:]*)'", PAGE))
    keys = Keys().session(SessionId("demo"))
    assert named == {keys.channel, keys.log, keys.meta}
    assert f"XINFO GROUPS {Keys().turns()} " in PAGE


def test_every_target_and_every_link_is_there() -> None:
    """`make` targets that the README names, and files that our pages link."""
    targets = set(re.findall(r"^(\w+):", read_page("Makefile"), re.MULTILINE))
    assert set(re.findall(r"make (\w+)", PAGE)) <= targets | {"and"}
    for page in ("README.md", *(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))):
        for link in re.findall(r"\]\(([^)#]+)\)", read_page(page)):
            assert (ROOT / page).parent.joinpath(link).exists(), f"{page}: {link}"


def test_every_file_that_our_pages_name_is_there() -> None:
    folders = "gateway|agent_worker|shared|tests|dev|deploy"
    for page in ("README.md", *(f"docs/{path.name}" for path in ROOT.glob("docs/*.md"))):
        for name in re.findall(rf"`((?:{folders})/[\w/.]+)`", read_page(page)):
            assert (ROOT / name).exists(), f"{page}: {name}"


def test_no_line_of_our_pages_is_too_long_to_be_read() -> None:
    for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("clients/*/*.md")]:
        long = [line for line in path.read_text().splitlines() if len(line) > 120]
        assert long == [], path.name


class Frames:
    """What a client that follows a session prints."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._frames: list[dict[str, object]] = []

    async def next(self) -> dict[str, object]:
        assert self._process.stdout is not None
        self._frames.append(json.loads(await self._process.stdout.readline()))
        return self._frames[-1]

    def has(self, kind: str) -> bool:
        return any(frame["type"] == kind for frame in self._frames)

    def ids(self) -> list[object]:
        return [frame["id"] for frame in self._frames if "id" in frame]
