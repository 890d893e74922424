"""The agents of the write path's benchmarks, as `AGENT=benchmarks.paced_agent:NAME` names them."""

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from random import random
from time import monotonic, monotonic_ns

from pydantic_ai import Agent
from pydantic_ai.messages import ModelMessage, ModelRequest, ToolReturnPart, UserPromptPart
from pydantic_ai.models.function import AgentInfo, DeltaToolCall, DeltaToolCalls, FunctionModel
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

from agent_worker.agents import AgentForTurn
from benchmarks.paced_model import parse_answer, token_at

CALL_SECONDS = 0.05
"""Of every call that `calling` makes."""


def build_asking(base_url: str) -> Agent[None, str]:
    """An agent that asks the paced model over HTTP: what a token costs a worker, all of it."""
    provider = OpenAIProvider(base_url=base_url, api_key="none")
    return Agent(OpenAIChatModel("paced", provider=provider), name="asking")


@asynccontextmanager
async def asking() -> AsyncGenerator[AgentForTurn, None]:
    """That agent, with the model at `OPENAI_BASE_URL`."""
    agent = build_asking(os.environ["OPENAI_BASE_URL"])
    async with agent:
        yield lambda context: (agent, None)


async def _emit(messages: list[ModelMessage], info: AgentInfo) -> AsyncIterator[str]:
    """A token's text is the moment at which the worker emits it. No two answers keep step."""
    answer = parse_answer(_question(messages))
    due = monotonic() + random() / answer.per_second
    for _ in range(answer.tokens):
        due += 1 / answer.per_second
        await asyncio.sleep(max(due - monotonic(), 0))
        yield token_at(monotonic_ns())


def _question(messages: list[ModelMessage]) -> str:
    requests = [message for message in messages if isinstance(message, ModelRequest)]
    parts = [part for request in requests for part in request.parts]
    return [str(part.content) for part in parts if isinstance(part, UserPromptPart)][-1]


emitting = Agent(FunctionModel(stream_function=_emit, model_name="emitting"), name="emitting")
"""Its model is in the worker itself."""


async def _call(
    messages: list[ModelMessage], info: AgentInfo
) -> AsyncIterator[str | DeltaToolCalls]:
    """Think, call the tool, think again and answer."""
    await asyncio.sleep(CALL_SECONDS)
    if isinstance(messages[-1].parts[-1], ToolReturnPart):
        yield "done"
    else:
        yield {0: DeltaToolCall("look_up", "{}", tool_call_id="call")}


calling = Agent(FunctionModel(stream_function=_call, model_name="calling"), name="calling")
"""Makes calls of the model and of a tool, each of which takes a while."""


@calling.tool_plain
async def look_up() -> str:
    """Something that takes a while."""
    await asyncio.sleep(CALL_SECONDS)
    return "found"
