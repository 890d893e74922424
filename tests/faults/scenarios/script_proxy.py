"""A proxy between a process and Redis that knows our scripts, and does to single calls of them what
networks, time-outs and deaths do.

A script is known by its text when it is sent the first time (EVAL), and by the hash of that text
afterwards, so a process whose scripts were changed is understood as well. A process asks one thing
at a time on a connection: what comes from Redis after a call is its reply.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha1
from typing import Any, cast

import hiredis

from shared.redis_client import SCRIPTS, read_script

PIECE = 65536
NAMES = tuple(sorted(path.stem for path in SCRIPTS.glob("*.lua") if path.stem != "prelude"))
SAME_ARGUMENTS = {"cancel": 3, "delete": 2, "enqueue": 3}
"""How many arguments, after the keys, a repetition has in common with its call, where not all."""
FIRST_LINES = {read_script(name).splitlines()[0].encode(): name for name in NAMES}

Command = list[bytes]


class Fault(StrEnum):
    """What is done to a call."""

    REPLY_LOST = "replies lost"
    """Redis has run it; its caller hears nothing, and gives up in the end."""
    CUT = "connections cut before the reply"
    REPLY_LATE = "replies late"
    TWICE = "calls that came twice"
    COPY_LATE = "copies that came late"
    """A second copy comes when its caller has been answered long ago."""
    OVERTAKEN = "calls that came after their repetition"
    """The connection breaks, and what was on it arrives when its caller has asked again and Redis
    has answered."""
    HELD = "calls held back"
    """Until it is let go."""


@dataclass(eq=False)
class Trap:
    """One call, the first that fits, and what is done to it."""

    fault: Fault
    script: str
    parts: tuple[str, ...] = ()
    """What stands together in one argument of the call: a session; a turn and the type of an event
    of it. None: any call."""
    seconds: float = 0.3
    """How late what comes late comes."""
    caught_by: "ScriptProxy | None" = None
    sprung: asyncio.Event = field(default_factory=asyncio.Event)
    """A call has come; from here on something is wrong with it."""
    done: asyncio.Event = field(default_factory=asyncio.Event)
    """The fault has happened as a whole: Redis has answered, each copy too."""
    let_go: asyncio.Event = field(default_factory=asyncio.Event)
    reply: bytes = b""
    """What Redis said to the call that was lost, late, held or a copy."""

    def fits(self, script: str, command: Command) -> bool:
        if self.sprung.is_set() or script != self.script:
            return False
        parts = [part.encode() for part in self.parts]
        return any(all(part in argument for part in parts) for argument in command)


@dataclass(eq=False)
class _Link:
    """One connection of the process, and the one to Redis that was made for it."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    trap: Trap | None = None
    repeats: asyncio.Event | None = None
    """Set when Redis has answered the call that is on its way: it repeats one that was broken."""


