"""What a session's tabs were given, against what the script says. Pure."""

from collections.abc import Sequence

from tests.faults.judge_turn import judge_turn
from tests.faults.script import Answer
from tests.faults.view import Breach, Frame, View


def judge_session(
    answers: Sequence[Answer], views: Sequence[View], rows: Sequence[Sequence[str]] = ()
) -> list[Breach]:
    """Every breach in every tab of one session. `rows`: message ids that one tab has sent over one
    socket without being refused, in that order."""
    breaches: list[Breach] = []
    for view in views:
        breaches += view.breaches
        breaches += _judge_view(answers, view)
        breaches += [breach for row in rows for breach in _judge_row(row, view)]
    return breaches + _compare(views)


def finished_once(answer: Answer, view: View) -> bool:
    """Whether the message has exactly one `turn_finished` here."""
    return _count(view.events, "turn_finished", answer.message_id) == 1


def _judge_view(answers: Sequence[Answer], view: View) -> list[Breach]:
    turns: dict[str, list[Frame]] = {}
    for event in view.events:
        if event.get("turn_id") is not None:
            turns.setdefault(event["turn_id"], []).append(event)
    breaches = _judge_order(view.events)
    for answer in answers:
        events = turns.pop(answer.message_id, [])
        if events or not answer.may_be_forgotten:
            breaches += judge_turn(answer, events)
    return breaches + [
        Breach("doubled", f"turn {turn_id} is nobody's message") for turn_id in turns
    ]


def _judge_row(row: Sequence[str], view: View) -> list[Breach]:
    """Messages are shown in the order in which a tab has sent them."""
    shown = [event["turn_id"] for event in view.events if event["type"] == "message"]
    shown = [turn_id for turn_id in shown if turn_id in row]
    due = [message_id for message_id in row if message_id in shown]
    return [] if shown == due else [Breach("reordered", f"sent as {due}, shown as {shown}")]


def _judge_order(events: list[Frame]) -> list[Breach]:
    """Turns run one after the other, in the order of their messages."""
    breaches: list[Breach] = []
    asked = [event["turn_id"] for event in events if event["type"] == "message"]
    started = [
        event["turn_id"]
        for event in events
        if event["type"] == "turn_started" and event["attempt"] == 1
    ]
    due = [turn_id for turn_id in asked if turn_id in started]
    if started != due:
        breaches.append(Breach("reordered", f"turns began as {started}, and were asked as {due}"))
    running: str | None = None
    for event in events:
        if event["type"] == "turn_started":
            if running not in (None, event["turn_id"]):
                said = f"{event['turn_id']} began while {running} ran"
                breaches.append(Breach("reordered", said))
            running = event["turn_id"]
        elif event["type"] == "turn_finished" and event["turn_id"] == running:
            running = None
    return breaches


def _compare(views: Sequence[View]) -> list[Breach]:
    """Tabs of one session end with the same events, but for the pieces of texts."""
    told = [{e["id"]: e for e in view.events if not e.get("streaming")} for view in views]
    everything: dict[str, Frame] = {}
    for one in told:
        everything |= one
    breaches: list[Breach] = []
    for one in told:
        if missing := sorted(everything.keys() - one.keys())[:5]:
            breaches.append(Breach("lost", f"a tab was not given {missing}, which another was"))
        differing = [place for place, event in one.items() if event != everything[place]]
        if differing:
            breaches.append(Breach("lost", f"two tabs were given different events at {differing}"))
    return breaches


def _count(events: Sequence[Frame], kind: str, turn_id: str) -> int:
    return sum(1 for e in events if e["type"] == kind and e.get("turn_id") == turn_id)
