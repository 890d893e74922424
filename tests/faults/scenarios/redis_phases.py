"""The phases of a turn in which its worker waits for Redis: with each kind of write on its way, and
right after it, with a reply that never comes."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from tests.faults.scenarios.phases import Held, a_call, answer_of, words
from tests.faults.scenarios.script_proxy import Fault, Trap
from tests.faults.scenarios.told import PIECE
from tests.faults.script import TOOL
from tests.faults.traffic import Session, Traffic
from tests.support.stub_model import Reply

PLAIN = ("turn_started", "openai_call", PIECE, "openai_response", "assistant", "turn_finished")
"""What a turn of one text tells."""
SILENT = ("turn_started", "openai_call", "openai_response", "tool_call", "tool_result")
"""How a turn begins that asks for a tool without a word."""
SPOKEN = ("turn_started", "openai_call", PIECE, "openai_response", "assistant", "tool_call")
"""How a turn begins that says something before it asks for a tool."""
PIECE_MARK = '"streaming":true'
WHOLE_MARK = '"streaming":false'


@dataclass(frozen=True)
class Write:
    """One kind of call by which a turn goes on."""

    name: str
    script: str
    at: int
    """How many of the events of `story` come before those that it writes."""
    story: tuple[str, ...] = PLAIN
    writes: int = 1
    """How many it writes, at least."""
    mark: str = ""
    """What stands beside the type in the event that is written, by `append`."""
    refusals: tuple[bytes, ...] = (b"fenced",)
    """What a late copy of it may be told when another worker has taken over."""

    def parts(self, session: Session, turn_id: str) -> tuple[str, ...]:
        """What stands in one argument of the call."""
        if self.script == "acquire":
            return (session.session_id,)
        if self.script != "append":
            return (turn_id,)
        kind = "assistant" if self.story[self.at] == PIECE else self.story[self.at]
        return tuple(part for part in (f'"type":"{kind}"', turn_id, self.mark) if part)

    def replies(self, texts: Sequence[str], pace: float, calls: Sequence[Reply]) -> list[Reply]:
        """What the model answers, so that the turn tells `story`."""
        last = Reply(texts, chunk_seconds=pace)
        return [last] if self.story is PLAIN else [*calls, last]


WRITES = (
    Write("start", "start", 0),
    Write("openai_call", "append", 1),
    Write("first piece", "append", 2, mark=PIECE_MARK),
    Write("openai_response", "append", 3),
    Write("finish", "finish", 4, writes=2),
    Write("whole text before a tool call", "append", 4, SPOKEN, 2, mark=WHOLE_MARK),
    Write("tool_call", "append", 3, SILENT),
    Write("tool_result", "append", 4, SILENT),
    Write("acquire", "acquire", 0, writes=0, refusals=(b"held", b"idle")),
    # Last: a worker whose enqueue is held takes nothing else meanwhile.
    Write("enqueue", "enqueue", 0, writes=0, refusals=(b"waiting", b"left")),
)
ON_THE_WAY = {f"with its {write.name} on the way": write for write in WRITES}
RIGHT_AFTER = {f"right after its {write.name}": write for write in WRITES}
REDIS_PHASES = (*ON_THE_WAY, *RIGHT_AFTER)


class RedisPhases:
    """Begins turns whose workers wait for Redis, each in a session of its own."""

    def __init__(self, traffic: Traffic, traps: list[Trap]) -> None:
        self._traffic = traffic
        self._random = traffic.random
        self._traps = traps

    async def hold(self, due: Sequence[str], sessions: Sequence[Session]) -> list[Held]:
        """A turn in each phase of `due`, all at one moment if they are quick: a worker asks again
        in two seconds."""
        helds = [self._hold(phase, one) for phase, one in zip(due, sessions, strict=True)]
        traps = [held.trap for held in helds if held.trap is not None]
        await self._traffic.until(
            lambda: all(trap.sprung.is_set() for trap in traps), "their calls have come"
        )
        with suppress(AssertionError):
            await self._traffic.until(
                lambda: all(held.is_there() for held in helds), "all are there", 0.5
            )
        return helds

    def _hold(self, phase: str, session: Session) -> Held:
        is_written = phase in RIGHT_AFTER
        write = RIGHT_AFTER[phase] if is_written else ON_THE_WAY[phase]
        asking = Reply(
            words(self._random, 3) if write.story is SPOKEN else (),
            calls=[a_call(self._random, TOOL, {})],
            chunk_seconds=self._traffic.pace,
        )
        replies = write.replies(words(self._random, 8), self._traffic.pace, [asking])
        answer = answer_of(self._random, session, replies)
        fault = Fault.REPLY_LOST if is_written else Fault.HELD
        trap = Trap(fault, write.script, write.parts(session, answer.message_id))
        self._traps.append(trap)
        self._traffic.say(session, answer, session.tabs[0])
        reached = trap.done if is_written else trap.sprung
        told = _told(write, is_written)
        held = Held(phase, session, answer, told[0], reached.is_set, trap.let_go.set, trap=trap)
        held.further = told[1]
        held.said = None
        held.refusals = write.refusals
        held.attempts = 1 if told[0] else 0
        held.is_there = lambda: reached.is_set() and held.is_in_phase()
        return held


def _told(write: Write, is_written: bool) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What must have been told, and what may have been, in this order. Events go together in one
    write where they come while another is on its way."""
    end = write.at + write.writes
    if is_written:
        return write.story[:end], write.story[end:] if write.script == "append" else ()
    if write.script != "append":
        return write.story[: write.at], ()
    return write.story[:1], write.story[1 : write.at]
