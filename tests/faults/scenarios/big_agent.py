"""An agent of which one tool tells and returns megabytes. Loaded by workers (`AGENT`)."""

import os
from dataclasses import dataclass

from pydantic_ai import Agent, CustomEvent, RunContext
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

BIG_BYTES = 5_000_000

_provider = OpenAIProvider(base_url=os.environ.get("OPENAI_BASE_URL"), api_key="stub")
agent = Agent(OpenAIChatModel("m-x", provider=_provider), name="big")


@dataclass(kw_only=True)
class Everything(CustomEvent):
    text: str


@agent.tool_plain
def count_patients() -> int:
    """How many patients there are."""
    return 62


@agent.tool_plain
def repeat(text: str) -> int:
    """How long the text is."""
    return len(text)


@agent.tool
async def tell_everything(ctx: RunContext[object]) -> str:
    """All there is."""
    await ctx.emit(Everything(text="x" * BIG_BYTES))
    return "x" * BIG_BYTES
