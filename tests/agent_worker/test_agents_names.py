"""Agents of several files, and files whose names the worker's process has taken."""

import sys
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from agent_worker.agents import AgentForTurn, ClinicalAgents, TurnContext, open_agent
from agent_worker.settings import WorkerSettings
from shared.ids import SessionId, TurnId
from tests.support.deployment import ROOT, Deployment

CONTEXT = TurnContext(SessionId("s"), TurnId("t"), 1)
AGENT = "from pydantic_ai import Agent\nagent = Agent('test', name='mine')\n"

NAMED = "from pydantic_ai import Agent\nagent = Agent('test', name=NAME)\n"


@pytest.fixture
def folder(tmp_path: Path, fresh_imports: None) -> Path:
    """A folder with an agent's file."""
    write(tmp_path / "my_agent.py", AGENT)
    return tmp_path


def write(file: Path, code: str = "") -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(code)
    return file


def opened(agent: str) -> AbstractAsyncContextManager[AgentForTurn]:
    settings = WorkerSettings(agent=agent)
    return open_agent(settings, ClinicalAgents(settings))


async def name_of(agent: str) -> str | None:
    async with opened(agent) as agent_for_turn:
        return agent_for_turn(CONTEXT)[0].name


async def refusal_of(agent: str) -> str:
    with pytest.raises(ValueError, match="AGENT") as raised:
        async with opened(agent):
            pass
    (line,) = str(raised.value).splitlines()
    return line


async def test_an_agent_of_several_files_imports_them(folder: Path) -> None:
    """A neighbour, a package, a folder without `__init__.py`, and a neighbour of theirs; and what
    lies there besides is nobody's business."""
    write(folder / "my_name.py", "from my_package.part import PART\nNAME = f'{PART} mine'\n")
    write(folder / "my_package" / "__init__.py")
    write(folder / "my_package" / "part.py", "from my_folder.piece import PIECE as PART\n")
    write(folder / "my_folder" / "piece.py", "PIECE = 'a piece of'\n")
    for other in ("tests/test_it.py", "redis/deploy.py", "gateway/run.py", "__main__.py"):
        write(folder / other, "raise AssertionError\n")
    (folder / "shared").mkdir()
    file = write(folder / "several.py", f"from my_name import NAME\n{NAMED}")
    assert await name_of(f"{file}:agent") == "a piece of mine"


@pytest.mark.parametrize(
    "other",
    ["shared.py", "shared/__init__.py", "shared/prices.py", "agent_worker/__init__.py", "redis.py"],
)
async def test_a_neighbour_whose_name_is_taken_is_refused_by_name(folder: Path, other: str) -> None:
    """It would never be imported: the agent would get ours, or the package's, in its place."""
    write(folder / other, "PRICE = 12\n")
    file = folder / other.partition("/")[0]
    assert await refusal_of(f"{folder}/my_agent.py:agent") == (
        f"AGENT: '{folder}/my_agent.py:agent' cannot be loaded: {file} has the name of a module "
        f"that the worker's process has already, {file.stem!r}: give it another name"
    )


@pytest.mark.parametrize("name", ["shared.py", "logging.py", "openai.py"])
async def test_an_agents_own_file_takes_nobodys_place(folder: Path, name: str) -> None:
    before = dict(sys.modules)
    file = write(folder / name, AGENT)
    assert f"{file} has the name of a module" in await refusal_of(f"{file}:agent")
    assert dict(sys.modules) == before


async def test_a_worker_beside_whose_agent_a_name_is_taken_stops_with_one_line(
    deployment: Deployment, folder: Path
) -> None:
    write(folder / "shared.py")
    with pytest.raises(AssertionError, match="the worker has ended"):
        await deployment.start_worker(agent=f"{folder}/my_agent.py:agent")
    (worker,) = deployment.processes
    assert worker.process.returncode == 1
    (line,) = worker.log().splitlines()
    assert f"{folder}/shared.py has the name of a module" in line


async def test_a_taken_name_that_lies_elsewhere_is_told_when_it_is_missed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a package whose own folder is on the path: it cannot be seen beforehand."""
    write(folder / "shared" / "__init__.py")
    write(folder / "shared" / "prices.py", "PRICE = 12\n")
    for statement in ("from shared import prices", "import shared.prices"):
        write(folder / "elsewhere" / "agent_of_theirs.py", f"{statement}\n{AGENT}")
        monkeypatch.syspath_prepend(folder)
        refusal = await refusal_of(f"{folder}/elsewhere/agent_of_theirs.py:agent")
        assert "agent_worker and shared are the worker's own: give yours another name" in refusal


async def test_a_file_of_a_package_is_named_as_a_module(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(folder / "my_package" / "__init__.py")
    write(folder / "my_package" / "tools.py", "NAME = 'relative'\n")
    code = (
        "from pydantic_ai import Agent\nfrom .tools import NAME\nagent = Agent('test', name=NAME)\n"
    )
    file = write(folder / "my_package" / "relative_agent.py", code)
    refusal = await refusal_of(f"{file}:agent")
    assert "name it as package.module:name, with the package's folder in PYTHONPATH" in refusal
    monkeypatch.syspath_prepend(folder)
    assert await name_of("my_package.relative_agent:agent") == "relative"


async def test_a_file_that_two_settings_name_is_loaded_once(folder: Path) -> None:
    """As `AGENT` and `TELEMETRY_REDACT` may."""
    file = write(folder / "counting.py", f"import sys\nsys.path.append('counted')\n{AGENT}")
    assert await name_of(f"{file}:agent") == await name_of(f"{file}:agent") == "mine"
    assert sys.path.count("counted") == 1


async def test_a_file_in_this_projects_own_folder_is_loaded(folder: Path) -> None:
    """There the names that are taken are those of the very modules that have taken them."""
    (folder / "shared").symlink_to(ROOT / "shared")
    (folder / "agent_worker").symlink_to(ROOT / "agent_worker")
    assert await name_of(f"{folder}/my_agent.py:agent") == "mine"
