"""`fanline URL SESSION "question"`: ask, and see what the agent does while it does it. Without a
question: follow the session, one JSON line a frame, until interrupted.
"""

import argparse
import asyncio
import json
import os
import sys
from pathlib import Path

from fanline.errors import FanlineError
from fanline.events import Event
from fanline.handshake import Token
from fanline.session import connect

INTERRUPTED = 130
TOKEN_VARIABLE = "FANLINE_TOKEN"


async def ask(url: str, session_id: str, question: str, token: Token | None) -> None:
    """Print the streamed answer and, between, the calls. Raises `TurnFailed`."""
    async with connect(url, session_id, token=token) as session:
        await session.ask(question, Printer().show)


async def follow(url: str, session_id: str, last_event_id: str | None, token: Token | None) -> None:
    """Print every frame of the session as it came, from `last_event_id` or from the beginning."""
    async with connect(url, session_id, last_event_id=last_event_id, token=token) as session:
        async for event in session:
            print(json.dumps(dict(event.fields), ensure_ascii=False), flush=True)


class Printer:
    """A turn, as a terminal can show it."""

    def __init__(self) -> None:
        self._shown: dict[str, int] = {}
        """Length of what is on the screen, by text."""
        self._is_mid_line = False

    def show(self, event: Event) -> None:
        """Print what a person wants to know of the event."""
        match event.type:
            case "assistant":
                self._show_text(event)
            case "turn_started":
                self._line(event, f"attempt {event['attempt']} by {event['worker']}")
            case "tool_call":
                self._line(event, f"{event['tool_name']} {json.dumps(event['arguments'])}")
            case "tool_result":
                failed = " failed" if event["is_error"] else ""
                self._line(event, f"{event['tool_name']}{failed} in {event['duration_ms']} ms")
            case "openai_call":
                self._line(event, event["model"])
            case "openai_response":
                tokens = event["total_tokens"]
                told = "unknown" if tokens is None else tokens
                self._line(event, f"{event['model']}, tokens: {told}, in {event['duration_ms']} ms")
            case "turn_finished":
                self._line(event, f"{event['status']} in {event['duration_ms']} ms")
            case "error":
                self._line(event, event["error"])
            case _:
                pass

    def _show_text(self, event: Event) -> None:
        text, content = event["message_id"], event["content"]
        shown = self._shown.get(text, 0)
        if event["streaming"]:
            self._shown[text] = shown + len(content)
            self._print(content)
        else:
            # The whole text begins with the pieces; some may not have been given.
            self._print(content[shown:])
            self._end_line()

    def _line(self, event: Event, text: str) -> None:
        self._end_line()
        print(f"[{event.type}] {text}", flush=True)

    def _print(self, text: str) -> None:
        if text:
            print(text, end="", flush=True)
            self._is_mid_line = not text.endswith("\n")

    def _end_line(self) -> None:
        if self._is_mid_line:
            print(flush=True)
            self._is_mid_line = False


def token_of(file: Path | None) -> Token | None:
    """The token in `file`, read anew for each connection, else the one of the environment. Not an
    option of its own: everybody on the machine can read a command line."""
    if file is None:
        return os.environ.get(TOKEN_VARIABLE) or None
    return lambda: file.read_text().strip()


def main() -> int:
    """What the command line asks for; returns the exit status."""
    parser = argparse.ArgumentParser(prog="fanline", description=__doc__)
    parser.add_argument("url", help="the gateway's socket: ws://HOST/ws")
    parser.add_argument("session", help="the session to speak in or to follow")
    parser.add_argument("question", nargs="?", help="what to ask; none: follow the session")
    parser.add_argument("--after", metavar="ID", help="follow from after the event with this id")
    parser.add_argument(
        "--token-file",
        metavar="FILE",
        type=Path,
        help=f"a file with the token, read anew for each connection; none: {TOKEN_VARIABLE}",
    )
    arguments = parser.parse_args()
    url, session, question = arguments.url, arguments.session, arguments.question
    token = token_of(arguments.token_file)
    try:
        if question is None:
            asyncio.run(follow(url, session, arguments.after, token))
        else:
            asyncio.run(ask(url, session, question, token))
    except KeyboardInterrupt:
        return INTERRUPTED
    except (FanlineError, OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
