"""One pub/sub connection that carries every channel a process listens to.

redis-py makes the connection (address, TLS, AUTH); then its bytes are read here, in whole socket
reads, by hiredis: what one read brought is handed over as one batch. When the connection is lost it
is made again and every channel subscribed again; what was published meanwhile is gone, which is why
the listener is told and reads the log.
"""

import asyncio
import logging
import random
from collections import Counter
from collections.abc import Callable
from typing import Any, Protocol, cast

import hiredis

from shared.redis_client import UNAVAILABLE, Redis

_log = logging.getLogger(__name__)

RECONNECT_FIRST_SECONDS = 0.05
RECONNECT_LONGEST_SECONDS = 1.0
CHANNELS_PER_COMMAND = 1000

Batch = dict[bytes, list[bytes]]
"""What one read from Redis brought: payloads in order, by channel."""


class Listener(Protocol):
    """Who is told. All are called on the event loop and must not block."""

    def on_batch(self, batch: Batch) -> None: ...

    def on_lost(self) -> None: ...

    def on_restored(self) -> None: ...


class Subscription(asyncio.Protocol):
    """Keeps `subscribe`d channels subscribed for as long as `run` runs."""

    def __init__(self, client: Redis, listener: Listener) -> None:
        self._client = client
        self._listener = listener
        self._wanted: dict[bytes, asyncio.Future[None]] = {}
        self._unconfirmed: Counter[bytes] = Counter()
        """SUBSCRIBEs by channel that Redis has not answered yet: after one that was taken back, the
        first answer is not that of the second."""
        self._transport: asyncio.Transport | None = None
        self._reader = hiredis.Reader()
        self._lost = asyncio.Event()
        self._restoring = False
        self._heard_at = 0.0

    async def run(self) -> None:
        """Connect, and connect again whenever the connection is lost, until cancelled."""
        delay = RECONNECT_FIRST_SECONDS
        while True:
            try:
                connection = await self._connect()
            except UNAVAILABLE as error:
                _log.warning(
                    "subscription: no connection to Redis: %s", str(error) or type(error).__name__
                )
                await asyncio.sleep(delay * random.uniform(0.5, 1))
                delay = min(delay * 2, RECONNECT_LONGEST_SECONDS)
                continue
            delay = RECONNECT_FIRST_SECONDS
            try:
                await self._lost.wait()
            finally:
                self._forget_connection()
                # redis-py owns the socket object: let it close what it opened.
                await connection.disconnect(nowait=True)
            _log.warning("subscription: lost its connection to Redis")

    async def subscribe(self, channel: str) -> None:
        """Returns when Redis has confirmed: what is published from here on arrives, or `on_lost` is
        called. Cancelling it leaves the channel subscribed; call `unsubscribe`."""
        name = channel.encode()
        confirmed = self._wanted.get(name)
        if confirmed is None:
            confirmed = self._wanted[name] = asyncio.get_running_loop().create_future()
            self._subscribe([name])
        await asyncio.shield(confirmed)

    def unsubscribe(self, channel: str) -> None:
        """Stop listening. Texts on their way may still arrive."""
        name = channel.encode()
        confirmed = self._wanted.pop(name, None)
        if confirmed is not None:
            confirmed.cancel()
            self._send(b"UNSUBSCRIBE", [name])

    def reconnect(self) -> None:
        """Give up the present connection: it is open but nothing arrives on it."""
        if self._transport is not None:
            self._transport.abort()

    @property
    def is_connected(self) -> bool:
        return self._transport is not None and not self._restoring

    @property
    def restoring_in_silence_seconds(self) -> float:
        """For how long nothing has come on a connection whose channels are not all confirmed."""
        if self._transport is None or not self._restoring:
            return 0.0
        return asyncio.get_running_loop().time() - self._heard_at

    # asyncio.Protocol

    def data_received(self, data: bytes) -> None:
        self._heard_at = asyncio.get_running_loop().time()
        self._reader.feed(data)
        batch: Batch = {}
        while (reply := self._reader.gets()) is not False:
            if isinstance(reply, hiredis.ReplyError):
                _log.error("subscription: Redis answered %s", reply)
                self.reconnect()
                return
            match cast(list[Any], reply):
                case [b"message", channel, payload]:
                    batch.setdefault(channel, []).append(payload)
                case [b"subscribe", channel, _]:
                    self._confirm(channel)
                case _:
                    pass  # unsubscribed
        if batch:
            self._listener.on_batch(batch)

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost.set()

    # inside

    async def _connect(self) -> Any:
        pool: Any = self._client.connection_pool
        connection = pool.make_connection()
        try:
            async with asyncio.timeout(self._client.timeout_seconds):
                await connection.connect()
        except BaseException:
            # Also when it is cut off in the middle: the client does not close what it has opened.
            await connection.disconnect(nowait=True)
            raise
        self._lost.clear()
        self._heard_at = asyncio.get_running_loop().time()
        self._reader = hiredis.Reader()
        self._transport = cast(asyncio.Transport, connection._writer.transport)  # the one way to it
        self._transport.set_protocol(self)
        self._restoring = True
        self._unconfirmed.clear()
        self._subscribe(list(self._wanted))
        self._finish_restoring()
        return connection

    def _confirm(self, channel: bytes) -> None:
        self._unconfirmed[channel] -= 1
        if self._unconfirmed[channel] > 0:
            return
        del self._unconfirmed[channel]
        confirmed = self._wanted.get(channel)
        if confirmed is not None and not confirmed.done():
            confirmed.set_result(None)
        self._finish_restoring()

    def _finish_restoring(self) -> None:
        if self._restoring and not self._unconfirmed:
            self._restoring = False
            self._listener.on_restored()

    def _forget_connection(self) -> None:
        self._transport = None
        self._restoring = False
        for name, confirmed in self._wanted.items():
            if confirmed.done():
                self._wanted[name] = asyncio.get_running_loop().create_future()
        self._listener.on_lost()

    def _subscribe(self, channels: list[bytes]) -> None:
        if self._transport is not None:  # else _connect subscribes to all that is wanted
            self._unconfirmed.update(channels)
            self._send(b"SUBSCRIBE", channels)

    def _send(self, command: bytes, channels: list[bytes]) -> None:
        if self._transport is None:
            return
        for start in range(0, len(channels), CHANNELS_PER_COMMAND):
            chunk = channels[start : start + CHANNELS_PER_COMMAND]
            self._transport.write(_pack(command, *chunk))


def _pack(*words: bytes) -> bytes:
    pack = cast(Callable[[tuple[bytes, ...]], bytes], hiredis.pack_command)
    return pack(words)
