"""The Redis client: what fails has one name; scripts run whether the server knows them or not."""

import asyncio

import pytest
from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    ClusterDownError,
    OutOfMemoryError,
    ReadOnlyError,
    ResponseError,
    TimeoutError,
    TryAgainError,
)

from dev.embedded_redis import EmbeddedRedis, free_port
from shared.errors import Unavailable
from shared.ids import SessionId
from shared.keys import Keys
from shared.redis_client import SCRIPTS, RefusedByRedis, Scripts, ask, connect_redis
from tests.shared.one_session import OneSession
from tests.support.frozen import frozen

NOBODY = "redis://127.0.0.1:1/0"
"""A client that is never connected."""


@pytest.mark.parametrize("url", ["http://localhost", "redis+magic://localhost", "localhost:6379"])
def test_a_scheme_that_is_not_served_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="REDIS_URL: scheme"):
        connect_redis(url)


async def test_a_server_that_is_not_there_is_unavailable() -> None:
    async with connect_redis(f"redis://127.0.0.1:{free_port()}/0") as client:
        with pytest.raises(Unavailable):
            await Scripts(client).run("peek", Keys().session(SessionId("s")))


@pytest.mark.parametrize(
    "error",
    [
        *(TimeoutError(), BusyLoadingError("LOADING"), ReadOnlyError("READONLY"), OSError()),
        *(TryAgainError("TRYAGAIN"), ClusterDownError("CLUSTERDOWN"), OutOfMemoryError("OOM")),
        *(ResponseError(f"{word} x") for word in ("MISCONF", "NOREPLICAS", "BUSY")),
    ],
)
async def test_what_passes_by_itself_is_unavailable(error: Exception) -> None:
    async def fail() -> None:
        raise error

    async with connect_redis(NOBODY) as client:
        with pytest.raises(Unavailable) as caught:
            await ask(client, fail)
    assert str(caught.value)
    assert caught.value.__cause__ is error


async def test_what_a_full_redis_says_names_no_key(own_server: EmbeddedRedis) -> None:
    """The client puts a pipeline's command before the error, and keys hold whole ids of
    sessions."""
    own_server.options = ["--maxmemory", "1"]
    own_server.start()
    try:
        async with connect_redis(own_server.url) as client:
            pipeline = client.pipeline(transaction=False)
            pipeline.set(Keys().session(SessionId("a-secret")).log, "x")
            with pytest.raises(Unavailable, match=r"^command not allowed") as full:
                await ask(client, pipeline.execute)
    finally:
        own_server.kill()
    assert "secret" not in f"{full.value!s} {full.value.__cause__!s}"


async def test_what_redis_refuses_keeps_its_own_error() -> None:
    async def fail() -> None:
        raise ResponseError("WRONGTYPE that key holds something else")

    async with connect_redis(NOBODY) as client:
        with pytest.raises(RefusedByRedis, match="WRONGTYPE"):
            await ask(client, fail)


async def test_a_call_that_is_not_answered_in_time_is_unavailable() -> None:
    async with connect_redis(NOBODY, timeout_seconds=0.01) as client:
        with pytest.raises(Unavailable):
            await ask(client, asyncio.Event().wait)


async def test_a_wrong_password_is_told_as_what_it_is(redis_server: EmbeddedRedis) -> None:
    """It is no passing absence for the person who set it, but callers treat it as one."""
    url = f"redis://:wrong@127.0.0.1:{redis_server.port}/0"
    async with connect_redis(url) as client:
        with pytest.raises((Unavailable, AuthenticationError), match="AUTH"):
            await Scripts(client).run("peek", Keys().session(SessionId("s")))


async def test_scripts_run_after_the_server_has_forgotten_them(session: OneSession) -> None:
    """A restarted server knows no script: the text is sent once more, and runs once."""
    await session.submit()
    await session.client.script_flush()
    item = await session.submit()
    assert await session.kinds() == ["message", "message"]
    lease = await session.acquire()
    await session.client.script_flush()
    await lease.renew((await session.waiting())[0])  # pyright: ignore[reportArgumentType]
    assert (await session.waiting())[1] == item.message.message_id


async def test_a_script_that_is_known_is_not_sent_again(session: OneSession) -> None:
    await session.submit()
    before = await session.client.info("commandstats")
    await session.submit()
    after = await session.client.info("commandstats")
    calls = [stats.get("cmdstat_eval", {"calls": 0})["calls"] for stats in (before, after)]
    assert calls[0] == calls[1]
    assert after["cmdstat_evalsha"]["calls"] > before.get("cmdstat_evalsha", {"calls": 0})["calls"]


async def test_two_that_run_a_script_for_the_first_time_together_both_do(
    session: OneSession,
) -> None:
    await session.client.script_flush()
    await asyncio.gather(*(session.submit() for _ in range(8)))
    seqs = [int(event["id"].split("-")[1]) for event in await session.events()]
    assert seqs == list(range(1, 9))


async def test_a_frozen_server_is_unavailable_and_what_was_asked_happens_once(
    own_server: EmbeddedRedis,
) -> None:
    """The call waits in the frozen server and runs when it thaws; asked again it is the same."""
    own_server.start()
    try:
        async with connect_redis(own_server.url, timeout_seconds=0.2) as client:
            session = OneSession(client, Keys())
            item = await session.submit()
            message = session.message("two")
            with frozen(own_server), pytest.raises(Unavailable):
                await session.inbox.enqueue(message, item.entry_id)
            while True:
                try:
                    await session.inbox.enqueue(message, item.entry_id)
                    break
                except Unavailable:
                    continue
            assert await session.kinds() == ["message", "message"]
            assert (await session.waiting())[1] == message.message_id
    finally:
        own_server.kill()


def test_every_script_says_what_it_takes_and_what_it_replies() -> None:
    for path in SCRIPTS.glob("*.lua"):
        first = path.read_text().split("\nlocal ")[0]
        assert first.startswith("-- "), path.name
        if path.stem != "prelude":
            assert "Repl" in first, path.name


async def test_a_loop_of_calls_that_is_cancelled_ends_wherever_it_is(session: OneSession) -> None:
    """Also when the cancellation comes together with the end of a write or of a read: a client that
    swallowed it left loops that ran on for ever."""

    async def call_again_and_again() -> None:
        while True:
            await session.work_stream.ping()

    for turns_of_the_loop in range(60):
        task = asyncio.create_task(call_again_and_again())
        for _ in range(turns_of_the_loop):
            await asyncio.sleep(0)
        task.cancel()
        done, _ = await asyncio.wait((task,), timeout=5)
        assert done, f"it runs on, cancelled after {turns_of_the_loop} turns"
