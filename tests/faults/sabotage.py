"""Switches one safeguard off in a process, before it begins: the table must then be red.

Only the fault runs can do this; no setting of the product can.
"""

from gateway.follower import Follower, Live
from shared import redis_client
from shared.ids import Position

SABOTAGES = ("gap", "fence", "dedupe", "epoch")


def without_gap() -> None:
    """A gateway takes whatever comes for the next, and compares no heads."""

    def on_live(self: Follower, before: Position, last: Position) -> Live:
        if self.cursor is not None and last <= self.cursor:
            return Live.IGNORE
        self.cursor = last
        return Live.DELIVER

    judge_properly = Follower.on_live

    def on_live_unless_reading(self: Follower, before: Position, last: Position) -> Live:
        judge = judge_properly if self.reading else on_live
        return judge(self, before, last)

    Follower.on_live = on_live_unless_reading  # type: ignore[method-assign]
    Follower.on_head = lambda self, head: Live.IGNORE  # type: ignore[method-assign]


def without_fence() -> None:
    """Whoever once had the lease may write for ever."""
    _change_scripts("prelude", "if token < newest_right() then return 'fenced' end", "")


def without_dedupe() -> None:
    """A message that was accepted is accepted again, and a batch that was written is written
    again."""
    _change_scripts(
        "enqueue", "if redis.call('SISMEMBER', ACCEPTED, message) == 1 then", "if false then"
    )
    _change_scripts(
        "prelude", "if token == last.token and batch <= last.batch then", "if false then"
    )


def without_epoch() -> None:
    """A server that came back with less than it had goes on as if nothing had happened."""
    _change_scripts("prelude", "if meta().life ~= life then", "if not meta().life then")


def _change_scripts(name: str, old: str, new: str) -> None:
    read = redis_client.read_script
    assert old in read(name), f"{name}.lua no longer has the line that is to be taken out"

    def read_changed(wanted: str) -> str:
        text = read(wanted)
        return text.replace(old, new) if wanted == name else text

    redis_client.read_script = read_changed
