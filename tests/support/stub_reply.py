"""What a test scripts for one model call, whichever API the call comes by."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Call:
    """A tool call that the model asks for."""

    name: str
    arguments: dict[str, Any] | str
    call_id: str = ""

    def halves(self) -> tuple[str, str]:
        """The arguments as text, in the two pieces that are streamed."""
        text = self.arguments if isinstance(self.arguments, str) else json.dumps(self.arguments)
        return text[: len(text) // 2], text[len(text) // 2 :]


@dataclass
class Reply:
    """What one model call answers. All fields are the test's to set."""

    chunks: Sequence[str] = ()
    calls: Sequence[Call] = ()
    usage: tuple[int, int] | None = (11, 7)
    early_usage: bool = False
    """Tell the usage before the text, not after it."""
    chunk_seconds: float = 0.0
    hold_after: int | None = None
    """Send so many chunks, then wait until `release` is called."""
    finish_reason: str = ""
    """In the words of chat completions; empty: `tool_calls` or `stop`."""
    status: int = 200
    """Anything else is an error answer with this HTTP status."""
    error_code: str | None = None
    """The code inside that error answer, as `content_filter`."""
    failing_tries: int | None = None
    """Answer with the error so many times only, then as if `status` were 200."""
    drops: int = 0
    """Drop the connection so many times, with no answer at all."""
    cut_after: int | None = None
    """Drop the connection after so many chunks."""
    hang: bool = False
    """Never answer."""
    odd_chunks: bool = False
    """Chunks without choices and without delta between, as Azure's content filter sends them."""
    tries: int = 0
    """How many requests have asked for this reply."""
    released: asyncio.Event = field(default_factory=asyncio.Event)
    reached_hold: asyncio.Event = field(default_factory=asyncio.Event)

    def release(self) -> None:
        self.released.set()

    @property
    def fails(self) -> bool:
        """Whether this try gets the error answer."""
        if self.failing_tries is not None and self.tries > self.failing_tries:
            return False
        return self.status != 200

    async def texts(self) -> AsyncIterator[str]:
        """The chunks, with the pauses and the cut that the script asks for."""
        for number, text in enumerate(self.chunks):
            await self._hold(number)
            if self.cut_after == number:
                raise ConnectionAbortedError("the script says so")
            yield text
            await asyncio.sleep(self.chunk_seconds)
        await self._hold(len(self.chunks))

    async def _hold(self, number: int) -> None:
        if self.hold_after == number:
            self.reached_hold.set()
            await self.released.wait()
