"""A call that waits, and how it is ended: closed by another thread, given up, interrupted."""

import asyncio
import itertools
import os
import signal
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from textwrap import indent

import pytest
from fake_gateway import FakeGateway, FakeSocket, Patient
from fanline import Closed, Token
from waiting import opened, take

SOURCES = Path(__file__).parent.parent / "src"
TURN = "5b1c1c1e-8f1e-4a51-9d6d-0d4a40a1a000"


@pytest.mark.parametrize("is_connected", [True, False])
async def test_closing_ends_what_other_threads_wait_for(
    gateway: FakeGateway, is_connected: bool
) -> None:
    """Also where there is no gateway, and the next try would be in an hour."""
    backoff = Patient()
    async with opened(gateway, backoff=backoff) as (session, socket):
        reading = asyncio.create_task(take(session, 1))
        await asyncio.to_thread(session.send, "why")
        if not is_connected:
            socket.vanish()
            await asyncio.to_thread(backoff.waits.wait)
        await asyncio.gather(*(asyncio.to_thread(session.close) for _ in range(2)))
        assert await reading == []
    assert gateway.has_no_other_socket()


async def test_a_question_ends_with_its_session_and_the_next_one_is_not_begun(
    gateway: FakeGateway,
) -> None:
    async with opened(gateway) as (session, socket):
        asking = asyncio.create_task(asyncio.to_thread(session.ask, "why"))
        await socket.next()
        await asyncio.to_thread(session.close)
        calls: list[Callable[[], object]] = [
            lambda: session.ask("why"),
            lambda: session.send("why"),
            lambda: session.cancel(TURN),
        ]
        with pytest.raises(Closed):
            await asking
        for call in calls:
            with pytest.raises(Closed):
                await asyncio.to_thread(call)
        assert await take(session, 1) == []


async def test_a_call_that_was_given_up_loses_no_event(gateway: FakeGateway) -> None:
    """Whenever its time is over: before the event came, after, or between. The cursor is that of
    the last one that was given."""
    timeouts = itertools.cycle([0, 0.00005, 0.0001, 0.0005, 5])
    async with opened(gateway) as (session, socket):
        await socket.say_pieces(*(f"7-{seq}" for seq in range(1, 201)))

        def read() -> list[str]:
            places: list[str] = []
            while len(places) < 200:
                session.timeout_seconds = next(timeouts)
                assert str(session.cursor) == (places[-1] if places else "None")
                try:
                    places.append(str(next(session).position))
                except TimeoutError:
                    continue
            return places

        assert await asyncio.to_thread(read) == [f"7-{seq}" for seq in range(1, 201)]


async def test_a_question_that_was_given_up_takes_no_more_events(gateway: FakeGateway) -> None:
    async with opened(gateway) as (session, socket):
        session.timeout_seconds = 0.05
        with pytest.raises(TimeoutError):
            await asyncio.to_thread(session.ask, "why")
        session.timeout_seconds = None
        await socket.say_pieces("7-1")
        assert await take(session, 1) == ["7-1"]


def clinging(asked: list[None]) -> Token:
    """The second time it is asked, it does not end when it is told to once."""

    async def give() -> str:
        asked.append(None)
        if len(asked) == 2:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                await asyncio.Event().wait()
        return "token"

    return give


async def test_the_next_call_begins_when_the_one_that_was_given_up_has_ended(
    gateway: FakeGateway,
) -> None:
    asked: list[None] = []
    async with opened(gateway, token=clinging(asked)) as (session, socket):
        socket.vanish()
        session.timeout_seconds = 0.05
        while len(asked) < 2:
            with pytest.raises(TimeoutError):
                await take(session, 1)
        with pytest.raises(TimeoutError):
            await take(session, 1)
        assert len(asked) == 2


async def test_closing_ends_also_what_clings(gateway: FakeGateway) -> None:
    asked: list[None] = []
    async with opened(gateway, token=clinging(asked)) as (session, socket):
        socket.vanish()
        reading = asyncio.create_task(take(session, 1))
        while len(asked) < 2:
            await asyncio.wait((reading,), timeout=0.01)
        await asyncio.to_thread(session.close)
        assert await reading == []


@dataclass
class Program:
    """One that runs, and its socket."""

    process: asyncio.subprocess.Process
    output: asyncio.StreamReader
    socket: FakeSocket

    async def dies_of_ctrl_c(self) -> None:
        """As Python does, and without a word of what it has left open."""
        self.process.send_signal(signal.SIGINT)
        _, err = await self.process.communicate()
        assert self.process.returncode == -signal.SIGINT
        assert err.decode().splitlines()[-1] == "KeyboardInterrupt", err.decode()


@asynccontextmanager
async def program(gateway: FakeGateway, body: str) -> AsyncGenerator[Program, None]:
    """A process whose main thread has a session for this body, for Ctrl-C to interrupt it."""
    head = (
        "import sys\nfrom fanline.sync import connect\nwith connect(sys.argv[1], 's') as session:"
    )
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-X", "dev", "-c", head + indent(body, " "), gateway.url),
        env=os.environ | {"PYTHONPATH": str(SOURCES)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        yield Program(process, process.stdout, await gateway.next_socket())
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


INTERRUPTED = """
try:
    print("waits", flush=True)
    next(session)
except KeyboardInterrupt:
    print("interrupted", flush=True)
print(next(session).position, flush=True)
session.ask("why")
"""


async def test_an_interrupted_call_ends_and_the_session_goes_on(gateway: FakeGateway) -> None:
    """The next call gets the event that the interrupted one waited for. A Ctrl-C that nobody
    catches ends the program, and the socket in good order."""
    async with program(gateway, INTERRUPTED) as running:
        assert await running.output.readline() == b"waits\n"
        running.process.send_signal(signal.SIGINT)
        assert await running.output.readline() == b"interrupted\n"
        await running.socket.say_pieces("7-1")
        assert await running.output.readline() == b"7-1\n"
        assert (await running.socket.next())["content"] == "why"
        await running.dies_of_ctrl_c()
        assert await running.socket.closed() == 1000


async def test_closing_a_frozen_gateway_can_be_interrupted(gateway: FakeGateway) -> None:
    async with program(gateway, "\nprint('leaves', flush=True)") as running:
        running.socket.freeze()
        assert await running.output.readline() == b"leaves\n"
        await running.dies_of_ctrl_c()
        running.socket.vanish()
