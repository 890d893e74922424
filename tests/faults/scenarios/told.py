"""What one attempt of a turn has told a tab. Pure."""

from tests.faults.view import Frame, View
from tests.support.processes import Process

LOST = "The worker was lost."
PIECE = "piece"
MAY_NOT_WRITE = "session {}: this lease may not write any more"


def told_by(view: View, turn_id: str, attempt: int) -> list[Frame]:
    """What this attempt itself has told, without the ends that a later one gave its calls."""
    return [
        event
        for event in view.events
        if event.get("turn_id") == turn_id
        and event.get("attempt") == attempt
        and not is_closing(event)
    ]


def is_closing(event: Frame) -> bool:
    """Whether this ends a call whose worker was lost."""
    if event["type"] == "tool_result":
        return event["result"] == LOST
    return event["type"] == "openai_response" and event["is_error"]


def collapse(events: list[Frame]) -> list[str]:
    """The types, neighbouring pieces of text as one."""
    kinds: list[str] = []
    for event in events:
        kind = PIECE if event.get("streaming") else event["type"]
        if kind != PIECE or kinds[-1:] != [PIECE]:
            kinds.append(kind)
    return kinds


def pieces_of(events: list[Frame]) -> str:
    """The text that is told in pieces and has no whole."""
    whole = {event["message_id"] for event in events if event.get("streaming") is False}
    return "".join(
        event["content"]
        for event in events
        if event.get("streaming") and event["message_id"] not in whole
    )


def starts_of(view: View, turn_id: str) -> list[Frame]:
    """The beginnings of its attempts."""
    return [
        event
        for event in view.events
        if event["type"] == "turn_started" and event["turn_id"] == turn_id
    ]


def count_refusals(worker: Process, session_id: str) -> int:
    """How often this worker has said that it may not write into the session any more."""
    return worker.log().count(MAY_NOT_WRITE.format(session_id[:8]))
