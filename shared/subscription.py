"""What a process listens to: channels that stay subscribed, whatever becomes of connections.

One connection carries every channel; on a cluster, one to each node carries those of its slots.
Where one is lost it is made again and its channels subscribed again, at the node that has them by
then; what was published meanwhile is gone, which is why the listener is told and reads the log.
"""

import asyncio
import logging
import random
from collections import defaultdict
from collections.abc import Collection, Iterable

from shared.listeners import Listener, tell_part_lost, tell_part_restored
from shared.redis_client import UNAVAILABLE, Redis
from shared.refusals import tell_refusal
from shared.rest import Rest
from shared.subscription_line import Line

_log = logging.getLogger(__name__)

RECONNECT_FIRST_SECONDS = 0.05
RECONNECT_LONGEST_SECONDS = 1.0


class Subscription:
    """Keeps `subscribe`d channels subscribed for as long as `run` runs."""

    def __init__(self, client: Redis, listener: Listener, *, rest_seconds: float = 0) -> None:
        """`rest_seconds`: how long each connection's reading rests where texts come one by one."""
        self._client = client
        self._listener = listener
        self._rest_seconds = rest_seconds
        self._wanted: dict[bytes, asyncio.Future[None]] = {}
        self._lines: dict[Redis, Line] = {}
        self._line_of: dict[bytes, Line] = {}
        self._told_lost: set[bytes] = set()
        """Channels that a part listener was told of and not yet that they are back."""
        self._astray: dict[bytes, Redis | None] = {}
        """Channels that no line carries, with the node that sent them away."""
        self._in_doubt: set[Line] = set()
        """Lines that were lost: their channels may be elsewhere by now."""
        self._to_do = asyncio.Event()
        self._keeping: asyncio.TaskGroup | None = None

    async def run(self) -> None:
        """Connect, and connect again whenever a connection is lost, until cancelled."""
        async with asyncio.TaskGroup() as self._keeping:
            for node in self._client.nodes():
                self._open(node)
            self._to_do.set()
            delay = RECONNECT_FIRST_SECONDS
            while True:
                await self._to_do.wait()
                self._to_do.clear()
                found = await self._find_lines()
                delay = RECONNECT_FIRST_SECONDS if found else _longer(delay)
                await asyncio.sleep(delay)

    async def subscribe(self, channel: str) -> None:
        """Returns when Redis has confirmed: what is published from here on arrives, or the listener
        is told that it is lost. Cancelling it leaves the channel subscribed; call `unsubscribe`."""
        name = channel.encode()
        confirmed = self._wanted.get(name)
        if confirmed is None:
            confirmed = self._wanted[name] = asyncio.get_running_loop().create_future()
            self._place([name])
        await asyncio.shield(confirmed)

    def unsubscribe(self, channel: str) -> None:
        """Stop listening. Texts on their way may still arrive."""
        name = channel.encode()
        confirmed = self._wanted.pop(name, None)
        if confirmed is not None:
            confirmed.cancel()
            self._told_lost.discard(name)
            line = self._line_of.pop(name, None)
            if line is not None:
                line.leave(name)

    def line_of(self, channel: str) -> Line | None:
        """The connection that carries the channel, or will when it is there."""
        return self._line_of.get(channel.encode())

    def reconnect(self) -> None:
        """Give up the present connections: they are open but nothing arrives on them."""
        for line in self._lines.values():
            line.reconnect()

    @property
    def is_connected(self) -> bool:
        """Whether every connection stands and its channels are confirmed."""
        return bool(self._lines) and all(line.is_connected for line in self._lines.values())

    # from the lines

    def on_confirmed(self, line: Line, channels: list[bytes]) -> None:
        back: list[bytes] = []
        for channel in channels:
            if self._line_of.get(channel) is not line:
                continue  # unsubscribed, or elsewhere, meanwhile
            if not self._wanted[channel].done():
                self._wanted[channel].set_result(None)
            if channel in self._told_lost:
                back.append(channel)
        if back:
            self._told_lost.difference_update(back)
            tell_part_restored(self._listener, back)

    def on_sent_away(self, line: Line, channels: list[bytes]) -> None:
        for channel in channels:
            del self._line_of[channel]
            self._astray[channel] = line.node
        self._lose(channels)
        self._to_do.set()

    def on_line_lost(self, line: Line) -> None:
        self._in_doubt.add(line)
        self._to_do.set()
        self._lose(line.channels)
        if not self._client.is_sharded:
            self._listener.on_lost()

    def on_line_restored(self, line: Line) -> None:
        if not self._client.is_sharded:
            self._listener.on_restored()

    # inside

    def _open(self, node: Redis) -> Line:
        assert self._keeping is not None
        rest = Rest(self._rest_seconds)
        line = self._lines[node] = Line(node, self, self._listener.on_batch, rest)
        self._keeping.create_task(self._keep(line))
        return line

    async def _keep(self, line: Line) -> None:
        """Keep the line connected for as long as it is one of ours."""
        delay, said = RECONNECT_FIRST_SECONDS, ""
        while self._lines.get(line.node) is line:
            try:
                await line.carry()
                delay, said = RECONNECT_FIRST_SECONDS, ""
                _log.warning("subscription: lost its connection to Redis")
            except UNAVAILABLE as error:
                tell_refusal(error)
                reason = str(error) or type(error).__name__
                if reason != said:  # once: Redis may be away for hours
                    _log.warning("subscription: no connection to Redis: %s", reason)
                said = reason
                self._in_doubt.add(line)
                self._to_do.set()
                await asyncio.sleep(delay * random.uniform(0.5, 1))
                delay = _longer(delay)

    def _place(self, channels: Iterable[bytes]) -> None:
        """Give each channel to the line of the server that has it."""
        shares: defaultdict[Line, list[bytes]] = defaultdict(list)
        for channel in channels:
            node = self._client.node_of(channel) if self._keeping is not None else None
            if node is None:
                self._astray.setdefault(channel, None)
                continue
            line = self._line_of[channel] = self._lines.get(node) or self._open(node)
            shares[line].append(channel)
        for line, share in shares.items():
            line.take(share)
        if self._astray:
            self._to_do.set()

    async def _find_lines(self) -> bool:
        """Find out who has the channels that are carried by nobody, or not for certain; whether
        somebody could say. What is lost while an answer is on its way may not be decided by it: the
        next one tells."""
        astray, self._astray = self._astray, {}
        in_doubt, self._in_doubt = self._in_doubt, set()
        for teller in dict.fromkeys(astray.values()) or (None,):
            try:
                await self._client.look_again(teller)  # who has sent a channel away knows best
            except UNAVAILABLE as error:
                _log.warning("subscription: %s", str(error) or type(error).__name__)
                self._astray = astray | self._astray
                self._in_doubt |= in_doubt
                self._to_do.set()
                return False
            found = [channel for line in in_doubt for channel in self._review(line)]
            found += [channel for channel, sender in astray.items() if sender is teller]
            in_doubt = set[Line]()
            self._place(channel for channel in found if self._is_homeless(channel))
        return True

    def _is_homeless(self, channel: bytes) -> bool:
        places = (self._line_of, self._astray)
        return channel in self._wanted and not any(channel in place for place in places)

    def _review(self, line: Line) -> list[bytes]:
        """Take from a line what is elsewhere by now, and give it up if its server has nothing."""
        gone = [name for name in line.channels if self._client.node_of(name) is not line.node]
        for channel in gone:
            line.leave(channel)
            del self._line_of[channel]
        if not line.channels and line.node not in self._client.nodes():
            self._lines.pop(line.node, None)
        return gone

    def _lose(self, channels: Collection[bytes]) -> None:
        """These are confirmed no more."""
        gone = [channel for channel in channels if self._wanted[channel].done()]
        for channel in gone:
            self._wanted[channel] = asyncio.get_running_loop().create_future()
        if gone and self._client.is_sharded:
            self._told_lost.update(gone)
            tell_part_lost(self._listener, gone)


def _longer(delay: float) -> float:
    return min(delay * 2, RECONNECT_LONGEST_SECONDS)
