"""Coming back with a cursor: what is honoured, what is answered by `reset` and the whole log."""

import asyncio

import pytest

from shared.ids import SessionId
from tests.gateway.log_writer import LogWriter
from tests.gateway.raw_tab import RawTab, a_message, a_session, connected, opened
from tests.support.chat import Chat
from tests.support.deployment import Deployment
from tests.support.eventually import eventually
from tests.support.stub_model import Reply


async def write_five(writer: LogWriter) -> tuple[str, list[str]]:
    """A session with five messages: its id and their positions."""
    session_id = a_session()
    for number in range(5):
        await writer.say(session_id, f"message {number}")
    return session_id, await writer.positions(session_id)


async def load(edge: Deployment, session_id: str, cursor: str) -> RawTab:
    """What a tab is given that comes with `cursor`, up to the head that it is told."""
    async with opened(edge.processes[0], session_id, last_event_id=cursor) as tab:
        first = await tab.next()
        assert (first["type"], first["status"]) == ("connection", "connected")
        await tab.until_head(first["head"] if cursor != first["head"] else None)
        return tab


@pytest.mark.parametrize("seen", [1, 3, 5])
async def test_a_cursor_of_this_log_is_honoured(
    edge: Deployment, writer: LogWriter, seen: int
) -> None:
    """R25, C24: what comes is exactly what the tab has not seen."""
    session_id, positions = await write_five(writer)
    tab = await load(edge, session_id, positions[seen - 1])
    assert (tab.frames[0]["resumed"], tab.frames[0]["reset"]) == (True, False)
    assert [frame["id"] for frame in tab.events] == positions[seen:]


@pytest.mark.parametrize(
    "cursor",
    [
        "", "abc", "1", "-", "1-", "-1", "1-2-3", "-1-1", "1.0-1", "+1-1", "1- 1", " 1-1", "01-1",
        "\u0661-\u0661", "0x1-1", "1-1\n", "9" * 40 + "-1", "9007199254740992-1", "NaN", "null",
        "*", "$", ">", "0-0", "0-1", "1-1", "9007199254740991-1",
    ],
)  # fmt: skip
async def test_what_is_no_place_in_this_log_means_reset_and_the_whole_log(
    edge: Deployment, writer: LogWriter, cursor: str
) -> None:
    """C42: not a position, of another epoch, before or after this one. Never silent loss."""
    session_id, positions = await write_five(writer)
    tab = await load(edge, session_id, cursor)
    first = tab.frames[0]
    assert (first["resumed"], first["reset"], first["truncated"]) == (False, True, False)
    assert [frame["id"] for frame in tab.events] == positions


@pytest.mark.parametrize("ahead", [1, 1000])
async def test_a_cursor_ahead_of_the_head_means_reset(
    edge: Deployment, writer: LogWriter, ahead: int
) -> None:
    """C42: Redis may have forgotten what this tab has seen."""
    session_id, positions = await write_five(writer)
    epoch, head = positions[-1].split("-")
    tab = await load(edge, session_id, f"{epoch}-{int(head) + ahead}")
    assert (tab.frames[0]["resumed"], tab.frames[0]["reset"]) == (False, True)
    assert [frame["id"] for frame in tab.events] == positions


async def test_a_cursor_on_a_session_that_is_not_there_means_reset_and_an_empty_log(
    edge: Deployment,
) -> None:
    """C40, C42: it has expired, or never was."""
    async with opened(edge.processes[0], a_session(), last_event_id="1700000000000000-7") as tab:
        first = await tab.next()
        assert (first["resumed"], first["reset"], first["head"]) == (False, True, None)
        await tab.is_usable()


async def test_a_cursor_before_the_trim_mark_means_reset_and_truncated(
    edge: Deployment, writer: LogWriter
) -> None:
    """C42: older than what the log still has; a cursor within it is honoured."""
    session_id = a_session()
    small = LogWriter(writer.client, edge.keys, log_max_events=10)
    ids: list[str] = []
    for number in range(15):
        await small.say(session_id, f"message {number}")
        ids.append((await writer.positions(session_id))[-1])
    assert await writer.positions(session_id) == ids[5:]
    for cursor in (ids[0], ids[3]):
        tab = await load(edge, session_id, cursor)
        assert (tab.frames[0]["reset"], tab.frames[0]["truncated"]) == (True, True)
        assert [frame["id"] for frame in tab.events] == ids[5:]
    tab = await load(edge, session_id, ids[7])
    assert (tab.frames[0]["resumed"], tab.frames[0]["reset"]) == (True, False)
    assert [frame["id"] for frame in tab.events] == ids[8:]


