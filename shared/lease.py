"""The lease: the right of one worker to run one session's turns, and everything done under it.

A lease expires, and a write under one that is not the newest is refused (*fencing*), so a worker
that only slept cannot write into a turn that another has taken over. Writes are numbered batches: a
retry repeats the same command with the same number, which is told what the first was told.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import uuid4

from shared.errors import Fenced, TurnOver
from shared.ids import EntryId, Position, SessionId, TurnId, parse_position
from shared.inbox import InboxItem, decode_item
from shared.keys import Keys
from shared.redis_client import Redis, Scripts


@dataclass(frozen=True)
class Turn:
    """The head of an inbox, with what earlier attempts and turns left behind."""

    item: InboxItem
    attempts_begun: int
    attempts_lost: int
    """With their workers; the others were handed back."""
    first_position: Position | None
    """Position of the first attempt's `turn_started`; `None` when the turn was never started."""
    history: bytes
    unheard: bytes
    """Inbox elements, one a line, that were cancelled before any turn saw them."""
    unheard_end: int
    """Where these end, counted in bytes over the session's life."""


class Started(StrEnum):
    """What *start* decided; all but `STARTED` mean that no attempt has begun."""

    STARTED = "ok"
    CANCELLED = "cancelled"
    EXHAUSTED = "exhausted"


@dataclass(frozen=True)
class Ending:
    """What *finish* changes beside the events."""

    history: bytes = b""
    """Empty: the history stays as it was."""
    heard: int = 0
    """`unheard_end` of the messages that `history` contains."""


class Lease:
    """One worker's right to one session. Not for concurrent use: batches are numbered in order.

    Every method may raise `Unavailable`, after which the same call with the same arguments may be
    made again, and `Fenced`.
    """

    def __init__(self, leases: "Leases", session_id: SessionId, token: int) -> None:
        self.session_id = session_id
        self.token = token
        self._leases = leases
        self._keys = leases.keys.session(session_id)
        self._scripts = leases.scripts
        self._bounds = (leases.session_ttl, leases.log_max_events)
        self._last_batch = 0
        self._written = 0
        """The last batch that Redis has said it has."""

    def next_batch(self) -> int:
        """A number for one write. No number is used for two different writes."""
        self._last_batch += 1
        return self._last_batch

    async def peek(self) -> Turn | None:
        """The turn to run next, or `None` for an empty inbox."""
        reply = await self._scripts.run("peek", self._keys)
        head, turn, attempt, first, history, unheard, unheard_at, handed_back = reply
        if head is None:
            return None
        item = decode_item(self.session_id, head)
        begun = turn is not None and turn.decode() == item.message.message_id
        attempts = int(attempt) if begun else 0
        return Turn(
            item=item,
            attempts_begun=attempts,
            attempts_lost=attempts - int(handed_back or 0) if begun else 0,
            first_position=parse_position(first.decode()) if begun else None,
            history=history or b"",
            unheard=unheard or b"",
            unheard_end=int(unheard_at or 0) + len(unheard or b""),
        )

    async def renew(self, turn_id: TurnId) -> bool:
        """Keep the lease for another period; whether the turn is asked to stop. Raises
        `TurnOver`."""
        word = await self._run(
            "renew", self._leases.session_ttl, self._leases.lease_ms, self.token, turn_id
        )
        return word[0] == "cancel"

    async def start(
        self, batch: int, turn_id: TurnId, attempt: int, most: int, events: Sequence[str]
    ) -> Started:
        """Begin an attempt with `events`, of which `turn_started` is the last, and a new period of
        the lease. Raises `TurnOver`."""
        word = await self._run(
            "start",
            *self._bounds,
            self.token,
            self._leases.lease_ms,
            batch,
            turn_id,
            attempt,
            most,
            *events,
        )
        self._written = batch
        return Started(word[0])

    async def append(
        self, batch: int, turn_id: TurnId, events: Sequence[str], remove: Sequence[Position]
    ) -> Position:
        """Append events and publish them, all or none; returns the last one's position. Entries at
        `remove` leave the log in the same step. Raises `TurnOver`, also where Redis has forgotten
        something that was written under this lease: the attempt has a hole."""
        word = await self._run(
            "append",
            *self._bounds,
            self.token,
            batch,
            self._written,
            turn_id,
            len(remove),
            *map(str, remove),
            *events,
        )
        self._written = batch
        return parse_position(word[1])

    async def finish(
        self,
        batch: int,
        turn_id: TurnId,
        events: Sequence[str],
        remove: Sequence[Position],
        ending: Ending,
    ) -> None:
        """End the turn. Raises `TurnOver`, as `append` does."""
        await self._run(
            "finish",
            *self._bounds,
            self.token,
            batch,
            self._written,
            turn_id,
            ending.history,
            ending.heard,
            len(remove),
            *map(str, remove),
            *events,
        )
        self._written = batch

    async def release(self) -> bool:
        """Give the lease back if the inbox is empty; `False` means there is more to do."""
        return (await self._run("release", self.token))[0] == "released"

    async def hand_back(self, batch: int, turn_id: TurnId) -> list[EntryId]:
        """Give the lease back in mid-turn, without counting the attempt; returns the entries of the
        whole inbox, for another worker to claim at once."""
        word = await self._run("hand_back", self._leases.session_ttl, self.token, batch, turn_id)
        return [EntryId(entry) for entry in word[1:]]

    async def _run(self, name: str, *arguments: str | bytes | int) -> list[str]:
        word = await self._scripts.run_for_word(name, self._keys, *arguments)
        if word[0] in ("fenced", "late"):
            raise Fenced(
                f"session {self.session_id[:8]}: this lease may not write any more ({word[0]})"
            )
        if word[0] == "over":
            raise TurnOver(f"session {self.session_id[:8]}: the turn has left the inbox")
        return word


class Leases:
    """Gives out the leases of one deployment."""

    def __init__(
        self,
        client: Redis,
        keys: Keys,
        *,
        session_ttl: int,
        log_max_events: int,
        lease_ms: int,
        scripts: Scripts | None = None,
    ) -> None:
        """`scripts`: how they are run, where not one by one over `client`."""
        self.keys = keys
        self.scripts = scripts or Scripts(client)
        self.session_ttl = session_ttl
        self.log_max_events = log_max_events
        self.lease_ms = lease_ms

    async def acquire(self, session_id: SessionId, acquisition: str) -> Lease | int | None:
        """The lease; or for how many ms somebody else holds it; or `None` for an empty inbox.

        Raises `Unavailable`: call it again with the same `acquisition`, which gets the same lease.
        """
        word = await self.scripts.run_for_word(
            "acquire", self.keys.session(session_id), self.session_ttl, self.lease_ms, acquisition
        )
        if word[0] == "ok":
            return Lease(self, session_id, int(word[1]))
        return int(word[1]) if word[0] == "held" else None


def make_acquisition() -> str:
    """An id for one acquisition."""
    return uuid4().hex
