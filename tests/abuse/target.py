"""What an attacker is told and what it tells: who is attacked, and how each try was answered."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import Random
from typing import Any

import jwt

from tests.abuse.peer import Answer, Cut, Header, Headers, Peer, connect, upgrade

UNEXPECTED = "UNEXPECTED"
"""How a label begins that makes its row red."""

Who = Callable[[int], tuple[str, str]]
"""The session and the address of the try of this number."""

SENT = "frames sent"
"""Of a flood within sockets: so many were tried, whatever was answered."""

Tally = Counter[str]
"""How often each answer was given: one a try, or one a frame."""


@dataclass(frozen=True)
class Target:
    """A gateway, and what the attacker knows and has."""

    port: int
    secret: str
    """Of the tokens that are good; an attacker uses it for tokens of its own sessions only."""
    victim: str
    """A session of somebody else."""
    seed: str
    request_seconds: float

    def random(self, name: str) -> Random:
        """The same choices for the same seed."""
        return Random(f"{self.seed}/{name}")

    def token(self, *, secret: str = "", seconds: float = 3600, **claims: Any) -> str:
        """A token; a good one unless something else is asked for."""
        told = {"exp": time.time() + seconds, **claims}
        return jwt.encode(told, secret or self.secret, "HS256")

    def bearer(self, **claims: Any) -> Header:
        """A good token of the attacker's own, in a header."""
        return b"Authorization", b"Bearer " + self.token(**claims).encode()

    async def connect(self, **options: Any) -> Peer:
        return await connect(self.port, **options)

    async def ask(self, data: bytes, **options: Any) -> Answer:
        """The answer to one request on a connection of its own. Raises `Cut`, `TimeoutError`."""
        peer = await self.connect(**options)
        try:
            peer.say(data)
            return await peer.answer()
        finally:
            peer.drop()

    async def open(
        self, session: str, address: str, headers: Headers = (), **options: Any
    ) -> tuple[Peer, Answer]:
        """A handshake for a session of the attacker's own, as a proxy would forward it from
        `address`. Raises `Cut`, and `TimeoutError`."""
        peer = await self.connect(**options)
        told = (self.bearer(sessions=session), came_from(address), *headers)
        peer.say(upgrade(f"session_id={session}".encode(), told))
        try:
            return peer, await peer.answer()
        except BaseException:
            peer.drop()
            raise


def came_from(address: str) -> Header:
    """What a proxy says of who is calling."""
    return b"X-Forwarded-For", address.encode("latin-1")


def address_of(number: int) -> str:
    """One of sixteen million addresses."""
    return f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


async def many(times: int, width: int, one: Callable[[int], Awaitable[Tally | str]]) -> Tally:
    """Do it so often, so many at once; what each says is counted. What is cut or not answered
    counts as that."""
    tally: Tally = Counter()
    numbers = iter(range(times))

    async def work() -> None:
        for number in numbers:
            try:
                told = await one(number)
            except Cut:
                told = "cut"
            except TimeoutError:
                told = "silence"
            tally.update([told] if isinstance(told, str) else told)

    await asyncio.gather(*(work() for _ in range(min(width, times))))
    return tally


def judged(name: str, told: str, allowed: set[str]) -> str:
    """The answer, or that it is none of those which are allowed to this try."""
    return told if told in allowed else f"{UNEXPECTED} {name}: {told}"
