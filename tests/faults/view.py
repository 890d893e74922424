"""What one tab was given, checked frame by frame as docs/protocol.md says. Pure.

Written from the protocol and not from the client package, so that a fault in that package hides
nothing here.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Any, Literal

Frame = dict[str, Any]
Place = tuple[int, int]
Kind = Literal["lost", "doubled", "reordered"]


@dataclass(frozen=True)
class Breach:
    """A promise that was broken, with a sentence for whoever looks into it."""

    kind: Kind
    what: str


@dataclass(frozen=True)
class Answered:
    """What a gateway said to a cursor that was named when a socket was opened."""

    cursor: str
    resumed: bool
    reset: bool


class View:
    """The events since the last `reset`, in order, and every breach there has been."""

    def __init__(self, session_id: str | None = None) -> None:
        """`session_id`: that every frame must name."""
        self._session_id = session_id
        self.events: list[Frame] = []
        self.cursor: Place | None = None
        self.breaches: list[Breach] = []
        self.resets = 0
        self.events_taken = 0
        self.is_caught_up = False
        """Whether the head that the last `connected` named has been reached."""
        self.statuses: Counter[str] = Counter()
        """`connection` frames by status."""
        self.answers: list[Answered] = []
        """One for every cursor that was named, in order."""
        self.last_status = ""
        """What the last `connection` frame said."""
        self.holes = 0
        """Positions that were passed over, in replays and live: pieces that were merged or had
        left the log. A tab that keeps up sees none."""
        self._head: Place | None = None
        self._seen: set[Place] = set()
        self._kinds: set[tuple[str, str | None]] = set()
        """Type and turn of every event: this is asked again and again."""
        self._pieces: dict[str, str] = {}
        self._whole: set[str] = set()
        self._in_pieces: set[str | None] = set()

    @property
    def last_event_id(self) -> str | None:
        """What to resume from."""
        return None if self.cursor is None else f"{self.cursor[0]}-{self.cursor[1]}"

    def opened(self, last_event_id: str | None) -> None:
        """A new socket was opened with this cursor; its first frame answers it."""
        self._asked = last_event_id

    _asked: str | None = None

    def take(self, frame: Frame) -> None:
        """Take the next frame into account."""
        if self._session_id is not None and frame["session_id"] != self._session_id:
            self._breach("doubled", f"a frame of session {frame['session_id']}")
        if "id" not in frame:
            if frame["type"] == "connection":
                self._take_connection(frame)
            return
        place = place_of(frame["id"])
        if self._is_in_order(place):
            if self.cursor is not None and self.cursor[0] == place[0]:
                self.holes += place[1] - self.cursor[1] - 1
            self.cursor = place
            self._seen.add(place)
            self.events.append(frame)
            self._kinds.add((frame["type"], frame.get("turn_id")))
            if frame.get("streaming"):
                self._in_pieces.add(frame.get("turn_id"))
            self.events_taken += 1
            self._check_text(frame)
        self._look_whether_caught_up()

    def has(self, kind: str, turn_id: str) -> bool:
        """Whether an event of this type and turn has been given."""
        return (kind, turn_id) in self._kinds

    def has_pieces(self, turn_id: str) -> bool:
        """Whether a piece of this turn's text was given before its whole, ever."""
        return turn_id in self._in_pieces

    def _take_connection(self, frame: Frame) -> None:
        self.statuses[frame["status"]] += 1
        self.last_status = frame["status"]
        if frame["status"] != "connected":
            self.is_caught_up = False
            return
        self._check_answer(frame)
        if self._asked is not None:
            self.answers.append(Answered(self._asked, frame["resumed"], frame["reset"]))
        self._asked = None
        if frame["reset"]:
            self.resets += 1
            self.events.clear()
            self._seen.clear()
            self._kinds.clear()
            self._pieces.clear()
            self._whole.clear()
            self.cursor = None
        self._head = None if frame["head"] is None else place_of(frame["head"])
        self.is_caught_up = False
        self._look_whether_caught_up()

    def _check_answer(self, frame: Frame) -> None:
        """A cursor is honoured or refused, and one of the two."""
        if frame["resumed"] and frame["reset"]:
            self._breach("lost", "`connected` says both resumed and reset")
        if self._asked is not None and not (frame["resumed"] or frame["reset"]):
            self._breach("lost", f"the cursor {self._asked} was neither honoured nor refused")
        if frame["resumed"] and self.cursor is None and self._asked is None:
            self._breach("lost", "a tab without a cursor was resumed")
        head = None if frame["head"] is None else place_of(frame["head"])
        if frame["resumed"] and self.cursor is not None and (head is None or head < self.cursor):
            self._breach("lost", f"{self.cursor} was honoured, and the head is {head}")

    def _look_whether_caught_up(self) -> None:
        if self.last_status != "connected":
            return  # what was on its way when Redis was lost says nothing of now
        if self._head is None or (self.cursor is not None and self.cursor >= self._head):
            self.is_caught_up = True

    def _is_in_order(self, place: Place) -> bool:
        if place in self._seen:
            self._breach("doubled", f"position {place} came twice")
            return False
        if self.cursor is None:
            return True
        if place < self.cursor:
            self._breach("reordered", f"position {place} came after {self.cursor}")
            return False
        if place[0] != self.cursor[0] and (self._head is None or place > self._head):
            self._breach("reordered", f"epoch {place[0]} began without a reset, at {place}")
            return False
        return True

    def _check_text(self, frame: Frame) -> None:
        """The pieces that came are the beginning of the whole text: none is missing inside."""
        if frame["type"] not in ("assistant", "reasoning"):
            return
        pieces = self._pieces.get(frame["message_id"], "")
        if frame["streaming"]:
            self._pieces[frame["message_id"]] = pieces + frame["content"]
            if frame["message_id"] in self._whole:
                self._breach("reordered", f"a piece at {frame['id']} comes after its whole")
            return
        self._whole.add(frame["message_id"])
        if not frame["content"].startswith(pieces):
            self._breach("lost", f"the text at {frame['id']} does not begin with its pieces")

    def _breach(self, kind: Kind, what: str) -> None:
        self.breaches.append(Breach(kind, what))


def place_of(text: str) -> Place:
    """The position that `text` writes as `<epoch>-<seq>`."""
    epoch, seq = text.split("-")
    return int(epoch), int(seq)
