"""Dual emission: what is seen live is what the collector has.

A real gateway and real workers send their spans to a receiver in a process of its own, over
http/protobuf and over gRPC; every frame of a turn is held against the spans that arrived there.
"""

import asyncio
from collections.abc import AsyncGenerator
from typing import cast

import pytest

from dev.embedded_redis import EmbeddedRedis
from tests.support.chat import Chat, Tab
from tests.support.deployment import Deployment, deploy
from tests.support.otlp_receiver import Receiver, receive_spans
from tests.support.stub_model import Call, Reply, StubModel
from tests.support.traced_turn import TracedTurn, read_traced_turn

PROTOCOLS = ("http/protobuf", "grpc")
AGENT = """
import asyncio

from pydantic_ai import Agent

agent = Agent("openai-chat:m-x", name="probe")
two_are_here = asyncio.Barrier(2)


@agent.tool_plain
async def greet(name: str) -> str:
    return f"hello {name}"


@agent.tool_plain
async def meet(name: str) -> str:
    await two_are_here.wait()
    return f"met {name}"


@agent.tool_plain
async def wait_for_ever() -> str:
    await asyncio.Event().wait()
    return "never"


@agent.tool_plain
async def break_down() -> str:
    raise RuntimeError("broken")
"""


@pytest.fixture(scope="module")
async def receiver() -> AsyncGenerator[Receiver, None]:
    async with receive_spans() as own:
        yield own


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The settings that make a worker use an agent with tools for these tests."""
    file = tmp_path_factory.mktemp("agent") / "probe.py"
    file.write_text(AGENT)
    return {"AGENT": f"{file}:agent", "LEASE_SECONDS": "1", "LINGER_SECONDS": "0.1"}


@pytest.fixture(scope="module", params=PROTOCOLS)
async def settings(
    request: pytest.FixtureRequest, receiver: Receiver, stub: StubModel, agent: dict[str, str]
) -> dict[str, str]:
    return stub.environment() | agent | receiver.environment(cast(str, request.param))


@pytest.fixture(scope="module")
async def traced(
    settings: dict[str, str], redis_server: EmbeddedRedis, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[Deployment, None]:
    """A gateway and a worker that send their spans to the receiver."""
    async with deploy(redis_server, tmp_path_factory.mktemp("traced"), **settings) as own:
        await asyncio.gather(own.start_gateway(), own.start_worker())
        yield own
        await own.check_nothing_is_left()


@pytest.fixture
def traced_chat(traced: Deployment, stub: StubModel) -> Chat:
    return Chat(traced, stub)


async def ask(chat: Chat, *replies: Reply) -> Tab:
    """A tab that has seen the turn of a question with these replies."""
    chat.stub.script(chat.session_id, *replies)
    async with chat.tab() as tab:
        await tab.ask(chat.session_id)
    return tab


async def test_a_completed_turn_is_told_live_as_it_is_exported(
    traced_chat: Chat, receiver: Receiver
) -> None:
    """Two tools that run at the same time, and two model calls."""
    calls = [Call("meet", {"name": "Ada"}), Call("meet", {"name": "Bo"})]
    tab = await ask(
        traced_chat, Reply(calls=calls, usage=(31, 8)), Reply(["both ", "met"], usage=(57, 3))
    )
    turn = await read_traced_turn(receiver, tab)
    turn.check()
    assert turn.finished["status"] == "completed"
    assert [call.name for call in turn.calls] == [
        "chat m-x", "execute_tool meet", "execute_tool meet", "chat m-x",
    ]  # fmt: skip
    assert tokens_of(turn) == [(31, 8, 39), (57, 3, 60)]
    usage = turn.finished["usage"]
    assert usage == {
        "prompt_tokens": 88, "completion_tokens": 11, "total_tokens": 99, "requests": 2,
    }  # fmt: skip
    assert not [call for call in turn.calls if call.end["is_error"]]


async def test_calls_that_can_not_be_made_have_spans_too(
    traced_chat: Chat, receiver: Receiver
) -> None:
    """An unknown tool, and a tool that is called without its argument."""
    calls = [Call("no_such_tool", {"a": 1}), Call("greet", {})]
    turn = await read_traced_turn(
        receiver, await ask(traced_chat, Reply(calls=calls), Reply(["x"]))
    )
    turn.check()
    refused = [call for call in turn.calls if call.end["is_error"]]
    assert {call.name for call in refused} == {"execute_tool no_such_tool", "execute_tool greet"}
    assert turn.finished["status"] == "completed"


async def test_a_turn_that_fails_at_the_model_is_told_live_as_it_is_exported(
    traced_chat: Chat, receiver: Receiver
) -> None:
    turn = await read_traced_turn(receiver, await ask(traced_chat, Reply(status=500)))
    turn.check()
    assert turn.finished["error"]["code"] == "model_error"
    assert tokens_of(turn) == [(None, None, None)]
    assert [call.end["is_error"] for call in turn.calls] == [True]


async def test_a_turn_that_fails_at_a_tool_is_told_live_as_it_is_exported(
    traced_chat: Chat, receiver: Receiver
) -> None:
    """The tool beside it, which is still running, is cut off, and has its end as well."""
    calls = [Call("wait_for_ever", {}), Call("break_down", {})]
    turn = await read_traced_turn(receiver, await ask(traced_chat, Reply(calls=calls)))
    turn.check()
    assert turn.finished["error"]["code"] == "tool_error"
    assert [call.end["is_error"] for call in turn.calls] == [False, True, True]


async def test_a_turn_cancelled_in_mid_text_is_told_live_as_it_is_exported(
    traced_chat: Chat, receiver: Receiver
) -> None:
    traced_chat.stub.script(traced_chat.session_id, reply := Reply(["said ", "x"], hold_after=1))
    async with traced_chat.tab() as tab:
        turn_id = await tab.session.send(traced_chat.session_id)
        await tab.until("assistant", streaming=True)
        await tab.session.cancel(turn_id)
        await tab.until_finished(turn_id)
        reply.release()
    turn = await read_traced_turn(receiver, tab)
    turn.check()
    assert turn.finished["status"] == "cancelled"
    assert [call.end["is_error"] for call in turn.calls] == [True]


async def test_a_turn_cancelled_in_mid_call_is_told_live_as_it_is_exported(
    traced_chat: Chat, receiver: Receiver
) -> None:
    traced_chat.stub.script(traced_chat.session_id, Reply(calls=[Call("wait_for_ever", {})]))
    async with traced_chat.tab() as tab:
        turn_id = await tab.session.send(traced_chat.session_id)
        await tab.until("tool_call")
        await tab.session.cancel(turn_id)
        await tab.until_finished(turn_id)
    turn = await read_traced_turn(receiver, tab)
    turn.check()
    assert turn.finished["status"] == "cancelled"
    assert [call.end["is_error"] for call in turn.calls] == [False, True]


async def test_a_turn_that_was_taken_over_is_one_trace(
    traced_chat: Chat, receiver: Receiver
) -> None:
    """A worker is killed in mid-answer, after a tool call whose spans it had exported. What it had
    begun is closed under its own ids; the second attempt has a turn span of its own."""
    deployment = traced_chat.deployment
    last = Reply(["half ", "whole"], hold_after=1)
    calls = [Call("greet", {"name": "Ada"})]
    traced_chat.stub.script(traced_chat.session_id, Reply(calls=calls), last)
    await deployment.start_worker()
    async with traced_chat.tab() as tab:
        turn_id = await tab.session.send(traced_chat.session_id)
        started = await tab.until("turn_started")
        told = await tab.until("tool_call")
        await tab.until("assistant", streaming=True)
        await receiver.wait_for(told["trace_id"], told["span_id"])
        await kill_worker(deployment, started["worker"])
        await tab.until("turn_started", attempt=2)
        last.release()
        await tab.until_finished(turn_id)
    turn = await read_traced_turn(receiver, tab)
    turn.check()
    assert turn.finished["status"] == "completed"
    attempts = [call.begin["attempt"] for call in turn.calls]
    assert attempts == [1, 1, 1, 2, 2, 2]
    (cut_off,) = [call for call in turn.calls if call.span_id not in turn.spans]
    assert cut_off is turn.calls[2]
    assert (cut_off.end["attempt"], cut_off.end["is_error"]) == (1, True)


async def kill_worker(deployment: Deployment, worker: str) -> None:
    """Kill the worker that calls itself so."""
    (process,) = [own for own in deployment.processes if worker.endswith(f"-{own.process.pid}")]
    await process.kill()


def tokens_of(turn: TracedTurn) -> list[tuple[int | None, ...]]:
    names = ("prompt_tokens", "completion_tokens", "total_tokens")
    ends = [call.end for call in turn.calls if call.end.type == "openai_response"]
    return [tuple(end[name] for name in names) for end in ends]
