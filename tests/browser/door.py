"""A TCP door: one address that browsers keep, behind which gateways come and go.

It stands for the load balancer, and for the network between: it can lead to another gateway, cut
whoever is inside, take nobody in, and hold back what either side says.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

from tests.support.deployment import Process

PIECE = 65536


class Door:
    """Open to the gateway that it leads to."""

    def __init__(self, gateway: Process) -> None:
        self._gateway = gateway
        self._is_shut = False
        self._inside: set[asyncio.Task[None]] = set()
        self._questions_pass = asyncio.Event()
        self._answers_pass = asyncio.Event()
        self.let_through()
        self.port = 0

    @property
    def http(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def lead_to(self, gateway: Process) -> None:
        """Whoever comes from here on gets to this gateway; whoever is inside stays."""
        self._gateway = gateway

    def cut(self) -> None:
        """End every connection, as a network that breaks does: no close, no last byte."""
        for task in self._inside:
            task.cancel()

    def shut(self) -> None:
        """Cut everybody, and take nobody in until it is opened."""
        self._is_shut = True
        self.cut()

    def open(self) -> None:
        self._is_shut = False

    def hold_questions(self) -> None:
        """What browsers send stays here; it is lost when they are cut before it may go on."""
        self._questions_pass.clear()

    def hold_answers(self) -> None:
        """What browsers send still arrives; what comes back stays here, as above."""
        self._answers_pass.clear()

    def let_through(self) -> None:
        """Nothing is held any more."""
        self._questions_pass.set()
        self._answers_pass.set()

    def receive(self, browser: asyncio.StreamReader, answers: asyncio.StreamWriter) -> None:
        """Somebody has come to the door."""
        if self._is_shut:
            answers.transport.abort()
            return
        task = asyncio.create_task(self._lead(browser, answers, self._gateway.port))
        self._inside.add(task)
        task.add_done_callback(self._inside.discard)
        # Here, and not in the task: one that is cut before it has begun never runs at all.
        task.add_done_callback(lambda _: answers.transport.abort())

    async def empty(self) -> None:
        """Nobody is inside any more."""
        self.shut()
        await asyncio.gather(*self._inside, return_exceptions=True)

    async def _lead(
        self, browser: asyncio.StreamReader, answers: asyncio.StreamWriter, port: int
    ) -> None:
        with suppress(OSError):  # the gateway is gone
            gateway, questions = await asyncio.open_connection("127.0.0.1", port)
            try:
                async with asyncio.TaskGroup() as both:
                    both.create_task(_pass_on(browser, questions, self._questions_pass))
                    both.create_task(_pass_on(gateway, answers, self._answers_pass))
            finally:
                questions.transport.abort()


async def _pass_on(
    source: asyncio.StreamReader, sink: asyncio.StreamWriter, may_pass: asyncio.Event
) -> None:
    """Everything that comes, up to its end, which is passed on as well."""
    with suppress(ConnectionError):
        while piece := await source.read(PIECE):
            await may_pass.wait()
            sink.write(piece)
            await sink.drain()
    sink.close()


@asynccontextmanager
async def door_before(gateway: Process) -> AsyncGenerator[Door, None]:
    """A door that is open to this gateway, for the block."""
    door = Door(gateway)
    server = await asyncio.start_server(door.receive, "127.0.0.1", 0)
    door.port = int(server.sockets[0].getsockname()[1])
    try:
        yield door
    finally:
        server.close()
        await door.empty()
        await server.wait_closed()
