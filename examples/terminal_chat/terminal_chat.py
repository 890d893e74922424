"""A chat in the terminal: one session, as any other tab of it.

    python terminal_chat.py SESSION                      # type, see the agent work, Ctrl-C stops it
    echo "How many patients?" | python terminal_chat.py SESSION > answer.txt

In a terminal it shows what was said before, and what is said in other tabs. In a pipe each line is
a question: answers go to standard output, the tool calls to standard error, and the exit status is
1 when a question was not answered.
"""

import argparse
import asyncio
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from uuid import uuid4

from fanline import Conversation, Event, FanlineError, Position, Session, connect
from rich.console import Console
from screens import LiveScreen, PlainScreen

GATEWAY = "ws://localhost:8000/ws"
INTERRUPTED = 130


class Chat:
    """A session on a screen, and the questions that were asked here."""

    def __init__(self, session: Session, screen: LiveScreen | PlainScreen) -> None:
        self._session = session
        self._screen = screen
        self._conversation = Conversation()
        self._head: Position | None = None
        """What lies up to it was there before: it is shown when it is over."""
        self._asked: dict[str, tuple[str, asyncio.Future[bool]]] = {}
        """By turn: the question, and whether it was answered."""

    async def ask(self, question: str) -> bool:
        """Ask, and wait until the turn is over. Whether it was answered."""
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        turn_id = str(uuid4())
        self._asked[turn_id] = question, done
        try:
            await self._session.send(question, turn_id)
            return await done
        finally:
            del self._asked[turn_id]

    async def stop(self) -> None:
        """Stop what was asked here."""
        for turn_id in self._asked:
            await self._session.cancel(turn_id)

    @property
    def is_asking(self) -> bool:
        return bool(self._asked)

    async def follow(self) -> None:
        """Show the session's events for as long as it is open."""
        async for event in self._session:
            self._conversation.apply(event)
            match event.type:
                case "connection":
                    await self._reconnect(event)
                case "error" if event.position is None:
                    self._end(str(event.get("message_id")), event["error"])
                case "turn_finished":
                    turn = self._conversation.turns[event["turn_id"]]
                    self._screen.finish(turn, is_own=turn.turn_id in self._asked)
                    self._end(turn.turn_id, "", is_answered=turn.status == "completed")
                case _ if event.position and (self._head is None or event.position > self._head):
                    self._draw()
                case _:
                    pass

    async def _reconnect(self, event: Event) -> None:
        if event["status"] != "connected":
            self._screen.note("the gateway has lost its Redis and waits for it")
            return
        if self._session.reconnects:
            self._screen.note("connected again")
        self._head = Position.parse(event["head"]) if event["head"] else None
        if event["reset"]:
            # The log may have lost a question with the rest; a known one is not run again.
            for turn_id, (question, _) in self._asked.items():
                await self._session.send(question, turn_id)

    def _draw(self) -> None:
        """Turns of a session run one after the other: the first that is not over is the one."""
        running = (turn for turn in self._conversation.turns.values() if turn.status is None)
        if turn := next(running, None):
            self._screen.draw(turn, is_own=turn.turn_id in self._asked)

    def _end(self, turn_id: str, error: str, *, is_answered: bool = False) -> None:
        if error:
            self._screen.note(error)
        _, done = self._asked.get(turn_id, ("", None))
        if done is not None and not done.done():
            done.set_result(is_answered)


async def converse(chat: Chat, screen: LiveScreen | PlainScreen) -> int:
    """Ask line by line until there are no more, or Ctrl-C; returns the exit status."""
    loop = asyncio.get_running_loop()
    lines: asyncio.Queue[str | None] = asyncio.Queue()

    def hear(line: str | None) -> None:
        with suppress(RuntimeError):  # the chat is over, and its loop with it
            loop.call_soon_threadsafe(lines.put_nowait, line)

    def interrupt() -> None:
        if chat.is_asking:
            stopping.append(asyncio.create_task(chat.stop()))
        else:
            lines.put_nowait(None)

    stopping: list[asyncio.Task[None]] = []
    loop.add_signal_handler(signal.SIGINT, interrupt)
    # A thread of its own that nobody waits for: reading from a terminal cannot be interrupted.
    threading.Thread(target=read_lines, args=(hear,), daemon=True).start()
    status = 0
    screen.prompt()
    while (line := await lines.get()) is not None:
        if question := line.strip():
            status |= not await chat.ask(question)
        screen.prompt()
    return status


def read_lines(hear: Callable[[str | None], None]) -> None:
    """Every line of standard input, then `None`."""
    for line in sys.stdin:
        hear(line)
    hear(None)


async def run(url: str, session_id: str, console: Console) -> int:
    """The chat, until it is ended or the gateway refuses it; returns the exit status."""
    screen = LiveScreen(console) if console.is_terminal else PlainScreen()
    screen.note(f"{session_id} at {url}")
    async with connect(url, session_id, token=os.environ.get("FANLINE_TOKEN")) as session:
        chat = Chat(session, screen)
        conversing = asyncio.create_task(converse(chat, screen))
        following = asyncio.create_task(chat.follow())
        try:
            await asyncio.wait((conversing, following), return_when=asyncio.FIRST_COMPLETED)
            if following.done():
                await following  # says why it could not go on
            return await conversing
        finally:
            screen.close()
            for task in (conversing, following):
                task.cancel()
            await asyncio.gather(conversing, following, return_exceptions=True)


def main() -> int:
    """What the command line asks for; returns the exit status."""
    parser = argparse.ArgumentParser(description="Chat in a session of a Fanline gateway.")
    parser.add_argument("session", help="the session to speak in")
    parser.add_argument("--url", default=GATEWAY, help=f"the gateway's socket (default {GATEWAY})")
    arguments = parser.parse_args()
    try:
        return asyncio.run(run(arguments.url, arguments.session, Console()))
    except KeyboardInterrupt:
        return INTERRUPTED
    except (FanlineError, OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
