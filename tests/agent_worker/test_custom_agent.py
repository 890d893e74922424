"""An agent of somebody else's, from a folder of their own: dependencies, a tool, a structured
output and a custom event, run by a real worker."""

import json
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from dev.embedded_redis import EmbeddedRedis
from tests.support.chat import Chat
from tests.support.deployment import Deployment, deploy
from tests.support.stub_model import Call, Reply, StubModel

NEIGHBOUR = "CURRENCY = 'EUR'\n"
SHOP = '''
"""A shop's agents: none of this knows anything of the system that runs it."""

import os
from contextlib import asynccontextmanager
from dataclasses import dataclass

from prices_neighbour import CURRENCY
from pydantic import BaseModel
from pydantic_ai import Agent, CustomEvent, DeferredToolRequests, RunContext
from pydantic_ai.exceptions import CallDeferred
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider


@dataclass
class Shop:
    cents: dict[str, int]
    customer: str
    visit: int


class Offer(BaseModel):
    item: str
    cents: int


@dataclass(kw_only=True)
class LookedUp(CustomEvent):
    item: str
    currency: str
    customer: str
    visit: int


provider = OpenAIProvider(base_url=os.environ["OPENAI_BASE_URL"], api_key="stub")
model = OpenAIChatModel("m-x", provider=provider)
clerk = Agent(model, name="clerk", deps_type=Shop, output_type=Offer)


@clerk.tool
async def price_of(ctx: RunContext[Shop], item: str) -> int:
    """The price of one item."""
    shop = ctx.deps
    await ctx.emit(
        LookedUp(item=item, currency=CURRENCY, customer=shop.customer, visit=shop.visit)
    )
    return shop.cents[item]


guard = Agent(model, name="guard", output_type=[str, DeferredToolRequests])
strict_guard = Agent(model, name="strict_guard")
for agent in (guard, strict_guard):

    @agent.tool_plain(requires_approval=True)
    def open_safe() -> str:
        """Open the safe."""
        return "SAFE-CONTENT"

    @agent.tool_plain
    def call_owner() -> str:
        """Ask the owner, who answers some day."""
        raise CallDeferred


AGENTS = {"clerk": clerk, "guard": guard, "strict": strict_guard}


@asynccontextmanager
async def shop():
    visits = 0

    def agent_for_turn(context):
        nonlocal visits
        visits += 1
        agent = AGENTS[context.session_id.split("-")[0]]
        return agent, Shop({"tea": 350}, f"{context.turn_id} {context.attempt}", visits)

    print("the shop opens", flush=True)
    yield agent_for_turn
    print("the shop closes", flush=True)


plain = Agent(model, name="plain", output_type=Offer)


@plain.tool_plain
def stock_of(item: str) -> int:
    """How many there are."""
    return 12
'''


