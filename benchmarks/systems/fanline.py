"""Our gateway, fed as a worker feeds it: by the append script, under leases, with default
settings."""

import platform
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from uuid import uuid4

from agent_worker.settings import WorkerSettings
from agent_worker.story import TurnStory, now_text
from benchmarks.systems.system import Launch, resp
from shared.ids import EntryId, SessionId, TurnId
from shared.inbox import Inbox, SubmittedMessage
from shared.keys import Keys
from shared.lease import Lease, Leases
from shared.protocol import encode_event
from shared.redis_client import Redis, Scripts, connect_redis

LEASE_MS = 3_600_000
"""Nobody renews here."""


class Fanline:
    """`python -m gateway`."""

    name = "Fanline"
    publishes_over = "redis"
    hello = b""
    base = 2
    """Each session begins with `message` and `turn_started`."""
    most_tabs = 10_000

    def __init__(self, settings: Mapping[str, str] | None = None) -> None:
        """`settings`: those that are not the default ones."""
        self._settings = settings or {}
        self._writers: dict[str, _Writer] = {}

    def missing(self) -> str:
        return ""

    def versions(self) -> str:
        packages = [f"{name} {version(name)}" for name in ("uvicorn", "uvloop", "hiredis")]
        return ", ".join([f"Python {platform.python_version()}", *packages])

    def launch(self, port: int, redis_port: int) -> Launch:
        return Launch(
            [sys.executable, "-m", "gateway"],
            {"PORT": str(port), "REDIS_URL": f"redis://127.0.0.1:{redis_port}/0", **self._settings},
        )

    def tab_path(self, session_id: str) -> str:
        return f"/ws?session_id={session_id}"

    async def prepare(self, redis_port: int, session_ids: Sequence[str]) -> None:
        self._writers = {}
        async with connect_redis(f"redis://127.0.0.1:{redis_port}/0") as client:
            for session_id in session_ids:
                self._writers[session_id] = await _begin_turn(client, SessionId(session_id))

    def publish(self, session_id: str, events: Sequence[bytes]) -> bytes:
        return self._writers[session_id].append(events)


class _Writer:
    """One session's turn, appending as `Lease.append` does."""

    def __init__(self, lease: Lease, turn_id: TurnId, digest: str, bounds: tuple[int, int]) -> None:
        self._turn_id = turn_id
        self._lease = lease
        keys = Keys().session(lease.session_id).in_script_order()
        words = ["EVALSHA", digest, len(keys), *keys, *bounds, lease.token]
        self._front = [str(word).encode() for word in words]

    def append(self, events: Sequence[bytes]) -> bytes:
        batch = self._lease.next_batch()
        about = (batch, batch - 1, self._turn_id, 0)
        stored = [b"{" + event.split(b",", 1)[1] for event in events]
        return resp(*self._front, *(str(word).encode() for word in about), *stored)


async def _begin_turn(client: Redis, session_id: SessionId) -> _Writer:
    settings = WorkerSettings()
    ttl, most_events = settings.session_ttl, settings.log_max_events
    keys = Keys()
    inbox = Inbox(client, keys, session_ttl=ttl, log_max_events=most_events)
    turn_id = TurnId(str(uuid4()))
    await inbox.enqueue(
        SubmittedMessage(session_id, turn_id, "question", now_text(), ""), EntryId("1-0")
    )
    leases = Leases(client, keys, session_ttl=ttl, log_max_events=most_events, lease_ms=LEASE_MS)
    lease = await leases.acquire(session_id, uuid4().hex)
    assert isinstance(lease, Lease)
    started = encode_event(TurnStory(session_id, turn_id, 1, "0" * 32).started("bench"))
    await lease.start(lease.next_batch(), turn_id, 1, settings.max_attempts, [started])
    # The generator sends the script by its hash: the server must know its text.
    digest = await client.script_load(Scripts(client).text("append"))
    return _Writer(lease, turn_id, digest, (ttl, most_events))
