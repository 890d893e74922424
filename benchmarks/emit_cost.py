"""What emitting costs the agent: microseconds per event, from the native event to the queue.

Printed for a sender that writes to a real server, and for one whose server is frozen. The sender's
own work is not the agent's and is not counted. Exits with 1 above the bar.

Run it with `python -m benchmarks.emit_cost`.
"""

import asyncio
import gc
import os
import signal
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter_ns
from uuid import uuid4

from pydantic_ai.messages import PartDeltaEvent, PartStartEvent, TextPart, TextPartDelta

from agent_worker.metrics import Metrics
from agent_worker.story import TurnStory, now_text
from agent_worker.telemetry_emitter import TelemetryEmitter
from agent_worker.told_content import ToldContent
from agent_worker.translate import Translator
from dev.embedded_redis import EmbeddedRedis
from shared.ids import EntryId, SessionId, TurnId
from shared.inbox import Inbox, SubmittedMessage
from shared.keys import Keys
from shared.lease import Lease, Leases
from shared.protocol import encode_event
from shared.redis_client import connect_redis

BAR_MICROSECONDS = 50.0
EVENTS = 10_000
DELTAS_PER_CALL = 8
"""How much an answer speaks for each call that it makes: telemetry costs more than text."""
EVENTS_PER_TICK = 10
SESSION_TTL, LOG_MAX_EVENTS = 3600, 100_000
MAX_BYTES = 256 * 1024 * 1024
ARGUMENTS = {"patient_id": "p-17", "limit": 20}
RESULT = "Metformin 500 mg, twice daily; " * 10


async def begin_turn(inbox: Inbox, leases: Leases) -> tuple[Lease, TurnStory]:
    """A turn that has started, under a lease of its own."""
    session_id, turn_id = SessionId(f"bench-{uuid4().hex}"), TurnId(str(uuid4()))
    message = SubmittedMessage(session_id, turn_id, "question", now_text(), "")
    await inbox.enqueue(message, EntryId("1-0"))
    lease = await leases.acquire(session_id, uuid4().hex)
    assert isinstance(lease, Lease)
    story = TurnStory(session_id, turn_id, 1, "0" * 32)
    started = encode_event(story.started("bench"))
    await lease.start(lease.next_batch(), turn_id, 1, 3, [started])
    return lease, story


async def measure(lease: Lease, story: TurnStory, before: Callable[[], None]) -> list[float]:
    """Microseconds for each event of an answer that speaks and calls tools."""
    emitter = TelemetryEmitter(
        lease, story, Metrics(), max_bytes=MAX_BYTES, max_result_bytes=65_536
    )
    emitter.content = ToldContent("full", 65_536)
    translator = Translator(story, max_data_bytes=65_536, max_text_bytes=MAX_BYTES)
    translator.translate(PartStartEvent(index=0, part=TextPart("")))
    sending = asyncio.create_task(emitter.send())
    await asyncio.sleep(0)
    before()
    costs: list[float] = []
    gc.collect()
    for number in range(EVENTS):
        piece = PartDeltaEvent(index=0, delta=TextPartDelta(f"word{number} "))
        begun = perf_counter_ns()
        match number % (DELTAS_PER_CALL + 2):
            case 0:
                emitter.emit_tool_call(str(number), "get_medications", ARGUMENTS, span_id="0" * 16)
            case 1:
                emitter.emit_tool_result(str(number - 1), RESULT, 12)
            case _:
                for frame in translator.translate(piece):
                    emitter.emit(frame)
        costs.append((perf_counter_ns() - begun) / 1000)
        if number % EVENTS_PER_TICK == 0:
            await asyncio.sleep(0)  # the agent waits for its model: the sender's turn
    assert not emitter.overflowed.is_set()
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)
    return costs


def report(name: str, costs: list[float]) -> float:
    """Print one line; returns the mean."""
    mean = statistics.fmean(costs)
    ordered = sorted(costs)
    median, p99 = ordered[len(ordered) // 2], ordered[len(ordered) * 99 // 100]
    print(
        f"emit, {name:<22} mean {mean:6.1f} us   p50 {median:6.1f} us   p99 {p99:6.1f} us"
        f"   ({len(costs)} events, bar: mean {BAR_MICROSECONDS:.0f} us)"
    )
    return mean


async def run(server: EmbeddedRedis) -> bool:
    """Both measurements; whether they keep the bar."""
    keys = Keys("bench")
    process = server.process
    assert process is not None
    async with connect_redis(server.url) as client:
        inbox = Inbox(client, keys, session_ttl=SESSION_TTL, log_max_events=LOG_MAX_EVENTS)
        leases = Leases(
            client,
            keys,
            session_ttl=SESSION_TTL,
            log_max_events=LOG_MAX_EVENTS,
            lease_ms=600_000,
        )
        writing = await measure(*await begin_turn(inbox, leases), lambda: None)
        turn = await begin_turn(inbox, leases)
        try:
            frozen = await measure(*turn, lambda: os.kill(process.pid, signal.SIGSTOP))
        finally:
            os.kill(process.pid, signal.SIGCONT)
    means = [report("Redis answers", writing), report("Redis is frozen", frozen)]
    return max(means) <= BAR_MICROSECONDS


def main() -> int:
    """Measure against an embedded server; returns the exit status."""
    with tempfile.TemporaryDirectory(prefix="fanline-bench-") as folder:
        server = EmbeddedRedis(Path(folder))
        server.start()
        try:
            return 0 if asyncio.run(run(server)) else 1
        finally:
            server.stop()


if __name__ == "__main__":
    sys.exit(main())
