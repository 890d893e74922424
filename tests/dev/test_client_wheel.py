"""The Python client as its users have it: a wheel, in an environment with nothing else in it."""

import asyncio
import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from email.message import Message
from email.parser import HeaderParser
from pathlib import Path
from zipfile import ZipFile

import pytest

from dev.embedded_redis import EmbeddedRedis
from tests.docs.markdown import ROOT, code_of, read_page
from tests.support.deployment import Deployment, deploy

CLIENT = ROOT / "clients/python"
PROGRAMS = code_of(read_page("clients/python/README.md"), "python")
COUNTED = r"There are \d+ patients\."
SAYS = (COUNTED, rf"whole: {COUNTED}", COUNTED, r"^(cancelled|completed)\n$", COUNTED)
"""What the programs of the README print, in its order."""
ADDRESS = "ws://localhost:8000/ws"
QUESTION = "How many patients are there?"
OURS = ("shared", "gateway", "agent_worker", "dev", "tests")

MISUSE = """
from fanline import Event
from fanline.sync import connect


def show(event: Event) -> int:
    return event.type  # pyright: ignore[reportReturnType]


with connect("ws://localhost:8000/ws", "demo") as session:
    answer: int = session.ask("why", show)  # pyright: ignore[reportAssignmentType]
    session.cancel(7)  # pyright: ignore[reportArgumentType]
"""
"""What the types must find; an `ignore` that ignores nothing is an error too."""
STRICT = {"typeCheckingMode": "strict", "reportUnnecessaryTypeIgnoreComment": True}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy: building leaves files beside the sources."""
    folder = tmp_path_factory.mktemp("wheel")
    leftovers = shutil.ignore_patterns("build", "*.egg-info", "__pycache__")
    shutil.copytree(CLIENT, folder / "python", ignore=leftovers)
    pip("wheel", "--no-deps", "--wheel-dir", str(folder), str(folder / "python"))
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def place(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of somebody who has installed the wheel, and nothing else."""
    folder = tmp_path_factory.mktemp("user")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "env"], check=True)
    pip("--python", str(folder / "env"), "install", str(wheel))
    return folder


