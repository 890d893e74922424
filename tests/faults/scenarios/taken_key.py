"""One key of a session, taken over by a stranger."""

from dataclasses import dataclass
from random import Random
from typing import Any

from shared.keys import SessionKeys
from tests.faults.traffic import Session

STRINGS = ("history", "lease", "deleted")
"""Kinds of which ours are strings: the stranger's is a list. Of the others it is a string."""
STRANGE = "not ours"


@dataclass
class Poisoned:
    """A session, beside those of the traffic, of which one key holds what is not ours."""

    kind: str
    session: Session
    keys: SessionKeys
    random: Random

    @property
    def key(self) -> str:
        return getattr(self.keys, self.kind)

    @property
    def mark(self) -> str:
        """What log lines about it contain."""
        return self.session.session_id[:8]

    @property
    def may_be_silent(self) -> bool:
        """Whether no line is promised: what has a time to live under the key of the lease is
        somebody else's lease; and the end of a turn replaces the history, whatever was there."""
        is_busy = self.session.session_id.startswith("busy")
        return self.kind == "lease" or (self.kind == "history" and is_busy)

    async def poison(self, client: Any) -> None:
        """Put a value of another type under the key; what was there is gone."""
        async with client.pipeline(transaction=True) as at_once:
            at_once.delete(self.key)
            if self.kind in STRINGS:
                at_once.rpush(self.key, STRANGE)
            else:
                at_once.set(self.key, STRANGE)
            at_once.expire(self.key, 600)
            await at_once.execute()

    async def is_poisoned(self, client: Any) -> bool:
        """Whether the key holds what was put there, and nothing of ours."""
        if self.kind in STRINGS:
            is_list = await client.type(self.key) == "list"
            return is_list and await client.lrange(self.key, 0, -1) == [STRANGE]
        return await client.type(self.key) == "string" and await client.get(self.key) == STRANGE
