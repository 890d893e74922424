"""Odd frames on a real socket: each gets a clear `error`, and the socket stays."""

import asyncio

import httpx2 as httpx
import pytest

from tests.gateway.conftest import MAX_INBOX, SOCKETS
from tests.gateway.log_writer import LogWriter
from tests.gateway.raw_tab import Frame, a_message, a_session, connected
from tests.support.deployment import Deployment

ODD_FRAMES: list[tuple[str, str | bytes, str]] = [
    ("C1 not JSON", "hello", "bad_json"),
    ("C1 empty", "", "bad_json"),
    ("C2 list", "[]", "bad_frame"),
    ("C2 string", '"message"', "bad_frame"),
    ("C2 number", "1", "bad_frame"),
    ("C2 null", "null", "bad_frame"),
    ("C2 true", "true", "bad_frame"),
    ("C3 binary", b'{"type":"message","session_id":"SESSION","content":"hi"}', "bad_frame"),
    ("C3 binary rubbish", b"\xff\x00\xfe", "bad_frame"),
    ("C4 no type", '{"session_id":"SESSION","content":"hi"}', "bad_frame"),
    ("C5 unknown type", '{"type":"zzz","session_id":"SESSION"}', "unknown_type"),
    ("C6 assistant", '{"type":"assistant","session_id":"SESSION","content":"x"}', "unknown_type"),
    ("C6 connection", '{"type":"connection","session_id":"SESSION"}', "unknown_type"),
    ("C8 no session", '{"type":"message","content":"hi"}', "bad_frame"),
    ("C13 blank", '{"type":"message","session_id":"SESSION","content":"  "}', "bad_frame"),
    ("C14 number", '{"type":"message","session_id":"SESSION","content":7}', "bad_frame"),
    ("C17 deep", "[" * 100_000, "bad_json"),
    ("C17 huge", '{"type":' + "9" * 100_000 + "}", "bad_json"),
    ("C17 NaN", '{"type":NaN}', "bad_json"),
    ("C17 twice", '{"type":"message","type":"cancel"}', "bad_json"),
    ("C18 lone", r'{"type":"message","session_id":"SESSION","content":"\ud800"}', "bad_frame"),
    (
        "unknown turn",
        '{"type":"cancel","session_id":"SESSION","turn_id":"7f1e0c52-8a3d-4d2e-9b1a-0123456789ab"}',
        "unknown_turn",
    ),
]


@SOCKETS
@pytest.mark.parametrize(
    ("odd", "code"), [case[1:] for case in ODD_FRAMES], ids=[case[0] for case in ODD_FRAMES]
)
async def test_an_odd_frame_gets_an_error_and_the_socket_stays(
    edge: Deployment, odd: str | bytes, code: str
) -> None:
    """C1 to C8, C13 to C18, R6, R8, R17: the next valid message of the same socket is accepted."""
    session_id = a_session()
    async with connected(edge.processes[0], session_id) as tab:
        if isinstance(odd, bytes):
            await tab.send(odd.replace(b"SESSION", session_id.encode()))
        else:
            await tab.send(odd.replace("SESSION", session_id))
        error = await tab.until("error")
        assert (error["code"], error["session_id"], error["retryable"]) == (code, session_id, False)
        assert "id" not in error, "it concerns this socket only"
        assert len(error["error"]) < 200
        await tab.is_usable()
        assert len(tab.events) == 1, "and nothing else was written"


@SOCKETS
async def test_what_one_tab_says_wrong_reaches_no_other_tab(edge: Deployment) -> None:
    """C6: server-only types are never relayed."""
    session_id = a_session()
    one, two = edge.processes
    async with connected(one, session_id) as sender, connected(two, session_id) as other:
        for kind in ("assistant", "tool_call", "tool_result", "connection", "error", "heartbeat"):
            await sender.send({"type": kind, "session_id": session_id, "content": "forged"})
            assert (await sender.until("error"))["code"] == "unknown_type"
        said = await sender.is_usable()
        assert await other.until("message") == said
        assert not [text for text in other.texts if "forged" in text]
        assert {frame["type"] for frame in other.frames} <= {"connection", "heartbeat", "message"}


async def test_a_message_to_another_session_is_written_to_neither(
    edge: Deployment, writer: LogWriter
) -> None:
    """C7."""
    mine, other = a_session(), a_session()
    async with connected(edge.processes[0], mine) as tab, connected(edge.processes[0], other):
        for frame in (a_message(other, "hi"), a_message("*", "hi"), a_message("", "hi")):
            await tab.send(frame)
            assert (await tab.until("error"))["code"] == "wrong_session"
        assert await writer.keys_of(mine) == await writer.keys_of(other) == []
        await tab.is_usable()
        assert await writer.keys_of(other) == []


async def test_a_stop_that_names_another_session_stops_nothing(edge: Deployment) -> None:
    """C7: nor does the right turn id in the wrong session."""
    mine, other = a_session(), a_session()
    gateway = edge.processes[0]
    async with connected(gateway, mine) as tab, connected(gateway, other) as victim:
        turn_id = await victim.say("keep this")
        await victim.until("message")
        await tab.send({"type": "cancel", "session_id": other, "turn_id": turn_id})
        assert (await tab.until("error"))["code"] == "wrong_session"
        await tab.send({"type": "cancel", "session_id": mine, "turn_id": turn_id})
        error = await tab.until("error")
        assert (error["code"], error["turn_id"]) == ("unknown_turn", turn_id)
        await victim.is_usable()
        assert [event["type"] for event in victim.events] == ["message", "message"]