@pytest.fixture(scope="module")
async def demo(
    redis_server: EmbeddedRedis, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[Deployment, None]:
    """What `make run` starts."""
    async with deploy(redis_server, tmp_path_factory.mktemp("demo"), MODEL="demo") as own:
        await own.start_gateway()
        await own.start_worker()
        yield own
        await own.check_nothing_is_left()


def pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", *arguments]
    subprocess.run(command, check=True)


@asynccontextmanager
async def running(place: Path, *command: str) -> AsyncGenerator[asyncio.subprocess.Process, None]:
    """A program of that environment, which knows of no other."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith("PYTHON")}
    process = await asyncio.create_subprocess_exec(
        place / "env/bin" / command[0],
        *command[1:],
        cwd=place,
        env=kept,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def output_of(place: Path, *command: str) -> str:
    async with running(place, *command) as process:
        out, _ = await process.communicate()
    assert process.returncode == 0, out.decode()
    return out.decode()


def here(text: str, demo: Deployment) -> str:
    assert ADDRESS in text
    return text.replace(ADDRESS, demo.processes[0].url)


def metadata_of(wheel: Path) -> tuple[Message, set[str]]:
    """What it says of itself, and the names of its files."""
    with ZipFile(wheel) as files:
        names = set(files.namelist())
        (metadata,) = [name for name in names if name.endswith(".dist-info/METADATA")]
        return HeaderParser().parsestr(files.read(metadata).decode()), names


def test_the_wheel_says_what_it_is_and_holds_the_package_alone(wheel: Path) -> None:
    told, names = metadata_of(wheel)
    assert (told["Name"], told["License-Expression"]) == ("fanline", "MIT")
    assert told["Requires-Python"] == ">=3.11"
    assert "Typing :: Typed" in told.get_all("Classifier", [])
    (dependency,) = told.get_all("Requires-Dist", [])
    assert re.fullmatch(r"websockets[<>=,.\d]+", dependency)
    assert read_page("clients/python/README.md").strip() in told.get_payload()
    assert (CLIENT / "LICENSE").read_text() == (ROOT / "LICENSE").read_text()

    information = f"fanline-{told['Version']}.dist-info"
    assert {name.partition("/")[0] for name in names} == {"fanline", information}
    sources = {f"fanline/{path.name}" for path in (CLIENT / "src/fanline").glob("*.py")}
    assert sources | {"fanline/py.typed", f"{information}/licenses/LICENSE"} <= names


async def test_nothing_of_the_repository_is_there(place: Path) -> None:
    code = (
        "import json, importlib.metadata as m, importlib.util as u, sys;"
        "print(json.dumps([sorted(d.name for d in m.distributions()),"
        " [name for name in sys.argv[1:] if u.find_spec(name)]]))"
    )
    told = json.loads(await output_of(place, "python", "-c", code, *OURS, "pydantic", "fanline"))
    assert told == [["fanline", "websockets"], ["fanline"]]


@pytest.mark.parametrize("number", range(len(SAYS)))
async def test_the_programs_of_the_readme_do_what_it_says(
    place: Path, demo: Deployment, number: int
) -> None:
    """With and without `async`; and again, in a session that has said it before."""
    assert len(PROGRAMS) == len(SAYS)
    for _ in range(2):
        out = await output_of(place, "python", "-c", here(PROGRAMS[number], demo))
        assert re.search(SAYS[number], out), out


async def test_a_stored_cursor_brings_what_came_after_it(place: Path, demo: Deployment) -> None:
    (program,) = [program for program in PROGRAMS if "cursor.txt" in program]
    told = [await output_of(place, "python", "-c", here(program, demo)) for _ in range(3)]
    for earlier, later in itertools.pairwise(told):
        assert places_in(later)[0] > places_in(earlier)[-1]
    assert places_in(told[-1])[-1] == place_of((place / "cursor.txt").read_text())


def places_in(out: str) -> list[tuple[int, ...]]:
    return [place_of(found) for found in re.findall(r"^\d+-\d+", out, re.MULTILINE)]


def place_of(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split("-")))


@pytest.mark.parametrize("program", [("fanline",), ("python", "-m", "fanline")])
async def test_the_command_line_asks_and_follows(
    place: Path, demo: Deployment, program: Sequence[str]
) -> None:
    session = [demo.processes[0].url, f"command-{len(program)}"]
    out = await output_of(place, *program, *session, QUESTION)
    assert re.search(rf"{COUNTED}.*\n\[turn_finished\] completed in \d+ ms\n$", out, re.DOTALL)

    async with running(place, *program, *session) as process:
        assert process.stdout is not None
        frames = [json.loads(await process.stdout.readline())]
        while frames[-1]["type"] != "turn_finished":
            frames.append(json.loads(await process.stdout.readline()))
        process.send_signal(signal.SIGINT)
        assert await process.wait() == 128 + signal.SIGINT
    assert (frames[0]["type"], frames[1]["content"]) == ("connection", QUESTION)

    async with running(place, *program, *session, "--after", frames[-2]["id"]) as process:
        assert process.stdout is not None
        later = [json.loads(await process.stdout.readline()) for _ in range(2)]
    assert (later[0]["resumed"], later[1]["id"]) == (True, frames[-1]["id"])


async def test_its_types_are_seen_by_whoever_uses_it(place: Path) -> None:
    """Strictly: the programs of the README are right, and misuse is found."""
    folder = place / "typed"
    folder.mkdir()
    for number, program in enumerate([*PROGRAMS, MISUSE]):
        (folder / f"program_{number}.py").write_text(program)
    (folder / "pyrightconfig.json").write_text(json.dumps(STRICT))
    checker = await asyncio.create_subprocess_exec(
        Path(sys.executable).with_name("pyright"),
        *("--pythonpath", place / "env/bin/python", "--project", folder),
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await checker.communicate()
    assert checker.returncode == 0, out.decode()
    assert "0 errors, 0 warnings" in out.decode()
