"""Redis is away in the middle of a turn: the agent goes on, and the turn is whole when it is
back."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from dev.embedded_redis import EmbeddedRedis
from tests.support.chat import Chat
from tests.support.deployment import Deployment, deploy
from tests.support.eventually import eventually
from tests.support.stub_model import Call, Reply, StubModel


@pytest.fixture
async def own_redis(tmp_path: Path) -> AsyncGenerator[EmbeddedRedis, None]:
    """A server that the test may kill, and that has what it had when it is started again."""
    server = EmbeddedRedis(tmp_path / "redis", append_only=True)
    server.start()
    yield server
    server.stop()


@pytest.fixture
async def away(
    own_redis: EmbeddedRedis, stub: StubModel, tmp_path: Path
) -> AsyncGenerator[Deployment, None]:
    """A gateway and two workers: one runs the turn, the other might wrongly take it over."""
    async with deploy(own_redis, tmp_path, **stub.environment()) as deployment:
        await asyncio.gather(
            deployment.start_gateway(), deployment.start_worker(), deployment.start_worker()
        )
        yield deployment


@pytest.mark.parametrize(("seconds", "ends_while_away"), [(10, False), (2, True)])
async def test_a_turn_is_whole_though_redis_was_away(
    away: Deployment,
    own_redis: EmbeddedRedis,
    stub: StubModel,
    seconds: int,
    ends_while_away: bool,
) -> None:
    """Twice as long as the lease, with the model speaking all the time; or until after the model's
    last word. The worker that ran the turn finishes it: no second attempt, one run at the model."""
    chat = Chat(away, stub)
    words = [f"word{number} " for number in range(seconds * 10)]
    speech = Reply(words, chunk_seconds=0.1, hold_after=len(words))
    lookup = Reply(["Let me look. "], calls=[Call("count_patients", {})])
    stub.script(chat.session_id, lookup, speech)
    async with chat.tab() as tab:
        turn_id = await tab.session.send(chat.session_id)
        await tab.until("assistant", content=words[0])
        own_redis.kill()
        await tab.until("connection", status="reconnecting")
        await speech.reached_hold.wait()  # the model has spoken for so many seconds
        if ends_while_away:
            speech.release()
        await asyncio.to_thread(own_redis.start)
        speech.release()
        turn = await tab.until_finished(turn_id)
        assert (turn.status, turn.attempt) == ("completed", 1)
        assert turn.answer == "Let me look. " + "".join(words)
        after = f"after {chat.session_id[::-1]}"
        assert (await tab.ask(after)).status == "completed"
    assert stub.runs(chat.session_id) == 1

    loaded = await chat.fresh_load()
    kinds = loaded.kinds()
    assert kinds.count("turn_started") == kinds.count("turn_finished") == 2
    assert kinds.count("tool_call") == kinds.count("tool_result") == 1
    assert kinds.count("openai_call") == kinds.count("openai_response") == 3
    assert loaded.conversation.turns[turn_id].answer == turn.answer
    assert not [event for event in loaded.events if event.get("streaming")], "no delta is left"
    said = [message["content"] for message in stub.requests[-1]["messages"]]
    assert said[-2:] == ["".join(words), after], "the next turn remembers this one"
    await away.check_nothing_is_left()


async def test_a_turn_with_more_to_say_than_may_wait_ends_as_failed(
    own_redis: EmbeddedRedis, stub: StubModel, tmp_path: Path
) -> None:
    """At `EMITTER_MAX_BYTES` the run is stopped, and the failure is told when Redis is back; what
    had begun has its end, and the next turn works."""
    async with deploy(own_redis, tmp_path, **stub.environment()) as deployment:
        _, worker = await asyncio.gather(
            deployment.start_gateway(), deployment.start_worker(emitter_max_bytes=4000)
        )
        chat = Chat(deployment, stub)
        speech = Reply(["x" * 100] * 200, chunk_seconds=0.02)
        stub.script(chat.session_id, speech)
        async with chat.tab() as tab:
            turn_id = await tab.session.send(chat.session_id)
            await tab.until("assistant", streaming=True)
            own_redis.kill()
            await eventually(lambda: "failed: unavailable" in worker.log(), "the run is stopped")
            await asyncio.to_thread(own_redis.start)
            turn = await tab.until_finished(turn_id)
            assert turn.error is not None
            assert (turn.status, turn.error["code"], turn.answer) == ("failed", "unavailable", "")
            assert (await tab.ask(f"after {chat.session_id[::-1]}")).status == "completed"
        kinds = (await chat.fresh_load()).kinds()
        assert kinds.count("openai_call") == kinds.count("openai_response") == 2
        assert kinds.count("turn_finished") == 2
        await deployment.check_nothing_is_left()
