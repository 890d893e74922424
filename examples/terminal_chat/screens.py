"""What the chat shows of a turn: moving in a terminal, plain in a pipe."""

import json
import sys
from typing import Any

from fanline import Turn
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markdown import Markdown
from rich.spinner import Spinner
from rich.text import Text

MOST_CALLS = 8
"""Of a turn that runs, on the screen at once."""
CONTROL = dict.fromkeys([*range(9), *range(11, 32), *range(127, 160)])
"""What could move a terminal's cursor or worse: neither a model nor a tool may."""


class LiveScreen:
    """A terminal: the running turn is drawn anew as it grows, and stays when it is over."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live: Live | None = None
        self._is_prompted = False

    def prompt(self) -> None:
        """Ask for a line."""
        self._console.print("[bold green]>[/] ", end="")
        self._is_prompted = True

    def note(self, text: str) -> None:
        self._console.print(Text(clean(text), style="dim"))

    def draw(self, turn: Turn, *, is_own: bool) -> None:
        """Show how far it has come."""
        if self._live is None:
            self._begin(turn, is_own)
            # It is taken away when the turn is over, and what is to stay is written once.
            self._live = Live(console=self._console, transient=True, refresh_per_second=10)
            self._live.start()
        self._live.update(self._picture(turn))

    def finish(self, turn: Turn, *, is_own: bool) -> None:
        """Write what stays of it."""
        was_prompted = self._is_prompted and not is_own
        if self._live is None:
            self._begin(turn, is_own)
        self.close()
        for call in calls_of(turn):
            self._console.print(row_of(call))
        if answer := answer_of(turn):
            self._console.print(Markdown(answer))
        if turn.status != "completed":
            self._console.print(Text(end_of(turn), style="bold red"))
        if was_prompted:
            self.prompt()

    def close(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _begin(self, turn: Turn, is_own: bool) -> None:
        if is_own:
            self._is_prompted = False
        else:
            self._console.print(Text(f"\n> {clean(turn.question or '')}", style="bold"))

    def _picture(self, turn: Turn) -> RenderableType:
        rows: list[RenderableType] = [row_of(call) for call in calls_of(turn)[-MOST_CALLS:]]
        height = max(3, self._console.height - len(rows) - 2)
        state = f"attempt {turn.attempt}" if turn.attempt else "waiting for a worker"
        tail = "\n".join(answer_of(turn).splitlines()[-height:])
        return Group(*rows, Text(tail), Spinner("dots", Text(state, style="dim")))


class PlainScreen:
    """A pipe: each answer once, when it is whole."""

    def __init__(self) -> None:
        self._told: set[str] = set()

    def prompt(self) -> None:
        """Nobody is there to be asked."""

    def note(self, text: str) -> None:
        print(clean(text), file=sys.stderr, flush=True)

    def draw(self, turn: Turn, *, is_own: bool) -> None:
        """Tell the calls that have ended."""
        if is_own:
            self._tell_calls(turn)

    def finish(self, turn: Turn, *, is_own: bool) -> None:
        """Print the answer to what was asked here."""
        if not is_own:
            return
        self._tell_calls(turn)
        if answer := answer_of(turn):
            print(answer, flush=True)
        if turn.status != "completed":
            self.note(end_of(turn))

    def close(self) -> None:
        """Everything has been printed."""

    def _tell_calls(self, turn: Turn) -> None:
        for call in calls_of(turn):
            if "end" in call and call["tool_call_id"] not in self._told:
                self._told.add(call["tool_call_id"])
                self.note(row_of(call).plain)


def calls_of(turn: Turn) -> list[dict[str, Any]]:
    """The turn's tool calls, in order."""
    return [call for call in turn.calls.values() if "tool_name" in call]


def row_of(call: dict[str, Any]) -> Text:
    """One tool call in one line."""
    arguments = clean(json.dumps(call["arguments"], ensure_ascii=False))
    end = call.get("end")
    told = "…" if end is None else "failed" if end["is_error"] else f"{end['duration_ms']} ms"
    parts = ((clean(call["tool_name"]), "cyan"), f" {told} ", (arguments, "dim"))
    return Text.assemble(*parts, no_wrap=True, overflow="ellipsis")


def answer_of(turn: Turn) -> str:
    """The texts of the turn's last attempt."""
    texts = (text.content for text in turn.texts.values() if text.attempt == turn.attempt)
    return clean("\n\n".join(texts))


def end_of(turn: Turn) -> str:
    """Why there is no whole answer."""
    return clean(turn.error["error"] if turn.error else f"The turn was {turn.status}.")


def clean(text: str) -> str:
    return text.translate(CONTROL)
