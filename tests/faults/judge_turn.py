"""One turn as a tab was given it, against what the script says of it. Pure."""

from collections import Counter
from collections.abc import Sequence

from tests.faults.script import Answer
from tests.faults.view import Breach, Frame, Kind

CALLS = (
    ("tool_call", "tool_result", "tool_call_id"),
    ("openai_call", "openai_response", "call_id"),
)


def judge_turn(answer: Answer, events: Sequence[Frame]) -> list[Breach]:
    """Every breach in the events of this message's turn."""
    return _TurnJudgement(answer, events).breaches


class _TurnJudgement:
    def __init__(self, answer: Answer, events: Sequence[Frame]) -> None:
        self.breaches: list[Breach] = []
        self._answer = answer
        self._events = events
        self._name = answer.content
        self._begun = [event["attempt"] for event in self._of("turn_started")]
        for kind in ("message", "turn_finished"):
            self._compare_counts(f"{kind} of {self._name}", len(self._of(kind)), 1)
        if self._of("turn_finished"):
            self._judge_frame()
            self._judge_calls()
            self._judge_attempts()
            self._judge_texts()
            self._judge_end()

    def _judge_frame(self) -> None:
        """A turn begins with its message and ends with its end."""
        first, last = self._events[0], self._events[-1]
        if first["type"] != "message" or first["content"] != self._name:
            self._breach("reordered", f"{self._name} does not begin with its message")
        if last["type"] != "turn_finished":
            self._breach("reordered", f"{self._name} goes on after its end")

    def _judge_calls(self) -> None:
        """Every call has one beginning and, after it, one end; a text is whole once."""
        for begin, end, name in CALLS:
            begun = {event[name]: event for event in self._of(begin)}
            ended = {event[name]: event for event in self._of(end)}
            for kind in (begin, end):
                counts = Counter(event[name] for event in self._of(kind))
                for call_id in begun.keys() | ended.keys():
                    self._compare_counts(f"{kind} {call_id}", counts[call_id], 1)
            for call_id in begun.keys() & ended.keys():
                if self._events.index(begun[call_id]) > self._events.index(ended[call_id]):
                    self._breach("reordered", f"{call_id} ends before it begins")
        wholes = Counter(event["message_id"] for event in self._of("assistant") if _is_whole(event))
        for message_id, count in wholes.items():
            self._compare_counts(f"whole text {message_id}", count, 1)

    def _judge_attempts(self) -> None:
        """Attempts are 1, 2, 3 ...; when one has begun, no text of an earlier one comes."""
        if self._begun != list(range(1, len(self._begun) + 1)):
            kind: Kind = "doubled" if len(set(self._begun)) < len(self._begun) else "lost"
            self._breach(kind, f"attempts of {self._name} are {self._begun}")
        current = 0
        for event in self._events:
            if event["type"] == "turn_started":
                current = event["attempt"]
            elif event["type"] == "assistant" and event["attempt"] != current:
                said = f"attempt {event['attempt']} of {self._name} speaks in {current}"
                self._breach("reordered", said)

    def _judge_texts(self) -> None:
        """Whatever an attempt has said, and however it ended, it is the beginning of the script."""
        for attempt in self._begun:
            said = "".join(whole or pieces for pieces, whole in self._texts(attempt))
            if not self._answer.text.startswith(said):
                told = f"attempt {attempt} of {self._name} says {said!r}"
                self._breach("lost", f"{told} and not {self._answer.text!r}")
            for extra in self._calls(attempt) - self._answer.calls:
                self._breach("doubled", f"{self._name} has a tool call {extra}")
            models = len(self._of("openai_call", attempt))
            if models > self._answer.model_calls:
                self._breach("doubled", f"{self._name} has {models} model calls")

    def _judge_end(self) -> None:
        end = self._of("turn_finished")[0]
        last = max(self._begun, default=0)
        if end["status"] not in self._answer.statuses:
            self._breach("lost", f"{self._name} ended as {end['status']}: {end.get('error')}")
        elif end["status"] == "completed":
            self._judge_answer(last)
        elif end["status"] == "cancelled":
            # It keeps what it had said.
            for pieces, whole in self._texts(last):
                if whole is None:
                    self._breach("lost", f"{self._name} was cancelled and lost {pieces!r}")

    def _judge_answer(self, last: int) -> None:
        text = "".join(whole or "" for _, whole in self._texts(last))
        if text != self._answer.text:
            self._breach("lost", f"{self._name} says {text!r} and not {self._answer.text!r}")
        for missing in self._answer.calls - self._calls(last):
            self._breach("lost", f"{self._name} has no tool call {missing}")
        models = len(self._of("openai_call", last))
        self._compare_counts(f"model calls of {self._name}", models, self._answer.model_calls)
        if self._of("error"):
            self._breach("doubled", f"{self._name} is completed and has an error")
        for event in (*self._of("tool_result", last), *self._of("openai_response", last)):
            if event.get("is_error"):
                self._breach("lost", f"{self._name} is completed, and a call has failed")

    def _of(self, kind: str, attempt: int | None = None) -> list[Frame]:
        return [
            event
            for event in self._events
            if event["type"] == kind and attempt in (None, event.get("attempt"))
        ]

    def _texts(self, attempt: int) -> list[tuple[str, str | None]]:
        """The attempt's texts in order: the pieces that came, and the whole if it came."""
        pieces: dict[str, str] = {}
        wholes: dict[str, str] = {}
        for event in self._of("assistant", attempt):
            pieces.setdefault(event["message_id"], "")
            if event["streaming"]:
                pieces[event["message_id"]] += event["content"]
            else:
                wholes[event["message_id"]] = event["content"]
        return [(said, wholes.get(message_id)) for message_id, said in pieces.items()]

    def _calls(self, attempt: int) -> set[str]:
        """The attempt's tool calls, by the ids that the model gave them."""
        calls = self._of("tool_call", attempt)
        return {event["tool_call_id"].rsplit(".", 1)[0] for event in calls}

    def _compare_counts(self, what: str, count: int, wanted: int) -> None:
        if count != wanted:
            self._breach("lost" if count < wanted else "doubled", f"{what}: {count}, not {wanted}")

    def _breach(self, kind: Kind, what: str) -> None:
        self.breaches.append(Breach(kind, what))


def _is_whole(event: Frame) -> bool:
    return not event["streaming"]
