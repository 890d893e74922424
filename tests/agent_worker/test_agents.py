"""Which agent answers: what `AGENT` may name, and how a wrong name is told."""

from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest

from agent_worker.agents import AgentForTurn, ClinicalAgents, TurnContext, open_agent
from agent_worker.settings import WorkerSettings
from shared.ids import SessionId, TurnId
from tests.support.deployment import Deployment

AGENTS = '''
"""Everything that `AGENT` may name, and more."""

from contextlib import asynccontextmanager

from pydantic_ai import Agent

agent = Agent("test", name="mine")
opened = []


@asynccontextmanager
async def opens():
    opened.append("opened")
    yield lambda context: (agent, context)
    opened.append("closed")


class AsClass:
    async def __aenter__(self):
        return lambda context: (agent, "from a class")

    async def __aexit__(self, *error):
        return None


instance = opens()


@asynccontextmanager
async def yields_no_function():
    yield agent


@asynccontextmanager
async def does_not_open():
    raise OSError("no database")
    yield


async def coroutine():
    return agent


def takes_arguments(one):
    return one


number = 42
'''
CONTEXT = TurnContext(SessionId("s"), TurnId("t"), 1)


@pytest.fixture
def agents_py(tmp_path: Path, fresh_imports: None) -> Path:
    file = tmp_path / "agents_of_mine.py"
    file.write_text(AGENTS)
    return file


def opened(agent: str) -> AbstractAsyncContextManager[AgentForTurn]:
    settings = WorkerSettings(agent=agent)
    return open_agent(settings, ClinicalAgents(settings))


async def test_an_agent_answers_without_dependencies(agents_py: Path) -> None:
    async with opened(f"{agents_py}:agent") as agent_for_turn:
        agent, deps = agent_for_turn(CONTEXT)
    assert (agent.name, deps) == ("mine", None)


async def test_a_context_manager_is_entered_once_and_asked_for_every_turn(agents_py: Path) -> None:
    async with opened(f"{agents_py}:opens") as agent_for_turn:
        agent, deps = agent_for_turn(CONTEXT)
        agent_for_turn(CONTEXT)
        marks: list[str] = _global_of(agent_for_turn, "opened")
        assert marks == ["opened"]
    assert (agent.name, deps) == ("mine", CONTEXT)
    assert marks == ["opened", "closed"]


@pytest.mark.parametrize("name", ["AsClass", "instance"])
async def test_a_context_manager_may_be_a_class_or_already_made(agents_py: Path, name: str) -> None:
    async with opened(f"{agents_py}:{name}") as agent_for_turn:
        assert agent_for_turn(CONTEXT)[0].name == "mine"


async def test_a_module_is_named_by_its_import_path(
    agents_py: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(agents_py.parent)
    async with opened("agents_of_mine:agent") as agent_for_turn:
        assert agent_for_turn(CONTEXT)[0].name == "mine"


OTHERS = {
    "broken": "def agent(:\n",
    "raising": "import os\nagent = os.environ['A_KEY']\n",
    "ending": "import sys\nsys.exit('not\\ntoday')\n",
    "needing": "import no_such_package.part\n",
}
WRONG = [
    ("agent", "neither module:name nor file.py:name"),
    ("no_such_module:agent", "No module named 'no_such_module'"),
    ("no_such_file.py:agent", f"there is no file {Path.cwd()}/no_such_file.py"),
    ("{file}:missing", "{file} has no 'missing'"),
    ("{file}:number", "neither an agent nor an async context manager, but a int"),
    ("{file}:coroutine", "neither an agent nor an async context manager, but a coroutine"),
    ("{file}:takes_arguments", "cannot be called: TypeError"),
    ("{file}:yields_no_function", "yields no function of a turn"),
    ("{file}:does_not_open", "cannot be opened: OSError: no database ({file}, line "),
    ("{broken}:agent", "SyntaxError: "),
    ("{raising}:agent", "KeyError: 'A_KEY' ({raising}, line 2)"),
    ("{ending}:agent", "SystemExit: not today ({ending}, line 2)"),
    ("{needing}:agent", "No module named 'no_such_package' ({needing}, line 1); what it needs is"),
]


@pytest.mark.parametrize(("name", "sentence"), WRONG)
async def test_a_wrong_name_is_told_in_one_line(agents_py: Path, name: str, sentence: str) -> None:
    files = {"file": agents_py}
    for word, code in OTHERS.items():
        files[word] = agents_py.with_name(f"{word}.py")
        files[word].write_text(code)
    named = name.format(**files)
    with pytest.raises(ValueError, match="AGENT") as raised:
        async with opened(named):
            pass
    assert sentence.format(**files) in str(raised.value)
    assert named in str(raised.value)
    assert len(str(raised.value).splitlines()) == 1


async def test_a_worker_with_a_wrong_agent_stops_at_start_with_one_line(
    deployment: Deployment, agents_py: Path
) -> None:
    with pytest.raises(AssertionError, match="the worker has ended"):
        await deployment.start_worker(agent=f"{agents_py}:missing")
    (worker,) = deployment.processes
    assert worker.process.returncode == 1
    (line,) = worker.log().splitlines()
    assert line == f"AGENT: '{agents_py}:missing' cannot be loaded: {agents_py} has no 'missing'"


def _global_of(function: Any, name: str) -> Any:
    return function.__globals__[name]
