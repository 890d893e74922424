"""A session in which much is said fast: what a slow tab cannot keep up with."""

from itertools import takewhile

from tests.faults.script import Answer, answer_with
from tests.faults.tab import Tab
from tests.faults.traffic import Session, Traffic
from tests.faults.view import Frame, View
from tests.support.stub_model import Reply

PIECE = "x" * 4000 + " "
PACE = 0.004
HELD_BACK = 5
"""Pieces of an answer that is held, not yet said."""


class Loud:
    """Says long answers in one session, piece by piece."""

    def __init__(self, traffic: Traffic, session: Session, pieces: int) -> None:
        self.session = session
        self.bytes_said = 0
        self._traffic = traffic
        self._pieces = pieces

    async def turn(self) -> str:
        """One whole turn, until every fast tab has its end; returns its id."""
        answer, _ = self._say(hold_after=None)
        await self._traffic.until(
            lambda: all(tab.view.has("turn_finished", answer.message_id) for tab in self._tabs),
            "a long answer has ended",
        )
        return answer.message_id

    async def held_turn(self) -> tuple[str, Reply]:
        """Begin a turn that stops just before its end, until it is released: returns when every
        fast tab has what was said so far."""
        answer, reply = self._say(hold_after=self._pieces - HELD_BACK)
        said = sum(map(len, reply.chunks[: self._pieces - HELD_BACK]))
        await self._traffic.until(
            lambda: all(_is_told(tab.view, answer, said) for tab in self._tabs),
            "a long answer has come to where it is held",
        )
        return answer.message_id, reply

    @property
    def _tabs(self) -> list[Tab]:
        return self.session.tabs

    def _say(self, hold_after: int | None) -> tuple[Answer, Reply]:
        random = self._traffic.random
        mark = f"loud {random.getrandbits(64):016x}"
        chunks = [f"{mark}: ", *(f"{number} {PIECE}" for number in range(1, self._pieces))]
        reply = Reply(chunks, chunk_seconds=PACE, hold_after=hold_after)
        answer = answer_with(random, mark, [reply])
        self._traffic.say(self.session, answer, self.session.tabs[0])
        self.bytes_said += len(answer.text)
        return answer, reply


def _is_told(view: View, answer: Answer, characters: int) -> bool:
    """Whether so much of the answer has come. It is the last turn that has begun."""
    if not view.has("turn_started", answer.message_id):
        return False
    theirs = takewhile(lambda e: e["type"] != "turn_started", reversed(view.events))
    return sum(len(event["content"]) for event in theirs if event.get("streaming")) == characters


def pieces_of(events: list[Frame], turn_id: str) -> list[str]:
    """The pieces of the turn's text, in order."""
    return [
        event["content"]
        for event in events
        if event["type"] == "assistant" and event["streaming"] and event["turn_id"] == turn_id
    ]
