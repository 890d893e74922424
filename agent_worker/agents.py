"""Which agent answers: the clinical assistant, or the one that `AGENT` names.

An agent is entered once per process: one model client and one MCP connection, not one a message.
"""

import inspect
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar, cast

from pydantic_ai import AbstractToolset, Agent
from pydantic_ai.mcp import MCPToolset
from pydantic_ai.models import Model

from agent_worker.fhir.server import build_fhir_server
from agent_worker.fhir.sources import build_source
from agent_worker.mcp_connection import McpConnection, build_auth
from agent_worker.model_results import cut_for_model
from agent_worker.models import build_model
from agent_worker.named import load_named, say_in_one_line
from agent_worker.patient_history import PatientAgent, build_patient_history_agent
from agent_worker.settings import WorkerSettings
from shared.ids import SessionId, TurnId

INSTRUCTIONS = (
    "You are a clinical assistant. Answer questions about patients from FHIR data, by calling the "
    "tools; never from memory. Name the patients and give codes, doses and dates as the tools "
    "return them. If the data does not answer a question, say so. You can read and not change "
    "anything."
)


@dataclass(frozen=True)
class TurnContext:
    """What an agent of your own may want to know about the turn that it is to answer."""

    session_id: SessionId
    turn_id: TurnId
    attempt: int


T = TypeVar("T")
AgentForTurn = Callable[[TurnContext], tuple[Agent[Any, Any], Any]]
"""From a turn to the agent that answers it and that agent's dependencies."""


class ClinicalAgents:
    """The agents that ship with Fanline, over one model client and one MCP connection. Each is made
    when it is first needed. Raises `ValueError` for a model that cannot be used."""

    def __init__(self, settings: WorkerSettings) -> None:
        self._settings = settings

    @cached_property
    def chat_agent(self) -> Agent[None, str]:
        """The assistant that answers chat turns."""
        return Agent(
            self._model,
            name="chat_agent",
            instructions=INSTRUCTIONS,
            toolsets=[self._toolset],
            capabilities=[cut_for_model(self._settings.model_result_bytes)],
        )

    @cached_property
    def patient_history_agent(self) -> PatientAgent:
        """The clinical summariser behind `POST /patient`."""
        cutting = cut_for_model(self._settings.model_result_bytes)
        return build_patient_history_agent(self._model, self._toolset, cutting)

    @cached_property
    def _model(self) -> Model:
        return build_model(self._settings)

    @cached_property
    def _toolset(self) -> AbstractToolset[Any]:
        return _build_toolset(self._settings)


@asynccontextmanager
async def open_agent(
    settings: WorkerSettings, clinical: ClinicalAgents
) -> AsyncGenerator[AgentForTurn, None]:
    """The agent for every turn of this process. Raises `ValueError` when `AGENT` names none."""
    if not settings.agent:
        chat_agent = clinical.chat_agent
        async with chat_agent:
            yield lambda context: (chat_agent, None)
        return
    named = load_named(settings.agent, "AGENT")
    async with AsyncExitStack() as stack:
        if isinstance(named, Agent):
            agent = cast(Agent[Any, Any], named)
            await _enter(stack, agent, settings.agent)
            yield lambda context: (agent, None)
        else:
            manager = _as_context_manager(named, settings.agent)
            agent_for_turn = await _enter(stack, manager, settings.agent)
            if not callable(agent_for_turn):
                raise ValueError(f"AGENT: {settings.agent!r} yields no function of a turn")
            yield agent_for_turn


async def _enter(stack: AsyncExitStack, manager: AbstractAsyncContextManager[T], name: str) -> T:
    try:
        return await stack.enter_async_context(manager)
    except Exception as error:
        raise ValueError(f"AGENT: {name!r} cannot be opened: {say_in_one_line(error)}") from error


def _as_context_manager(named: object, name: str) -> AbstractAsyncContextManager[AgentForTurn]:
    # A manager made by `@asynccontextmanager` can be called too, as a decorator: look at it first.
    manager: object = named
    if callable(named) and not isinstance(named, AbstractAsyncContextManager):
        manager = _call(named, name)
    if not isinstance(manager, AbstractAsyncContextManager):
        kind = type(manager).__name__
        raise ValueError(
            f"AGENT: {name!r} is neither an agent nor an async context manager, but a {kind}"
        )
    return cast(AbstractAsyncContextManager[AgentForTurn], manager)


def _call(make: Callable[[], object], name: str) -> object:
    try:
        made = make()
    except Exception as error:
        raise ValueError(f"AGENT: {name!r} cannot be called: {say_in_one_line(error)}") from error
    if inspect.iscoroutine(made):
        made.close()  # nobody will await it, and Python would say so besides
    return made


def _build_toolset(settings: WorkerSettings) -> AbstractToolset[Any]:
    if settings.mcp_url:
        return McpConnection(settings.mcp_url, build_auth(settings), settings.mcp_timeout)
    return MCPToolset(build_fhir_server(build_source(settings)))
