"""What is too large: a text, a tool's arguments and result, an event, a history."""

import asyncio
from collections.abc import Iterator
from typing import Any, cast

from shared.ids import SessionId
from tests.faults.scenarios.big_agent import BIG_BYTES
from tests.faults.script import Answer, answer_with
from tests.faults.stage import Stage
from tests.faults.traffic import Session, Traffic
from tests.faults.view import Frame
from tests.support.stub_model import Call, Reply

TEXT = "texts too long"
ARGUMENTS = "arguments too large"
RESULT = "results and custom events too large"
HISTORY = "histories too large"
MADE = "turns too large for a history"

AGENT = "tests.faults.scenarios.big_agent:agent"
SHORT_TEXT_BYTES = 500_000
"""`MAX_TEXT_BYTES` of the short run: what is told until then is told to every tab."""
MAX_FRAME_BYTES = 200_000
PIECE = "x" * 100_000


async def exceed_every_bound(stage: Stage) -> None:
    """Sessions in which everything is too large, among the others: each event that is told is
    bounded, a text that cannot be is the end of its turn, and nobody else notices."""
    row, deployment = stage.row, stage.deployment
    row.expect(TEXT, ARGUMENTS, RESULT, HISTORY, MADE)
    bounds = {} if stage.is_long else {"max_text_bytes": SHORT_TEXT_BYTES}
    workers = [deployment.start_worker(agent=AGENT, **bounds) for _ in range(2)]
    await asyncio.gather(deployment.start_gateway(), deployment.start_gateway(), *workers)
    async with stage.traffic() as traffic, deployment.client() as client:
        big = traffic.open_session([stage.any_gateway(tab) for tab in range(3)])
        await traffic.until_up_to_date()
        await _say(traffic, big, _too_long(traffic))
        await _say(traffic, big, _with_call(traffic, "repeat", {"text": PIECE * 30}))
        await _say(traffic, big, _with_call(traffic, "tell_everything", {}))
        key = deployment.keys.session(SessionId(big.session_id)).history
        await client.set(key, b'["' + b"x" * BIG_BYTES + b'"]', ex=600)
        traffic.ask(big)
        await traffic.until(lambda: not big.unfinished, "the turn is answered all the same")
    _look(stage, big)


async def _say(traffic: Traffic, session: Session, answer: Answer) -> None:
    traffic.say(session, answer, session.tabs[0])
    await traffic.until(lambda: not session.unfinished, f"{answer.content} has ended")


def _too_long(traffic: Traffic) -> Answer:
    pieces = [PIECE] * (BIG_BYTES // len(PIECE))
    return _answer(traffic, "too long", [Reply(pieces)], {"failed"})


def _with_call(traffic: Traffic, tool: str, arguments: dict[str, Any]) -> Answer:
    call = Call(tool, arguments, call_id=f"call-{traffic.random.getrandbits(32):08x}")
    return _answer(traffic, tool, [Reply(calls=[call]), Reply(["done"])], {"completed"})


def _answer(traffic: Traffic, what: str, replies: list[Reply], ends: set[str]) -> Answer:
    mark = f"{what} {traffic.random.getrandbits(64):016x}"
    answer = answer_with(traffic.random, mark, replies)
    answer.statuses = frozenset(ends)
    return answer


def _look(stage: Stage, session: Session) -> None:
    """Count what was bounded, and find what was not."""
    row = stage.row
    events = session.tabs[0].view.events
    row.happened(TEXT, sum(1 for e in events if e.get("error", {}) and _is_too_long(e)))
    row.happened(ARGUMENTS, sum(1 for e in events if e.get("arguments") == {"truncated": True}))
    row.happened(RESULT, sum(1 for e in events if _is_cut(e)))
    log = "".join(worker.log() for worker in stage.workers)
    mark, (failed, called, told, after) = session.session_id[:8], session.answers
    row.happened(HISTORY, log.count(f"session {mark}: its history is given up"))
    row.happened(MADE, log.count("is too big for the history"))
    for line, wanted in {
        f"session {mark}: its history is given up": 1,
        f"turn {failed.message_id} failed: model_error": 1,
        f"turn {called.message_id} is too big for the history": 1,
        f"turn {told.message_id} is too big for the history": 1,
        f"turn {after.message_id} is too big for the history": 0,
    }.items():
        if log.count(line) != wanted:
            row.problems.append(f"{log.count(line)} lines, and not {wanted}, that say: {line}")
    whole = [event for event in events if not event.get("streaming")]
    biggest = max(len(part) for event in whole for part in _strings(event))
    if biggest > MAX_FRAME_BYTES:
        row.problems.append(f"an event has {biggest} characters in one field")


def _is_too_long(event: Frame) -> bool:
    return event["type"] == "turn_finished" and event["error"]["code"] == "model_error"


def _is_cut(event: Frame) -> bool:
    if event["type"] == "custom":
        return event["data"] == {"truncated": True}
    return event["type"] == "tool_result" and event.get("truncated_bytes", 0) > 0


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in cast(dict[str, Any], value).values():
            yield from _strings(part)
