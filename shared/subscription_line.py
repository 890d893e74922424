"""One pub/sub connection of a process: to the server, or to one node of a cluster.

redis-py makes the connection (address, TLS, AUTH); then its bytes are read here, in whole socket
reads, by hiredis: what one read brought is handed over as one batch.

A node of a cluster may send a channel away: by MOVED, or by saying that it is subscribed no more.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from time import monotonic
from typing import Any, Protocol, cast

import hiredis
from redis.crc import key_slot
from redis.exceptions import ConnectionError as RedisConnectionError

from shared.redis_server import Redis, check_role
from shared.rest import Rest

CHANNELS_PER_COMMAND = 1000
READ_BYTES = 1_048_576
"""Taken from the socket at once. The more comes in one read, the fewer writes do its tabs cost."""
FEED_BYTES = 16_384
"""Given to hiredis at once. It moves all that it has left whenever it has parsed a kilobyte: with a
megabyte, that took half of all CPU."""
Batch = dict[bytes, list[bytes]]
"""What one read from Redis brought: payloads in order, by channel."""
OnBatch = Callable[[Batch], None]


class LineOwner(Protocol):
    """Who is told, on the event loop."""

    def on_confirmed(self, line: "Line", channels: list[bytes]) -> None: ...

    def on_sent_away(self, line: "Line", channels: list[bytes]) -> None: ...

    def on_line_lost(self, line: "Line") -> None: ...

    def on_line_restored(self, line: "Line") -> None: ...


class Line(asyncio.BufferedProtocol):
    """Carries channels of one server, as long as `carry` runs."""

    def __init__(self, node: Redis, owner: LineOwner, on_batch: OnBatch, rest: Rest) -> None:
        self.node = node
        self._owner = owner
        self._on_batch = on_batch
        self._rest = rest
        self._prefix = b"S" if node.is_sharded else b""
        self._message = b"smessage" if node.is_sharded else b"message"
        self._slots: defaultdict[int, set[bytes]] = defaultdict(set)
        """The channels by slot; where nothing is sharded, there is one."""
        self._unconfirmed: defaultdict[int, Counter[bytes]] = defaultdict(Counter)
        """SUBSCRIBEs by slot and channel that Redis has not answered yet: after one that was taken
        back, the first answer is not that of the second."""
        self._confirmed: list[bytes] = []  # by the read that is under way
        self._transport: asyncio.Transport | None = None
        self._reader: Any = hiredis.Reader()
        # A view: asyncio may fill a slice of it, and that of a bytearray would be a copy.
        self._read_into = memoryview(bytearray(READ_BYTES))
        self._lost = asyncio.Event()
        self._refusal = ""
        self._restoring = False
        self._confirmed_at = 0.0

    @property
    def channels(self) -> list[bytes]:
        return [channel for channels in self._slots.values() for channel in channels]

    @property
    def is_connected(self) -> bool:
        return self._transport is not None and not self._restoring

    @property
    def restoring_in_silence_seconds(self) -> float:
        """For how long no channel was confirmed on a connection that waits for that."""
        is_waiting = self._transport is not None and self._restoring
        return monotonic() - self._confirmed_at if is_waiting else 0.0

    async def carry(self) -> None:
        """Connect, and return when the connection is lost. Raises what the client raises when there
        is none, and `RedisConnectionError` for one on which Redis refused a command."""
        connection = await self._connect()
        try:
            await self._lost.wait()
        finally:
            self._transport = None
            self._restoring = False
            self._owner.on_line_lost(self)
            # redis-py owns the socket object: let it close what it opened.
            await connection.disconnect(nowait=True)
        if self._refusal:
            raise RedisConnectionError(self._refusal)

    def take(self, channels: list[bytes]) -> None:
        """Subscribe to these, now or when there is a connection."""
        for channel in channels:
            self._slots[self._slot_of(channel)].add(channel)
        if self._transport is not None:
            self._subscribe(channels)

    def leave(self, channel: bytes) -> None:
        """Carry it no more. Texts on their way may still arrive."""
        self._forget(channel)
        if self._transport is not None:
            self._send(b"UNSUBSCRIBE", [channel])

    def reconnect(self) -> None:
        """Give up the present connection: it is open but nothing arrives on it."""
        if self._transport is not None:
            self._transport.abort()

    # asyncio.BufferedProtocol

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._read_into

    def buffer_updated(self, nbytes: int) -> None:
        batch: Batch = {}
        for start in range(0, nbytes, FEED_BYTES):
            self._reader.feed(self._read_into, start, min(FEED_BYTES, nbytes - start))
            if not self._take_replies(batch):
                return
        if self._confirmed:
            self._confirmed_at = monotonic()  # other texts are no sign: an answer may be lost
            self._owner.on_confirmed(self, self._confirmed)
            self._confirmed = []
        if self._restoring:
            self._finish_restoring()
        if batch:
            self._on_batch(batch)
            if nbytes < FEED_BYTES and self._transport is not None:  # else one brings enough
                self._rest.after_read(self._transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None  # at once: nothing may be written to it any more
        self._lost.set()

    # inside

    def _take_replies(self, batch: Batch) -> bool:
        """Sort what is complete of what was fed; `False` ends this connection."""
        gets = self._reader.gets
        while (reply := gets()) is not False:
            if reply.__class__ is list and reply[0] == self._message:
                if reply[1] in batch:
                    batch[reply[1]].append(reply[2])
                else:
                    batch[reply[1]] = [reply[2]]
            elif not self._take_answer(reply):
                return False
        return True

    async def _connect(self) -> Any:
        pool: Any = self.node.connection_pool
        connection = pool.make_connection()
        try:
            async with asyncio.timeout(self.node.timeout_seconds):
                await connection.connect()
                if self.node.is_sharded:
                    await check_role(connection)
        except BaseException:
            # Also when it is cut off in the middle: the client does not close what it has opened.
            await connection.disconnect(nowait=True)
            raise
        self._lost.clear()
        self._refusal = ""
        self._confirmed_at = monotonic()
        self._reader = hiredis.Reader()
        self._transport = cast(asyncio.Transport, connection._writer.transport)  # the one way to it
        self._transport.set_protocol(self)
        self._restoring = True
        self._unconfirmed.clear()
        self._confirmed.clear()
        self._subscribe(self.channels)
        self._finish_restoring()
        return connection

    def _take_answer(self, reply: object) -> bool:
        """An answer to a command of ours; `False` ends this connection."""
        match reply:
            case [b"subscribe" | b"ssubscribe", bytes(channel), int()]:
                if self._confirm(channel):
                    self._confirmed.append(channel)
            case [b"sunsubscribe", bytes(channel), int()]:
                # Of one that was subscribed again meanwhile, the answer is on its way.
                slot = self._slot_of(channel)
                if channel not in self._unconfirmed.get(slot, ()):
                    self._send_away(slot, [channel])
            case hiredis.ReplyError() if (words := str(reply).split())[0] == "MOVED":
                slot = int(words[1])
                self._send_away(slot, self._unconfirmed.pop(slot, ()))
            case hiredis.ReplyError():
                self._refusal = str(reply)
                self.reconnect()
                return False
            case _:
                pass  # unsubscribed
        return True

    def _confirm(self, channel: bytes) -> bool:
        """Count an answer; whether it was the last that the channel waited for."""
        waiting = self._unconfirmed[slot := self._slot_of(channel)]
        waiting[channel] -= 1
        if waiting[channel] > 0:
            return False
        del waiting[channel]
        if not waiting:
            del self._unconfirmed[slot]
        return True

    def _send_away(self, slot: int, channels: Iterable[bytes]) -> None:
        gone = self._slots.get(slot, set()).intersection(channels)  # the others were left meanwhile
        for channel in gone:
            self._forget(channel)
        if gone:
            self._owner.on_sent_away(self, list(gone))

    def _finish_restoring(self) -> None:
        if self._restoring and not any(self._unconfirmed.values()):
            self._restoring = False
            self._owner.on_line_restored(self)

    def _forget(self, channel: bytes) -> None:
        slot = self._slot_of(channel)
        self._slots[slot].discard(channel)
        if not self._slots[slot]:
            del self._slots[slot]

    def _subscribe(self, channels: list[bytes]) -> None:
        for channel in channels:
            self._unconfirmed[self._slot_of(channel)][channel] += 1
        self._send(b"SUBSCRIBE", channels)

    def _send(self, command: bytes, channels: list[bytes]) -> None:
        """One command for every thousand channels, and for those of each slot."""
        assert self._transport is not None
        groups: defaultdict[tuple[int, int], list[bytes]] = defaultdict(list)
        for number, channel in enumerate(channels):
            groups[self._slot_of(channel), number // CHANNELS_PER_COMMAND].append(channel)
        pack = cast(Callable[[tuple[bytes, ...]], bytes], hiredis.pack_command)
        packed = [pack((self._prefix + command, *group)) for group in groups.values()]
        self._transport.write(b"".join(packed))

    def _slot_of(self, channel: bytes) -> int:
        return key_slot(channel) if self.node.is_sharded else 0
