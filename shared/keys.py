"""Every key and channel, one function each (DESIGN section 3).

All keys of one session carry the hash tag `{ID}`: on Redis Cluster they live in one slot, so a
script may touch them together. Nothing outside this file spells a key.
"""

from dataclasses import dataclass

from shared.ids import SessionId

WORK_GROUP = "agent-workers"


@dataclass(frozen=True)
class SessionKeys:
    """The keys of one session, in the order in which every script takes them (`KEYS[1]` first)."""

    channel: str
    log: str
    meta: str
    inbox: str
    accepted: str
    history: str
    lease: str
    cancel: str
    deleted: str
    control: str

    def in_script_order(self) -> list[str]:
        return [
            self.channel,
            self.log,
            self.meta,
            self.inbox,
            self.accepted,
            self.history,
            self.lease,
            self.cancel,
            self.deleted,
            self.control,
        ]


@dataclass(frozen=True)
class Keys:
    """The keys of one deployment. Two deployments on one Redis need two namespaces."""

    namespace: str = ""

    def session(self, session_id: SessionId) -> SessionKeys:
        base = self.channel(session_id)
        return SessionKeys(
            channel=base,
            log=f"{base}:log",
            meta=f"{base}:meta",
            inbox=f"{base}:inbox",
            accepted=f"{base}:accepted",
            history=f"{base}:history",
            lease=f"{base}:lease",
            cancel=f"{base}:cancel",
            deleted=f"{base}:deleted",
            control=self.control(session_id),
        )

    def channel(self, session_id: SessionId) -> str:
        """The pub/sub channel with every event of the session as JSON text."""
        return self._prefixed(f"session:{{{session_id}}}")

    def control(self, session_id: SessionId) -> str:
        """The channel that wakes the worker that runs the session: a stop, a deletion."""
        return f"{self.channel(session_id)}:control"

    def turns(self) -> str:
        """The work stream, whose group `WORK_GROUP` spreads messages over the workers."""
        return self._prefixed("turns")

    def reply(self, request_id: str) -> str:
        """The list with the answer to one `/patient` request."""
        return self._prefixed(f"reply:{{{request_id}}}")

    def probe(self, gateway_id: str) -> str:
        """A gateway's channel to itself, to prove that what is published arrives; where Redis is a
        cluster, it has others beside it (`retag`)."""
        return self._prefixed(f"gateway:{{{gateway_id}}}:probe")

    def ticket(self, digest: str) -> str:
        """What a ticket, of this hash, is for; gone once it has been used."""
        return self._prefixed(f"ticket:{{{digest}}}")

    def seats(self, kind: str, name: str) -> str:
        """The hash with each gateway's number of open tabs of one address or session."""
        return self._prefixed(f"seats:{kind}:{{{name}}}")

    def rate(self, kind: str, name: str) -> str:
        """How often one address or session has done something in this minute."""
        return self._prefixed(f"rate:{kind}:{{{name}}}")

    def _prefixed(self, name: str) -> str:
        return f"{self.namespace}:{name}" if self.namespace else name


def retag(name: str, mark: int) -> str:
    """The name with another hash tag, so that on a cluster it is in another slot; itself for 0."""
    if mark == 0:
        return name
    front, brace, back = name.partition("}")
    return f"{front}.{mark}{brace}{back}"