@pytest.mark.parametrize(
    "content", ["x" * 32_768, "\U0001f600" * 32_768, "\x00" * 32_768], ids=["x", "emoji", "nul"]
)
async def test_content_at_the_limit_makes_the_round_trip(edge: Deployment, content: str) -> None:
    """C15: one code point more is `too_long`, and names the message."""
    async with connected(edge.processes[0], a_session()) as tab:
        message_id = await tab.say(content)
        assert (await tab.until("message", message_id=message_id))["content"] == content
        refused_id = await tab.say(content + "x")
        error = await tab.until("error")
        assert (error["code"], error["message_id"]) == ("too_long", refused_id)
        await tab.is_usable()


@pytest.mark.parametrize(
    "content",
    [
        "\U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f3f3\ufe0f\u200d\U0001f308",
        "\u0645\u0631\u062d\u0628\u0627 \u202eabc\u202c",
        "e\u0301\u0323 \u1100\u1161\u11a8",
        "a\u2028b\u2029c\x85d",
        "nul \x00 in the middle",
        '<script>alert("1")</script> **bold** \\" \\u0041',
    ],
    ids=["zwj", "rtl", "combining", "separators", "nul", "markup"],
)
async def test_text_makes_the_round_trip_exactly(edge: Deployment, content: str) -> None:
    """C18, and C19 as far as the wire goes: in both gateways' tabs, live and from the log."""
    session_id = a_session()
    one, two = edge.processes
    async with connected(one, session_id) as sender, connected(two, session_id) as other:
        await sender.say(content)
        assert (await sender.until("message"))["content"] == content
        assert (await other.until("message"))["content"] == content
    async with connected(one, session_id) as later:
        assert (await later.until("message"))["content"] == content


async def test_unknown_fields_of_a_message_are_ignored(edge: Deployment) -> None:
    """C20: and not stored."""
    async with connected(edge.processes[0], a_session()) as tab:
        await tab.say("hi", theme="dark", id="9-9", timestamp="never", turn_id="forged")
        said = await tab.until("message")
        assert said["content"] == "hi"
        assert said["turn_id"] == said["message_id"]
        assert not [word for word in ("dark", '"9-9"', "never", "forged") if word in tab.texts[-1]]


async def test_fifty_messages_at_once_are_taken_in_order_and_the_surplus_is_refused(
    edge: Deployment,
) -> None:
    """C21: at `MAX_INBOX` one more is `too_many`, names the message and may be tried again."""
    contents = [f"message {n}" for n in range(MAX_INBOX)]
    async with connected(edge.processes[0], a_session()) as tab:
        for content in contents:
            await tab.say(content)
        surplus = await tab.say("one too many")
        error = await tab.until("error")
        assert (error["code"], error["message_id"]) == ("too_many", surplus)
        assert error["retryable"] is True
        await tab.until_events(MAX_INBOX)
        assert tab.contents() == contents


async def test_a_full_inbox_still_knows_what_it_has_accepted(edge: Deployment) -> None:
    """C22: sending an accepted message again is harmless, and no `too_many`."""
    session_id = a_session()
    async with connected(edge.processes[0], session_id) as tab:
        ids = [await tab.say(f"message {n}") for n in range(MAX_INBOX)]
        await tab.until("message", message_id=ids[-1])
        await tab.send(a_message(session_id, "message 0", message_id=ids[0]))
        surplus = await tab.say("one too many")
        error = await tab.until("error")
        assert error["message_id"] == surplus
        assert len(tab.events) == MAX_INBOX


async def test_a_message_sent_twice_is_shown_once(edge: Deployment) -> None:
    """C22: at once on one socket, later on another gateway, and with other words."""
    session_id = a_session()
    one, two = edge.processes
    async with connected(one, session_id) as first, connected(two, session_id) as second:
        message_id = await first.say("hello")
        await first.send(a_message(session_id, "hello", message_id=message_id))
        await second.until("message", message_id=message_id)
        await second.send(a_message(session_id, "other words", message_id=message_id))
        await second.is_usable()
        assert second.contents() == ["hello", "still here?"]


async def test_two_tabs_that_send_at_the_same_time_see_one_order(edge: Deployment) -> None:
    """C23: on two gateways."""
    session_id = a_session()
    one, two = edge.processes
    async with connected(one, session_id) as left, connected(two, session_id) as right:
        for number in range(20):
            await asyncio.gather(left.say(f"left {number}"), right.say(f"right {number}"))
        for tab in (left, right):
            await tab.until_events(40)
    assert left.events == right.events
    assert [c for c in left.contents() if "left" in c] == [f"left {n}" for n in range(20)]
    assert [c for c in left.contents() if "right" in c] == [f"right {n}" for n in range(20)]


async def test_a_message_without_an_id_is_given_one(edge: Deployment) -> None:
    """R1: nothing but type, session and content is required."""
    session_id = a_session()
    async with connected(edge.processes[0], session_id) as tab:
        await tab.send(a_message(session_id, "hi"))
        said: Frame = await tab.until("message")
    assert said["message_id"] == said["turn_id"]
    assert len(said["message_id"]) == 36


@SOCKETS
async def test_refused_frames_are_counted_by_their_code(edge: Deployment) -> None:
    """The metric names the codes that the sockets were told."""
    async with connected(edge.processes[0], a_session()) as tab, httpx.AsyncClient() as http:
        await tab.send("hello")
        await tab.until("error")
        text = (await http.get(f"{edge.processes[0].http}/metrics")).text
    assert 'fanline_frames_refused_total{code="bad_json"}' in text
