"""What a session's tabs were given, against what the script says. Pure."""

from collections import Counter
from collections.abc import Sequence

from tests.faults.script import Answer
from tests.faults.view import Breach, Frame, Kind, View

ENDS = {"tool_call": "tool_result", "openai_call": "openai_response"}


def judge_session(answers: Sequence[Answer], views: Sequence[View]) -> list[Breach]:
    """Every breach in every tab of one session, whose messages were sent in this order."""
    breaches: list[Breach] = []
    for view in views:
        breaches += view.breaches
        breaches += _Judgement(answers, view).breaches
    breaches += _compare(views)
    return breaches


def finished_once(answer: Answer, view: View) -> bool:
    """Whether the message has exactly one `turn_finished` here."""
    return _count(view.events, "turn_finished", answer.message_id) == 1


class _Judgement:
    """One tab against the script."""

    def __init__(self, answers: Sequence[Answer], view: View) -> None:
        self.breaches: list[Breach] = []
        self._turns: dict[str, list[Frame]] = {}
        for event in view.events:
            if event.get("turn_id") is not None:
                self._turns.setdefault(event["turn_id"], []).append(event)
        for answer in answers:
            events = self._turns.get(answer.message_id, [])
            if events or not answer.may_be_forgotten:
                self._judge_turn(answer, events)
        known = {answer.message_id for answer in answers}
        for turn_id in self._turns.keys() - known:
            self._breach("doubled", f"turn {turn_id} is nobody's message")
        self._judge_order(view.events)

    def _judge_turn(self, answer: Answer, events: list[Frame]) -> None:
        for kind in ("message", "turn_finished"):
            count = sum(1 for event in events if event["type"] == kind)
            self._compare_counts(f"{kind} of {answer.content}", count, 1)
        end = next((event for event in events if event["type"] == "turn_finished"), None)
        if end is None:
            return
        if events[-1]["type"] != "turn_finished":
            self._breach("reordered", f"{answer.content} goes on after its end")
        if events[0]["type"] != "message" or events[0]["content"] != answer.content:
            self._breach("reordered", f"{answer.content} does not begin with its message")
        self._judge_ids(events)
        self._judge_attempts(answer, events)
        if end["status"] not in answer.statuses:
            self._breach("lost", f"{answer.content} ended as {end['status']}: {end.get('error')}")
        elif end["status"] == "completed":
            self._judge_answer(answer, events)

    def _judge_answer(self, answer: Answer, events: list[Frame]) -> None:
        begun = [event["attempt"] for event in events if event["type"] == "turn_started"]
        last = max(begun, default=0)
        told = [event for event in events if event.get("attempt") == last]
        text = "".join(
            event["content"]
            for event in told
            if event["type"] == "assistant" and not event["streaming"]
        )
        if text != answer.text:
            self._breach("lost", f"{answer.content} says {text!r} and not {answer.text!r}")
        calls = {
            event["tool_call_id"].rsplit(".", 1)[0]
            for event in told
            if event["type"] == "tool_call"
        }
        for missing in answer.calls - calls:
            self._breach("lost", f"{answer.content} has no tool call {missing}")
        for extra in calls - answer.calls:
            self._breach("doubled", f"{answer.content} has a tool call {extra}")
        models = sum(1 for event in told if event["type"] == "openai_call")
        self._compare_counts(f"model calls of {answer.content}", models, answer.model_calls)

    def _judge_ids(self, events: list[Frame]) -> None:
        """Every call has one beginning and one end; every whole text comes once."""
        for begin, end in ENDS.items():
            name = "tool_call_id" if begin == "tool_call" else "call_id"
            begun = Counter(event[name] for event in events if event["type"] == begin)
            ended = Counter(event[name] for event in events if event["type"] == end)
            for call_id in begun.keys() | ended.keys():
                self._compare_counts(f"{begin} {call_id}", begun[call_id], 1)
                self._compare_counts(f"{end} {call_id}", ended[call_id], 1)
        wholes = Counter(
            event["message_id"]
            for event in events
            if event["type"] == "assistant" and not event["streaming"]
        )
        for message_id, count in wholes.items():
            self._compare_counts(f"whole text {message_id}", count, 1)

    def _judge_attempts(self, answer: Answer, events: list[Frame]) -> None:
        """Attempts count up; when one has begun, no text of an earlier one comes."""
        current = 0
        for event in events:
            if event["type"] == "turn_started":
                if event["attempt"] <= current:
                    self._breach("doubled", f"attempt {event['attempt']} of {answer.content} again")
                current = max(current, event["attempt"])
            elif event["type"] == "assistant" and event["attempt"] != current:
                said = f"attempt {event['attempt']} of {answer.content} speaks in {current}"
                self._breach("reordered", said)

    def _judge_order(self, events: list[Frame]) -> None:
        """Turns run one after the other, in the order of their messages."""
        asked = [event["turn_id"] for event in events if event["type"] == "message"]
        started = [
            event["turn_id"]
            for event in events
            if event["type"] == "turn_started" and event["attempt"] == 1
        ]
        due = [turn_id for turn_id in asked if turn_id in started]
        if started != due:
            self._breach("reordered", f"turns began as {started}, and were asked as {due}")
        running: str | None = None
        for event in events:
            if event["type"] == "turn_started":
                if running not in (None, event["turn_id"]):
                    self._breach("reordered", f"{event['turn_id']} began while {running} ran")
                running = event["turn_id"]
            elif event["type"] == "turn_finished" and event["turn_id"] == running:
                running = None

    def _compare_counts(self, what: str, count: int, wanted: int) -> None:
        if count != wanted:
            kind: Kind = "lost" if count < wanted else "doubled"
            self._breach(kind, f"{what}: {count}, and not {wanted}")

    def _breach(self, kind: Kind, what: str) -> None:
        self.breaches.append(Breach(kind, what))


def _compare(views: Sequence[View]) -> list[Breach]:
    """Tabs of one session end with the same events, but for the pieces of texts."""
    told = [{event["id"] for event in view.events if not event.get("streaming")} for view in views]
    everything = set[str]().union(*told)
    return [
        Breach(
            "lost", f"a tab has not been given {sorted(everything - ids)[:5]}, which another was"
        )
        for ids in told
        if ids != everything
    ]


def _count(events: Sequence[Frame], kind: str, turn_id: str) -> int:
    return sum(1 for e in events if e["type"] == kind and e.get("turn_id") == turn_id)