async def test_a_fresh_tab_is_told_that_the_beginning_is_gone(
    edge: Deployment, writer: LogWriter
) -> None:
    """`truncated`, without a `reset`: it has nothing to drop."""
    session_id = a_session()
    small = LogWriter(writer.client, edge.keys, log_max_events=10)
    for number in range(11):
        await small.say(session_id, f"message {number}")
    async with connected(edge.processes[0], session_id) as tab:
        assert (tab.frames[0]["reset"], tab.frames[0]["truncated"]) == (False, True)
        assert (await tab.next())["content"] == "message 1"


async def test_a_tab_that_is_back_before_its_old_socket_is_known_dead_gets_all(
    edge: Deployment,
) -> None:
    """C26: on the same gateway and on another, while the old socket is still open."""
    session_id = a_session()
    one, two = edge.processes
    async with connected(one, session_id) as old:
        first = await old.is_usable()
        async with (
            connected(one, session_id, last_event_id=first["id"]) as same,
            connected(two, session_id, last_event_id=first["id"]) as other,
        ):
            said = await same.is_usable()
            assert await other.until("message") == said
            assert await old.until("message") == said
            assert same.events == other.events == [said]


async def test_a_tab_that_drops_in_mid_stream_misses_nothing_and_gets_nothing_twice(
    chat: Chat,
) -> None:
    """R25, C24: text and telemetry, on the other gateway, from wherever it had got to."""
    chat.stub.script(chat.session_id, reply := Reply(["one ", "two ", "three"], hold_after=2))
    one, two = chat.gateways[:2]
    async with connected(one, chat.session_id) as watcher:
        async with connected(one, chat.session_id) as first:
            turn_id = await first.say(chat.session_id)
            await first.until("assistant", streaming=True)
            first.vanish()
        reply.release()
        await watcher.until("turn_finished", turn_id=turn_id)
        cursor = first.events[-1]["id"]
        async with connected(two, chat.session_id, last_event_id=cursor) as second:
            assert second.frames[0]["resumed"] is True, "though its delta has left the log"
            await second.until("turn_finished", turn_id=turn_id)
    ids = [frame["id"] for frame in first.events + second.events]
    assert len(ids) == len(set(ids))
    kinds = [frame["type"] for frame in second.events]
    assert kinds == ["openai_response", "assistant", "turn_finished"]
    assert second.events[1]["content"] == "one two three"
    assert second.events == watcher.events[-3:]


async def test_a_session_that_expires_between_two_turns_is_a_new_conversation(chat: Chat) -> None:
    """C40: its open tab is told to drop what it has, and the model knows nothing of before."""
    async with connected(chat.gateways[0], chat.session_id) as tab:
        turn_id = await tab.say(f"before {chat.session_id}")
        await tab.until("turn_finished", turn_id=turn_id)
        async with chat.deployment.client() as client:

            async def is_settled() -> bool:
                return not await client.xlen(chat.deployment.keys.turns())

            # Else its message is asked for again, as one that the new conversation does not know.
            await eventually(is_settled, "its entry is acknowledged")
            for key in (chat.keys.log, chat.keys.meta, chat.keys.accepted, chat.keys.history):
                assert await client.expire(key, 0)
        turn_id = await tab.say(f"after {chat.session_id}")
        await tab.until("turn_finished", turn_id=turn_id)
        assert tab.contents() == [f"after {chat.session_id}"]
    (request,) = [
        body
        for body in chat.stub.requests
        if body["messages"][-1]["content"] == f"after {chat.session_id}"
    ]
    assert "before" not in str(request["messages"])


async def test_an_open_tab_learns_that_its_session_is_gone_though_nothing_is_said(
    edge: Deployment, writer: LogWriter
) -> None:
    """The comparison of heads finds it: a lost last message, or a lost log, reveals no gap."""
    session_id = a_session()
    async with connected(edge.processes[0], session_id) as tab:
        await writer.say(session_id, "one")
        await tab.until("message")
        keys = writer.keys.session(SessionId(session_id))
        await writer.client.delete(keys.log, keys.meta, keys.accepted, keys.inbox)
        await tab.until("connection", status="reconnecting")
        emptied = await tab.until("connection", status="connected")
        assert (emptied["reset"], emptied["head"]) == (True, None)
        await tab.is_usable()
        assert tab.contents() == ["still here?"]


async def test_a_message_sent_again_after_a_drop_is_shown_once(edge: Deployment) -> None:
    """C22, C24: the client does not know whether it arrived, and asks the other gateway."""
    session_id = a_session()
    one, two = edge.processes
    async with connected(one, session_id) as tab:
        message_id = await tab.say("did you get this?")
        tab.vanish()
    async with connected(two, session_id) as tab:
        again = a_message(session_id, "did you get this?", message_id=message_id)
        await asyncio.gather(tab.send(again), tab.send(again))
        await tab.is_usable()
        assert tab.contents() == ["did you get this?", "still here?"]
