"""When reading rests, and when it goes on."""

import asyncio

import pytest

from shared import rest
from shared.rest import Rest
from tests.support.eventually import eventually

SECONDS = 0.001


class FakeTransport(asyncio.Transport):
    """Writes down what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[str] = []
        self.closing = False

    def is_closing(self) -> bool:
        return self.closing

    def pause_reading(self) -> None:
        self.told.append("pause")

    def resume_reading(self) -> None:
        self.told.append("resume")


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    clock = [100.0]
    monkeypatch.setattr(rest, "monotonic", lambda: clock[0])
    return clock


async def test_a_read_soon_after_another_is_followed_by_a_rest(now: list[float]) -> None:
    transport, reading = FakeTransport(), Rest(SECONDS)
    reading.after_read(transport)
    assert transport.told == []
    now[0] += SECONDS / 2
    reading.after_read(transport)
    assert transport.told == ["pause"]
    await eventually(lambda: transport.told == ["pause", "resume"], "reading goes on")


async def test_reads_that_are_far_apart_are_not(now: list[float]) -> None:
    transport, reading = FakeTransport(), Rest(SECONDS)
    for _ in range(5):
        reading.after_read(transport)
        now[0] += SECONDS * 1.01
    assert transport.told == []


async def test_with_no_seconds_reading_never_rests(now: list[float]) -> None:
    transport, reading = FakeTransport(), Rest(0)
    for _ in range(5):
        reading.after_read(transport)
    assert transport.told == []


async def test_a_connection_that_closes_meanwhile_is_left_alone(now: list[float]) -> None:
    transport, reading = FakeTransport(), Rest(SECONDS)
    reading.after_read(transport)
    reading.after_read(transport)
    transport.closing = True
    over = asyncio.Event()
    asyncio.get_running_loop().call_later(2 * SECONDS, over.set)  # due after the rest's end
    await over.wait()
    reading.after_read(transport)
    assert transport.told == ["pause"]
