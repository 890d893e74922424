"""A turn's frames and its exported spans, side by side."""

from collections.abc import Iterable
from dataclasses import dataclass

from fanline import Event

from tests.support.chat import Tab
from tests.support.eventually import eventually
from tests.support.otlp_receiver import Receiver, Span

TOLERANCE_MS = 1
ENDS = {"tool_call": "tool_result", "openai_call": "openai_response"}


@dataclass(frozen=True)
class TracedCall:
    """A model or tool call as it was told live: its first frame and its last."""

    begin: Event
    end: Event

    @property
    def span_id(self) -> str:
        return str(self.begin["span_id"])

    @property
    def name(self) -> str:
        """What its span is called."""
        if self.begin.type == "tool_call":
            return f"execute_tool {self.begin['tool_name']}"
        return f"chat {self.begin['model']}"


@dataclass(frozen=True)
class TracedTurn:
    """One turn, from both sides."""

    events: list[Event]
    calls: list[TracedCall]
    spans: dict[str, Span]
    """By span id."""

    @property
    def finished(self) -> Event:
        return self.events[-1]

    @property
    def root(self) -> Span:
        """The one span of the trace without a parent."""
        (root,) = [span for span in self.spans.values() if span.parent_span_id is None]
        return root

    @property
    def turn_span(self) -> Span:
        """The worker's span of the attempt that ended the turn."""
        (turn,) = _turn_spans(self.spans.values(), self.finished["attempt"])
        return turn

    def check(self) -> None:
        """Everything that must be equal on both sides is equal."""
        self._check_trace()
        for call in self.calls:
            span = self.spans.get(call.span_id)
            if span is None:
                _check_lost(call, self.finished["attempt"])
            else:
                self._check_call(call, span)
        told = {call.span_id for call in self.calls}
        for span in self.spans.values():
            is_call = span.name.startswith(("chat ", "execute_tool "))
            assert not is_call or span.span_id in told, f"{span} has no frame"
        turn = self.turn_span
        assert abs(self.finished["duration_ms"] - turn.duration_ms) <= TOLERANCE_MS
        assert turn.attributes["turn.status"] == self.finished["status"]
        assert turn.is_error == (self.finished["status"] == "failed")

    def _check_trace(self) -> None:
        session_id = self.finished["session_id"]
        assert {event["trace_id"] for event in self.events} == {self.root.trace_id}
        assert (self.root.name, self.root.service) == ("receive message", "fanline-gateway")
        assert self.turn_span.parent_span_id == self.root.span_id
        for span in self.spans.values():
            assert span.attributes.get("session_id") == session_id, span
            assert span is self.root or span.service == "fanline-worker", span

    def _check_call(self, call: TracedCall, span: Span) -> None:
        assert span.name == call.name
        for frame in (call.begin, call.end):
            assert frame["span_id"] == span.span_id
            assert frame["parent_span_id"] == span.parent_span_id
        if call.begin["attempt"] == self.finished["attempt"]:
            # The turn's span of a killed attempt never went out: there the line is broken.
            assert self.turn_span in self._ancestors(span)
        assert abs(call.end["duration_ms"] - span.duration_ms) <= TOLERANCE_MS
        assert call.end["is_error"] == span.is_error
        if call.begin.type == "tool_call":
            for frame in (call.begin, call.end):
                assert frame["tool_call_id"] == span.attributes["gen_ai.tool.call.id"]
        else:
            told = (call.end["prompt_tokens"], call.end["completion_tokens"])
            names = ("gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens")
            assert told == tuple(span.attributes.get(name) for name in names)

    def _ancestors(self, span: Span) -> list[Span]:
        found: list[Span] = []
        while (parent := self.spans.get(span.parent_span_id or "")) is not None:
            found.append(parent)
            span = parent
        return found


async def read_traced_turn(receiver: Receiver, tab: Tab) -> TracedTurn:
    """The tab's last turn, when the spans of its last attempt have arrived at the receiver."""
    finished = tab.events[-1]
    assert finished.type == "turn_finished"
    events = [event for event in tab.events if event["turn_id"] == finished["turn_id"]]

    async def arrived() -> list[Span]:
        spans = await receiver.spans(finished["trace_id"])
        has_root = any(span.parent_span_id is None for span in spans)
        # A process sends its spans in the order of their ends: the turn's is the last.
        return spans if has_root and _turn_spans(spans, finished["attempt"]) else []

    spans: list[Span] = await eventually(arrived, "the turn's spans have been exported")
    return TracedTurn(events, _calls_of(events), {span.span_id: span for span in spans})


def _turn_spans(spans: Iterable[Span], attempt: int) -> list[Span]:
    return [span for span in spans if span.name == "turn" and span.attributes["attempt"] == attempt]


def _calls_of(events: list[Event]) -> list[TracedCall]:
    calls: list[TracedCall] = []
    for begin in events:
        if begin.type in ENDS:
            kind = ENDS[begin.type]
            name = "tool_call_id" if begin.type == "tool_call" else "call_id"
            (end,) = [e for e in events if e.type == kind and e[name] == begin[name]]
            calls.append(TracedCall(begin, end))
    return calls


def _check_lost(call: TracedCall, last_attempt: int) -> None:
    """A call without a span is one that its worker's death cut off, closed under the same ids."""
    assert call.begin["attempt"] == call.end["attempt"] < last_attempt, call
    for name in ("span_id", "parent_span_id", "trace_id"):
        assert call.begin[name] == call.end[name]
    assert call.end["is_error"] is True