class ScriptProxy:
    """Passes everything on but for the calls that fit one of `traps`."""

    def __init__(self, port: int, traps: list[Trap]) -> None:
        self.traps = traps
        self.url = ""
        self.errors: list[bytes] = []
        """Errors with which Redis answered a copy."""
        self._port = port
        self._hashes: dict[bytes, str] = {}
        self._texts: dict[bytes, bytes] = {}
        self._broken: dict[tuple[bytes, ...], asyncio.Event] = {}
        """Calls that Redis was not given yet, and whether their repetition was answered."""
        self._tasks: set[asyncio.Task[None]] = set()

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._keep(self._serve(reader, writer))

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _keep(self, run: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(run)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):  # one of the two ends has gone, and the other goes with it
            from_redis, to_redis = await asyncio.open_connection("127.0.0.1", self._port)
            link = _Link(writer, to_redis)
            replies = asyncio.create_task(self._pass_replies(link, from_redis))
            try:
                async for command in _read_commands(reader):
                    await self._pass_command(link, command)
                if link.trap is not None and link.trap.fault is Fault.HELD:
                    await replies  # its caller has gone; what Redis says is looked at all the same
            finally:
                replies.cancel()
                to_redis.transport.abort()
                writer.transport.abort()

    async def _pass_command(self, link: _Link, command: Command) -> None:
        script = self._script_of(command)
        trap = next((trap for trap in self.traps if trap.fits(script, command)), None)
        if trap is None:
            link.repeats = self._broken.pop(_identify(script, command), None)
            link.server.write(_encode(command))
            await link.server.drain()
            return
        self.traps.remove(trap)
        trap.caught_by = self
        trap.sprung.set()
        match trap.fault:
            case Fault.TWICE | Fault.COPY_LATE:
                link.server.write(_encode(command))
                self._keep(self._deliver(trap, command))
            case Fault.OVERTAKEN:
                repeated = self._broken[_identify(script, command)] = asyncio.Event()
                link.client.transport.abort()
                self._keep(self._deliver(trap, command, repeated))
            case _:
                link.trap = trap
                if trap.fault is Fault.HELD:
                    await trap.let_go.wait()
                link.server.write(_encode(command))

    async def _deliver(
        self, trap: Trap, command: Command, repeated: asyncio.Event | None = None
    ) -> None:
        """Hand Redis the call over a connection of its own, once it was `repeated`. Its text is
        sent: a Redis that does not know the hash yet would not run it."""
        if repeated is not None:
            await repeated.wait()
        if trap.fault is not Fault.TWICE:
            await asyncio.sleep(trap.seconds)
        if command[0].upper() == b"EVALSHA":
            command = [b"EVAL", self._texts[command[1]], *command[2:]]
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        writer.write(_encode(command))
        trap.reply = await reader.read(PIECE)
        writer.transport.abort()
        if trap.reply.startswith(b"-"):
            self.errors.append(trap.reply)
        else:
            trap.done.set()

    async def _pass_replies(self, link: _Link, reader: asyncio.StreamReader) -> None:
        with suppress(ConnectionError):
            while piece := await reader.read(PIECE):
                if link.repeats is not None:
                    link.repeats.set()
                    link.repeats = None
                trap = link.trap
                if trap is not None:
                    trap.reply = trap.reply or piece
                    if trap.fault is Fault.CUT:
                        link.client.transport.abort()
                    elif trap.fault is Fault.REPLY_LATE:
                        await asyncio.sleep(trap.seconds)
                        link.trap = None
                    elif trap.fault is Fault.HELD:
                        link.trap = None
                    trap.done.set()
                    if trap.fault in (Fault.CUT, Fault.REPLY_LOST):
                        continue
                link.client.write(piece)
                await link.client.drain()
        link.client.transport.abort()

    def _script_of(self, command: Command) -> str:
        """The name of the script that is called, or of the command."""
        name = command[0].upper()
        if name == b"EVALSHA":
            return self._hashes.get(command[1], "")
        if name == b"EVAL":
            for line, script in FIRST_LINES.items():
                if line in command[1]:
                    digest = sha1(command[1]).hexdigest().encode()
                    self._hashes[digest] = script
                    self._texts[digest] = command[1]
                    return script
        return name.decode()


def _identify(script: str, command: Command) -> tuple[bytes, ...]:
    """What a call and its repetition have in common: the script, and its arguments without those
    that are made anew with every try."""
    keys = int(command[2]) if script in NAMES else 0
    arguments = command[3:]
    return (script.encode(), *arguments[: keys + SAME_ARGUMENTS.get(script, len(arguments))])


async def _read_commands(reader: asyncio.StreamReader) -> AsyncIterator[Command]:
    parser = hiredis.Reader()
    while piece := await reader.read(PIECE):
        parser.feed(piece)
        while (command := parser.gets()) is not False:
            yield cast(Command, command)


def _encode(command: Sequence[bytes]) -> bytes:
    parts = [b"*%d\r\n" % len(command)]
    for argument in command:
        parts += (b"$%d\r\n" % len(argument), argument, b"\r\n")
    return b"".join(parts)


@asynccontextmanager
async def script_proxy(port: int, traps: list[Trap]) -> AsyncGenerator[ScriptProxy, None]:
    """A proxy before the Redis at `port`, for the block. Several may share their traps."""
    proxy = ScriptProxy(port, traps)
    server = await asyncio.start_server(proxy.accept, "127.0.0.1", 0)
    proxy.url = f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0"
    try:
        yield proxy
    finally:
        server.close()
        await proxy.close()
        await server.wait_closed()