@pytest.fixture(scope="module")
def shop_py(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("elsewhere")
    (folder / "prices_neighbour.py").write_text(NEIGHBOUR)
    (folder / "shop_agents.py").write_text(SHOP)
    return folder / "shop_agents.py"


@pytest.fixture(scope="module")
async def shop(
    redis_server: EmbeddedRedis,
    stub: StubModel,
    shop_py: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncGenerator[Deployment, None]:
    """A gateway, and a worker with the shop's agents, chosen by the beginning of the session id."""
    folder = tmp_path_factory.mktemp("shop")
    async with deploy(redis_server, folder, **stub.environment()) as deployment:
        await deployment.start_gateway()
        worker = await deployment.start_worker(agent=f"{shop_py}:shop")
        yield deployment
        await deployment.check_nothing_is_left()
        assert await worker.stop() == 0
        lines = [line for line in worker.log().splitlines() if line.startswith("the shop")]
        assert lines == ["the shop opens", "the shop closes"], "entered once, left at the end"


def a_chat(deployment: Deployment, stub: StubModel, agent: str) -> Chat:
    return Chat(deployment, stub, f"{agent}-{uuid4()}")


def asked_last(stub: StubModel, content: str) -> list[dict[str, Any]]:
    """The messages of the last model call of the turn with this message."""
    bodies = [body["messages"] for body in stub.requests]
    return next(m for m in reversed(bodies) if any(one.get("content") == content for one in m))


OFFER = {"item": "tea", "cents": 350}


async def test_an_agent_with_dependencies_a_tool_an_event_and_a_structured_output(
    shop: Deployment, stub: StubModel
) -> None:
    """The tool sees the deps of this very turn, and the output is one final text, its JSON."""
    chat = a_chat(shop, stub, "clerk")
    question = f"how much is tea {chat.session_id}"
    stub.script(
        question,
        Reply(calls=[Call("price_of", {"item": "tea"})]),
        Reply(calls=[Call("final_result", OFFER)]),
    )
    async with chat.tab() as tab:
        turn = await tab.ask(question)
        assert (turn.status, json.loads(turn.answer)) == ("completed", OFFER)
        kinds = tab.kinds()
        assert kinds.index("tool_call") < kinds.index("custom")
        kinds.remove("custom")
        assert kinds == [
            "message", "turn_started",
            "openai_call", "openai_response", "tool_call", "tool_result",
            "openai_call", "openai_response", "assistant", "turn_finished",
        ]  # fmt: skip
        by_kind = {event.type: event for event in tab.events}
        assert by_kind["tool_call"]["arguments"] == {"item": "tea"}
        assert by_kind["tool_result"]["result"] == "350"
        assert by_kind["assistant"]["streaming"] is False
        assert by_kind["custom"]["name"] == "looked_up"
        first = by_kind["custom"]["data"]
        assert (first["currency"], first["customer"]) == ("EUR", f"{turn.turn_id} 1")

        await tab.ask(question)
        second = [event for event in tab.events if event.type == "custom"][-1]["data"]
        assert second["visit"] == first["visit"] + 1, "the context manager is asked for every turn"
    messages = asked_last(stub, question)
    assert [m["content"] for m in messages if m["role"] == "user"] == [question, question]


@pytest.mark.parametrize("agent", ["guard", "strict"])
@pytest.mark.parametrize("tool", ["open_safe", "call_owner"])
async def test_a_question_that_nobody_here_can_answer_ends_the_turn(
    shop: Deployment, stub: StubModel, agent: str, tool: str
) -> None:
    """A tool that needs approval or an answer from outside, whether the agent's author foresaw it
    or not. The conversation goes on without it."""
    chat = a_chat(shop, stub, agent)
    question = f"open it {chat.session_id}"
    stub.script(question, Reply(["Let me see. "], calls=[Call(tool, {})]))
    async with chat.tab() as tab:
        turn = await tab.ask(question)
        assert turn.status == "failed"
        assert turn.error is not None
        assert turn.error["code"] == "unsupported_output"
        begun = [e["tool_call_id"] for e in tab.events if e.type == "tool_call"]
        ended = [e["tool_call_id"] for e in tab.events if e.type == "tool_result"]
        assert begun == ended
        assert (await tab.ask(f"after {chat.session_id}")).status == "completed"
    messages = asked_last(stub, f"after {chat.session_id}")
    assert [m["content"] for m in messages] == [f"after {chat.session_id}"]
    assert "SAFE-CONTENT" not in json.dumps(await chat.log())


async def test_an_agent_without_dependencies_by_its_module_name(
    deployment: Deployment, stub: StubModel, shop_py: Path
) -> None:
    await deployment.start_gateway()
    await deployment.start_worker(agent="shop_agents:plain", pythonpath=shop_py.parent)
    chat = Chat(deployment, stub)
    stub.script(
        chat.session_id,
        Reply(calls=[Call("stock_of", {"item": "tea"})]),
        Reply(calls=[Call("final_result", OFFER)]),
    )
    async with chat.tab() as tab:
        assert json.loads((await tab.ask(chat.session_id)).answer) == OFFER
        (result,) = [event for event in tab.events if event.type == "tool_result"]
        assert (result["result"], result["is_error"]) == ("12", False)
