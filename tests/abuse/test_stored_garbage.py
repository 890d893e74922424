"""Redis may hold anything under our keys: what reads them says so, and goes on.

Who may write there is for Redis' access rules to say; a stranger's value, an older version's and a
restored half must not end a process.
"""

from collections.abc import AsyncGenerator
from hashlib import sha256
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dev.embedded_redis import EmbeddedRedis
from gateway.access import Denied
from gateway.limits import Rates, Seats
from gateway.tickets import Tickets
from shared.errors import NotALog
from shared.ids import SessionId, make_turn_id
from shared.inbox import SubmittedMessage
from shared.keys import Keys
from shared.lease import Lease
from shared.patient_request import PatientAnswers, PatientFailed, RequestId
from shared.redis_client import Redis, RefusedByRedis, connect_redis
from shared.session_log import SessionLog
from shared.work_stream import WorkStream
from tests.shared.one_session import OneSession

JSON_TEXTS = st.sampled_from(
    [b"", b"{", b"null", b"[]", b"{}", b'""', b"1", b"\xff\xfe", b'{"status":"found"}', b"NaN",
     b'{"session_id":1,"expires_at":"x"}', b'{"session_id":"s"}', b'{"type":"', b'{"type":"x"}',
     b"[" * 5000, b"1 2", b"1 x", b"-1 99999999999", b"9" * 400 + b" 9"]
)  # fmt: skip
garbage = JSON_TEXTS | st.binary(max_size=40)
names = st.sampled_from(
    [b"session_id", b"message_id", b"content", b"timestamp", b"traceparent", b"request_id",
     b"patient_id", b"event", b"x"]
)  # fmt: skip
values = st.sampled_from(
    [b"s", b"7f1e0c52-8a3d-4d2e-9b1a-0123456789ab", b"2026-01-01T00:00:00.000Z", b"\xff", b""]
) | st.binary(max_size=20)
few = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
async def client(redis_server: EmbeddedRedis) -> AsyncGenerator[Redis, None]:
    own = connect_redis(redis_server.url)
    yield own
    await own.aclose()


@pytest.fixture
async def keys(client: Redis) -> AsyncGenerator[Keys, None]:
    """A namespace of the test's own, of which nothing is left."""
    own = Keys(f"g{uuid4().hex[:12]}")
    yield own
    raw: Any = client
    async for key in raw.scan_iter(f"{own.namespace}:*"):
        await raw.delete(key)


@few
@given(st.dictionaries(names, values, min_size=1, max_size=7))
async def test_any_entry_of_the_work_stream_is_work_or_none(
    client: Redis, keys: Keys, fields: dict[bytes, bytes]
) -> None:
    """`None` for what is not ours: the worker drops it, and says so."""
    raw: Any = client
    stream = WorkStream(client, keys)
    await stream.create_group("c")
    await raw.xadd(keys.turns(), fields)
    (entry,) = await stream.read_new("c", 1, 100)
    assert entry.work is None or entry.work.traceparent is not None
    await stream.acknowledge(entry.entry_id)


@few
@given(garbage, garbage, garbage, st.sampled_from([b"event", b"x"]))
async def test_any_log_is_read_or_is_no_log(
    client: Redis, keys: Keys, stored: bytes, epoch: bytes, head: bytes, field: bytes
) -> None:
    """A stranger's entry in the stream, and strangers' numbers in the hash beside it."""
    raw: Any = client
    session_id = SessionId(uuid4().hex)
    own = keys.session(session_id)
    await raw.xadd(own.log, {field: stored}, id="5-1")
    await raw.hset(own.meta, mapping={"epoch": epoch, "head": head, "trimmed": epoch})
    log = SessionLog(client, keys)
    try:
        page = await log.read_after(session_id, None, 10)
    except NotALog:
        page = None
    assert page is None or all(entry.stored.startswith("{") for entry in page.entries)
    assert session_id in await log.read_heads([session_id])
    await raw.delete(own.log, own.meta)


@few
@given(garbage)
async def test_any_key_of_another_type_is_no_log(client: Redis, keys: Keys, value: bytes) -> None:
    raw: Any = client
    session_id = SessionId(uuid4().hex)
    own = keys.session(session_id)
    await raw.set(own.log, value)
    await raw.rpush(own.meta, value)
    log = SessionLog(client, keys)
    with pytest.raises(NotALog):
        await log.read_after(session_id, None, 10)
    assert await log.read_heads([session_id]) == {session_id: None}
    await raw.delete(own.log, own.meta)


@few
@given(garbage)
async def test_any_element_of_an_inbox_is_a_message_or_a_refusal(
    client: Redis, keys: Keys, element: bytes
) -> None:
    """A worker that looks for its next turn gets a turn, none, or one of two errors."""
    session = OneSession(client, keys, uuid4().hex)
    raw: Any = client
    item = await session.submit()
    lease = await session.acquire()
    assert isinstance(lease, Lease)
    await raw.lset(session.keys.inbox, 0, element)
    try:
        turn = await lease.peek()
    except (RefusedByRedis, NotALog):
        turn = None
    assert turn is None or turn.item.message.session_id == session.id
    await raw.delete(*session.keys.in_script_order())
    await session.work_stream.acknowledge(item.entry_id)


@few
@given(garbage)
async def test_any_answer_about_a_patient_is_one(client: Redis, keys: Keys, text: bytes) -> None:
    """What is none is a failure of whoever has written it."""
    raw: Any = client
    request_id = RequestId(uuid4().hex)
    await raw.rpush(keys.reply(request_id), text)
    assert isinstance(await PatientAnswers(client, keys).take(request_id, 1), PatientFailed)


@few
@given(garbage)
async def test_anything_behind_a_ticket_is_a_grant_or_a_refusal(
    client: Redis, keys: Keys, text: bytes
) -> None:
    """Nobody comes in by what cannot be read."""
    raw: Any = client
    ticket = "t" * 43
    await raw.set(keys.ticket(sha256(ticket.encode()).hexdigest()), text)
    with pytest.raises(Denied):
        await Tickets(client, keys, seconds=1).redeem(ticket, SessionId("s"))


@few
@given(garbage, st.sampled_from(["set", "hset", "rpush"]))
async def test_any_count_of_a_limit_lets_people_in(
    client: Redis, keys: Keys, text: bytes, kind: str
) -> None:
    """A limit that cannot be counted is none, as when Redis is away."""
    raw: Any = client
    for key in (keys.rate("session", "a"), keys.seats("session", "a")):
        await raw.delete(key)
        if kind == "set":
            await raw.set(key, text)
        elif kind == "hset":
            await raw.hset(key, "another gateway", text)
        else:
            await raw.rpush(key, text)
    assert await Rates(client, keys).wait_for("session", "a", 10**9) == 0
    assert await Seats(client, keys, "g").take("session", "a", 10**9)


async def test_a_message_is_what_it_was(client: Redis, keys: Keys) -> None:
    """The same search, with something to find."""
    stream = WorkStream(client, keys)
    await stream.create_group("c")
    message = SubmittedMessage(
        SessionId("s"), make_turn_id(), "hi", "2026-01-01T00:00:00.000Z", "t"
    )
    entry_id = await stream.submit(message)
    (entry,) = await stream.read_new("c", 1, 100)
    assert (entry.work, entry.entry_id) == (message, entry_id)
    await stream.acknowledge(entry_id)
