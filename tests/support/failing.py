"""An agent whose tools go wrong in every way, and what every failed turn has in common."""

import json
from typing import Any

from tests.support.chat import Chat, Tab

TOOL_SECRET = "TOOL-SECRET"
STUB_SECRET = "STUB-ERROR-BODY"
BIG_BYTES = 5_000_000
AGENT = f'''
"""An agent whose tools do everything that tools do wrong."""

import asyncio
import os

from pydantic_ai import Agent, BinaryContent, ModelRetry
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

provider = OpenAIProvider(base_url=os.environ["OPENAI_BASE_URL"], api_key="stub")
agent = Agent(OpenAIChatModel("m-x", provider=provider), name="clumsy")


@agent.tool_plain
def double(n: int) -> int:
    return 2 * n


@agent.tool_plain
def boom() -> str:
    raise RuntimeError("{TOOL_SECRET}")


@agent.tool_plain
def refuse() -> str:
    raise ModelRetry("ask for something else")


@agent.tool_plain
def big() -> str:
    return "é" * ({BIG_BYTES} // 2)


@agent.tool_plain
def record() -> dict:
    return {{"name": "Ada", "when": [1, None]}}


@agent.tool_plain
def picture() -> BinaryContent:
    return BinaryContent(b"\\x89PNG" + bytes(300_000), media_type="image/png")


@agent.tool_plain
async def stuck() -> str:
    await asyncio.Event().wait()
    return "never"
'''


async def check_the_turn_fails(chat: Chat, tab: Tab, code: str) -> list[dict[str, Any]]:
    """Ask, and see the turn fail with `code`; then see that the next turn knows nothing of it.
    Returns the failed turn's events."""
    turn = await tab.ask(chat.session_id)
    events = [dict(event.fields) for event in tab.events]
    assert turn.status == "failed"
    assert turn.error is not None
    assert turn.error["code"] == code, turn.error
    assert turn.answer == "", "nothing pretends to be an answer"
    assert [event["type"] for event in events[-2:]] == ["error", "turn_finished"]
    assert (events[-2]["code"], events[-2]["error"]) == (code, turn.error["error"])
    check_every_call_has_its_end(events)

    after = f"and after {chat.session_id[::-1]}"
    assert (await tab.ask(after)).answer == f"echo: {after}"
    request = next(b for b in chat.stub.requests if b["messages"][-1]["content"] == after)
    said = [m["content"] for m in request["messages"] if m["role"] != "system"]
    assert said == [after], "the failed turn has left no trace"
    everything = json.dumps(await chat.log())
    assert STUB_SECRET not in everything
    assert TOOL_SECRET not in everything
    assert "Traceback" not in everything
    return events


def check_every_call_has_its_end(events: list[dict[str, Any]]) -> None:
    for begin, end, name in (
        ("tool_call", "tool_result", "tool_call_id"),
        ("openai_call", "openai_response", "call_id"),
    ):
        begun = [event[name] for event in events if event["type"] == begin]
        ended = [event[name] for event in events if event["type"] == end]
        assert len(set(begun)) == len(begun)
        assert sorted(begun) == sorted(ended)


def of_kind(tab: Tab, kind: str) -> list[dict[str, Any]]:
    return [dict(event.fields) for event in tab.events if event.type == kind]
