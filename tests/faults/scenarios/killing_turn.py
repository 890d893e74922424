"""A turn that kills whatever runs it, and what else runs there."""

import asyncio

from tests.faults.scenarios.crew import hasty, open_session, worker_named
from tests.faults.scenarios.phases import answer_of
from tests.faults.stage import Stage
from tests.faults.traffic import Session, Traffic
from tests.faults.view import Frame
from tests.support.stub_model import Reply

POISONED = "attempts of the poison killed"
FAILED = "poisons ended as failed"
BYSTANDERS = "other turns killed with it"
MOST_ATTEMPTS = 3


async def poison(stage: Stage) -> None:
    """A message kills each worker that begins to answer it, and everything else that runs there."""
    stage.row.expect(POISONED, FAILED, BYSTANDERS)
    await stage.start(gateways=2, workers=0)
    settings = hasty(stage) | {"max_attempts": MOST_ATTEMPTS}
    start_worker = stage.deployment.start_worker
    await asyncio.gather(*(start_worker(**settings) for _ in range(3)))
    async with stage.traffic() as traffic:
        session = open_session(stage, traffic)
        await traffic.after_events(200)
        answer = answer_of(stage.random, session, [Reply(hang=True)])
        answer.statuses = frozenset({"failed"})
        begun: asyncio.Queue[Frame] = asyncio.Queue()

        def look(frame: Frame) -> None:
            if frame["type"] == "turn_started" and frame["turn_id"] == answer.message_id:
                begun.put_nowait(frame)

        session.tabs[0].on_frame = look
        traffic.say(session, answer, session.tabs[0])
        killed_at: float | None = None
        for _ in range(MOST_ATTEMPTS):
            async with asyncio.timeout(30):
                started = await begun.get()
            now = asyncio.get_running_loop().time()
            if killed_at is not None:
                stage.row.recoveries.append(now - killed_at)
            killed_at = now
            await worker_named(stage.workers, started["worker"]).kill()
            stage.row.happened(POISONED)
            await start_worker(**settings)
        view = session.tabs[0].view
        await traffic.until(lambda: view.has("turn_finished", answer.message_id), "its end")
        if _failure_of(session, answer.message_id) == "worker_lost":
            stage.row.happened(FAILED)
    stage.row.happened(BYSTANDERS, _count_lost_attempts(traffic, but=session))


def _failure_of(session: Session, turn_id: str) -> str:
    (end,) = [
        event
        for event in session.tabs[0].view.events
        if event["type"] == "turn_finished" and event["turn_id"] == turn_id
    ]
    return str(end["error"]["code"]) if end["status"] == "failed" else str(end["status"])


def _count_lost_attempts(traffic: Traffic, but: Session) -> int:
    return sum(
        event["type"] == "turn_started" and event["attempt"] > 1
        for session in traffic.sessions
        for event in session.tabs[0].view.events
        if session is not but
    )
