"""What no attempt can get over ends the turn once, as failed: accepted means answered."""

import pytest

from tests.support.chat import Chat
from tests.support.deployment import Deployment
from tests.support.stub_model import Call, Reply, StubModel


@pytest.fixture
async def own_chat(deployment: Deployment, stub: StubModel) -> Chat:
    await deployment.start_gateway()
    await deployment.start_worker()
    return Chat(deployment, stub)


async def test_a_history_that_cannot_be_read_is_given_up_and_the_turn_answered(
    own_chat: Chat,
) -> None:
    """Another version of the framework may have written it."""
    async with own_chat.tab() as tab:
        await tab.ask("hello")
        async with own_chat.deployment.client() as client:
            await client.set(own_chat.keys.history, '[{"kind":"no-such"}]', ex=600)
        turn = await tab.ask("and now?")
    assert (turn.status, turn.answer) == ("completed", "echo: and now?")
    worker = own_chat.deployment.processes[-1]
    assert "its history is given up" in worker.log()


async def test_a_turn_whose_run_breaks_on_our_side_ends_as_failed_once(own_chat: Chat) -> None:
    """Here, what a cancelled message has left behind is none of ours; the next turn is answered."""
    async with own_chat.tab() as tab:
        await tab.ask("hello")
        async with own_chat.deployment.client() as client:
            await client.hset(own_chat.keys.meta, "unheard", "no json\n")
        turn = await tab.ask("and now?")
        assert turn.status == "failed"
        assert turn.error is not None
        assert turn.error["code"] == "internal"
        async with own_chat.deployment.client() as client:
            await client.hdel(own_chat.keys.meta, "unheard")
        assert (await tab.ask("again")).status == "completed"
    assert tab.kinds().count("turn_started") == 3
    worker = own_chat.deployment.processes[-1]
    worker.expected_errors.append("ends as failed")
    assert "ends as failed" in worker.log()


async def test_a_tool_name_that_is_no_text_is_told_as_text(own_chat: Chat) -> None:
    """A model wrote half a surrogate pair. The frames are text; the turn ends as failed, in its one
    attempt, because the name cannot be sent back to the provider; the next turn is answered."""
    own_chat.stub.script(
        own_chat.session_id, Reply(calls=[Call("no\ud800tool", {})]), Reply(["sorry"])
    )
    async with own_chat.tab() as tab:
        turn = await tab.ask(own_chat.session_id)
        assert tab.kinds().count("turn_started") == 1
        assert (await tab.ask("and now?")).answer == "echo: and now?"
    (call,) = [event for event in tab.events if event.type == "tool_call"]
    assert call["tool_name"] == "no\ufffdtool"
    assert turn.status == "failed"
    assert turn.error is not None
    assert turn.error["code"] == "internal"
