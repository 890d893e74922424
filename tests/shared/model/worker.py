"""A worker as the model sees it: one command at a time, and between any two it may die or stand
still."""

from typing import Literal

from shared.ids import EntryId, SessionId, TurnId
from shared.inbox import SubmittedMessage, decode_item
from shared.lease import make_acquisition
from tests.shared.model.gateway import Fate, Wire, encode, enqueue
from tests.shared.model.truth import BOUNDS, MOST_ATTEMPTS, Command
from tests.shared.model.world import World

Choice = Literal["say", "end message", "renew", "hand back", "finish"]
LEASE_MS = 600_000
"""A lease ends when the model says so."""


class Worker:
    """One worker: the entry in its hand, the lease it believes in, the command it waits for."""

    def __init__(self, name: str, world: World, copies: list[Command]) -> None:
        self.name = name
        self.world = world
        self.phase = "idle"
        self._copies = copies
        self._put_down()

    def _put_down(self) -> None:
        self.phase = "idle"
        self._wire = Wire(self.world, self._copies)
        self._token = self._batch = self._written = self._attempts = self._removable = 0
        self._entry: EntryId | None = None
        self._message: SubmittedMessage | None = None
        self.session = SessionId("")
        self._turn = TurnId("")
        self._acquisition = ""

    def die(self) -> None:
        """Nothing of it is left; its entries stay pending."""
        self._put_down()

    def connection_broke(self) -> None:
        """The pair of enqueue and acknowledge is begun again from its first step."""
        if self.phase == "acknowledge":
            self.phase = "settle" if self._token else "enqueue"

    def take(self, entry_id: EntryId, message: SubmittedMessage) -> None:
        self._entry, self._message, self.session = entry_id, message, message.session_id
        self.phase = "enqueue"

    def go_on(self, fate: Fate, choice: Choice) -> None:
        """The next command."""
        match self.phase:
            case "enqueue":
                self._enqueue(fate)
            case "acquire":
                self._acquire(fate)
            case "peek":
                self._peek()
            case "start":
                self._start(fate, choice)
            case "run":
                self._run(fate, choice)
            case "finish":
                self._finish(fate)
            case "settle":
                self._settle(fate)
            case "acknowledge":
                self._acknowledge()
            case "release":
                self._release(fate)
            case _:
                pass

    def _enqueue(self, fate: Fate) -> None:
        message, entry_id = self._message, self._entry
        assert message is not None
        assert entry_id is not None
        words = self._wire.send(lambda: enqueue(message, entry_id), fate)
        if words is not None:
            self._acquisition = make_acquisition()
            self.phase = "acknowledge" if words == ["left"] else "acquire"

    def _acquire(self, fate: Fate) -> None:
        arguments = (BOUNDS[0], LEASE_MS, self._acquisition)
        words = self._wire.send(lambda: Command("acquire", self.session, arguments), fate)
        if words is None:
            return
        if words[0] == "ok":
            self._token, self._batch, self._written = int(words[1]), 0, 0
            self.phase = "peek"
        else:
            self._put_down()  # held, or idle: the entry stays pending

    def _peek(self) -> None:
        head, turn, attempts, *_ = self.world.look("peek", self.session)
        if head is None:
            self.phase = "release"
            return
        item = decode_item(self.session, head)
        self._message, self._entry = item.message, item.entry_id
        self._turn = item.message.message_id
        begun = turn is not None and turn.decode() == self._turn
        self._attempts = int(attempts) if begun else 0
        self.phase = "start"

    def _start(self, fate: Fate, choice: Choice) -> None:
        waits_for = self._wire.unanswered.script if self._wire.unanswered else ""
        if waits_for == "hand_back" or (not waits_for and choice == "hand back"):
            self._hand_back(fate)
            return
        attempt = self._attempts + 1
        event = {"type": "turn_started", "turn_id": self._turn}
        words = self._write("start", fate, LEASE_MS, attempt, MOST_ATTEMPTS, events=[encode(event)])
        if words is not None:
            self.phase = "run" if words[0] == "ok" else "finish"

    def _run(self, fate: Fate, choice: Choice) -> None:
        waits_for = self._wire.unanswered.script if self._wire.unanswered else ""
        if waits_for == "append" or (not waits_for and choice in ("say", "end message")):
            ends = choice == "end message"
            event = {"type": "final" if ends else "delta", "turn_id": self._turn}
            self._write(
                "append", fate, events=[encode(event)], removes=self._deltas() if ends else []
            )
        elif waits_for == "renew" or (not waits_for and choice == "renew"):
            arguments = (BOUNDS[0], LEASE_MS, self._token, self._turn)
            command = Command("renew", self.session, arguments, self._token, self._turn)
            self._judge(self._wire.send(lambda: command, fate))
        elif waits_for == "hand_back" or (not waits_for and choice == "hand back"):
            self._hand_back(fate)
        else:
            self.phase = "finish"

    def _hand_back(self, fate: Fate) -> None:
        def make() -> Command:
            arguments = (BOUNDS[0], self._token, self._next_batch(), self._turn)
            return Command("hand_back", self.session, arguments, self._token, self._turn)

        if self._judge(self._wire.send(make, fate)) is not None:
            self._put_down()

    def _finish(self, fate: Fate) -> None:
        event = {"type": "turn_finished", "turn_id": self._turn}
        words = self._write("finish", fate, "h", 0, events=[encode(event)], removes=self._deltas())
        if words is not None:
            self.phase = "settle"

    def _settle(self, fate: Fate) -> None:
        message, entry_id = self._message, self._entry
        assert message is not None
        assert entry_id is not None
        words = self._wire.send(lambda: enqueue(message, entry_id), fate)
        if words is not None:
            self.phase = "acknowledge" if words == ["left"] else "peek"

    def _acknowledge(self) -> None:
        assert self._entry is not None
        self.world.acknowledge(self._entry)
        if self._token:
            self.phase = "peek"
        else:
            self._put_down()

    def _release(self, fate: Fate) -> None:
        arguments = (self._token,)
        words = self._wire.send(lambda: Command("release", self.session, arguments), fate)
        if words == ["more"]:
            self.phase = "peek"
        elif words is not None:
            self._put_down()

    # writing under the lease

    def _next_batch(self) -> int:
        self._batch += 1
        return self._batch

    def _deltas(self) -> list[str]:
        """Where the turn's deltas are, of any attempt."""
        return self.world.deltas(self.session, self._turn)

    def _write(
        self,
        script: str,
        fate: Fate,
        *before: str | int,
        events: list[str],
        removes: list[str] | None = None,
    ) -> list[str] | None:
        def make() -> Command:
            batch = self._next_batch()
            written: tuple[str | int, ...]
            if script == "start":
                written = (self._token, before[0], batch, self._turn, *before[1:])
            else:
                places = removes or []
                lately = (self._token, batch, self._written, self._turn)
                written = (*lately, *before, len(places), *places)
            return Command(
                script,
                self.session,
                (*BOUNDS, *written, *events),
                self._token,
                self._turn,
                tuple(removes or []),
            )

        words = self._judge(self._wire.send(make, fate))
        if words is not None:
            self._written = self._batch
        return words

    def _judge(self, words: list[str] | None) -> list[str] | None:
        """What a refusal means: fenced, stop; over, take the next."""
        match words:
            case ["fenced" | "late" | "refused"]:
                self._put_down()
            case ["over"]:
                self.phase = "peek"
            case _:
                return words
        return None
