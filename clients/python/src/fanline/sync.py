"""The same for programs without `async`: `connect` and its session, with calls that wait.

There is one session, that of `fanline.session`, and it runs on an event loop in a thread of its
own; a call here is a call there, waited for. So the rules of cursor, outbox and sockets stand in
one place. On a loop in the caller's thread, nothing would run between two calls: no ping would be
answered, and no other thread could send or close. The socket for threads that the websockets
package has would want the session written a second time around it.
"""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Generator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from typing import Any, TypeVar

from fanline import session as asynchronous
from fanline.backoff import Backoff
from fanline.errors import Closed
from fanline.events import Event, Position
from fanline.handshake import Handshake, Token

T = TypeVar("T")


class Session:
    """Iterate over it for every event, once, in order, as over an asynchronous one.

    One thread iterates or asks; any thread may send, cancel and close. Every call may be ended by
    Ctrl-C, and raises `TimeoutError` after `timeout_seconds`; what it waited for is given up, and
    iteration loses no event by it.
    """

    def __init__(self, session: asynchronous.Session, timeout_seconds: float | None) -> None:
        self.session_id = session.session_id
        self._session = session
        self.timeout_seconds = timeout_seconds
        """How long each call may take from here on; `None`: as long as it takes."""
        self._reading = asyncio.Lock()
        self._unread: tuple[Event, Position | None] | None = None
        """An event that nobody has been given yet, with the cursor before it."""
        self._gate = threading.Lock()
        """Held while a call is begun, and while the session ends."""
        self._ended = False
        self._end = asyncio.Event()
        self._runner = asyncio.Runner(loop_factory=asyncio.new_event_loop)
        self._loop = self._runner.get_loop()
        self._thread = threading.Thread(target=self._live, name="fanline", daemon=True)
        self._thread.start()

    @property
    def cursor(self) -> Position | None:
        """The position of the last event that was given: `last_event_id=str(session.cursor)`
        resumes there. `None` before the first event and after a reset."""
        unread = self._unread
        return self._session.cursor if unread is None else unread[1]

    @property
    def reconnects(self) -> int:
        """Sockets that were lost so far."""
        return self._session.reconnects

    def __iter__(self) -> "Session":
        return self

    def __next__(self) -> Event:
        """The next event; ends when the session is closed. Raises what iterating over an
        asynchronous session raises."""
        try:
            event = self._wait(self._read())
        except Closed:
            raise StopIteration from None
        self._unread = None
        return event

    def send(self, content: str, message_id: str | None = None) -> str:
        """Send a message and return its id, which is the id of its turn; as the asynchronous
        `send`."""
        return self._wait(self._session.send(content, message_id))

    def cancel(self, turn_id: str) -> None:
        """Ask for a turn to be stopped; its `turn_finished` is the answer."""
        self._wait(self._session.cancel(turn_id))

    def ask(self, content: str, on_event: Callable[[Event], object] | None = None) -> str:
        """Send a message and return the answer, when the turn is over; as the asynchronous `ask`.
        `on_event` is called in the session's thread: it must not call the session."""
        return self._wait(self._ask(content, on_event))

    def open(self) -> None:
        """Connect, however long the gateway cannot be reached. Raises `Refused`."""
        self._wait(self._session.open())

    def close(self) -> None:
        """End the session. In other threads its iteration ends, and an `ask` raises `Closed`."""
        with self._gate:
            if self._ended:
                return
            self._ended = True
            closing = asyncio.run_coroutine_threadsafe(self._session.close(), self._loop)
            try:
                closing.result()
            finally:
                self._loop.call_soon_threadsafe(self._end.set)
                self._thread.join()

    def _live(self) -> None:
        with self._runner:  # at its end it cancels what still runs
            self._runner.run(self._end.wait())

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        """What the work comes to, in the session's thread. Raises what it raises."""
        if threading.current_thread() is self._thread:
            work.close()
            raise RuntimeError("the session would wait for itself: not from one of its callbacks")
        with self._gate:
            if self._ended:
                work.close()
                raise Closed("the session is closed")
            call = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return call.result(self.timeout_seconds)
        except CancelledError:
            raise Closed("the session was closed meanwhile") from None
        finally:
            call.cancel()  # Ctrl-C and the time-out end the waiting: nothing goes on without it

    async def _read(self) -> Event:
        # Between an event's arrival and its return here, Ctrl-C may come: it is kept until then.
        # The lock lets a read that was given up come to its end before the next begins.
        async with self._reading:
            if self._unread is None:
                cursor = self._session.cursor
                event = await anext(self._session, None)
                if event is None:
                    raise Closed("the session is closed")
                self._unread = event, cursor
            return self._unread[0]

    async def _ask(self, content: str, on_event: Callable[[Event], object] | None) -> str:
        async with self._reading:
            self._unread = None
            return await self._session.ask(content, on_event)


@contextmanager
def connect(
    url: str,
    session_id: str,
    *,
    last_event_id: str | None = None,
    token: Token | None = None,
    origin: str | None = None,
    backoff: Backoff | None = None,
    timeout_seconds: float | None = None,
) -> Generator[Session, None, None]:
    """A session as `fanline.connect` gives, for a `with` block. `timeout_seconds` bounds every
    call, this one too; `None`: a call waits for as long as it takes.

    A `token` function is called in the session's thread."""
    handshake = Handshake(url, session_id, origin, token)
    session = Session(
        asynchronous.Session(handshake, last_event_id=last_event_id, backoff=backoff or Backoff()),
        timeout_seconds,
    )
    try:
        session.open()
        yield session
    finally:
        session.close()
