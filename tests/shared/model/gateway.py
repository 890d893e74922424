"""Gateways as the model sees them, and the wire between any actor and Redis: each does one command
at a time, may not hear the answer, may die or stand still between any two."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from shared.ids import EntryId, SessionId, TurnId
from shared.inbox import SubmittedMessage
from tests.shared.model.truth import BOUNDS, Command
from tests.shared.model.world import World

Fate = Literal["answered", "reply lost", "comes late"]


class Wire:
    """Between one actor and Redis: what was not answered is sent again, and copies stay about."""

    def __init__(self, world: World, copies: list[Command]) -> None:
        self.world = world
        self.unanswered: Command | None = None
        self._copies = copies

    def send(self, make: Callable[[], Command], fate: Fate) -> list[str] | None:
        """The answer's words, or `None`: then the same command is what is sent next."""
        if self.unanswered is None:
            self.unanswered = make()
        command = self.unanswered
        self._copies.append(command)
        if fate == "comes late":
            return None
        reply = self.world.retry(command)
        if fate == "reply lost":
            return None
        self.unanswered = None
        return reply.split()


def a_message(session: SessionId, number: int) -> SubmittedMessage:
    """The message of this number."""
    message_id = TurnId(f"{number:08x}-0000-4000-8000-000000000000")
    return SubmittedMessage(session, message_id, f"message {number}", "t", "")


def enqueue(message: SubmittedMessage, entry_id: EntryId) -> Command:
    element = {
        "message_id": message.message_id,
        "entry": entry_id,
        "content": message.content,
        "timestamp": message.timestamp,
        "traceparent": message.traceparent,
    }
    event = {"type": "message", "turn_id": message.message_id}
    arguments = (*BOUNDS, message.message_id, entry_id, encode(element), encode(event))
    return Command("enqueue", message.session_id, arguments)


def cancel(message: SubmittedMessage) -> Command:
    turn = message.message_id
    event = {"type": "turn_finished", "turn_id": turn, "status": "cancelled"}
    return Command("cancel", message.session_id, (*BOUNDS, turn, encode(event)))


def encode(fields: Mapping[str, str]) -> str:
    return json.dumps(fields, separators=(",", ":"))


@dataclass
class GatewayTask:
    """What a gateway has begun for one message and not done yet."""

    kind: Literal["submit", "enqueue"]
    message: SubmittedMessage
    wire: Wire
    entry_id: EntryId | None = None

    def go_on(self, fate: Fate) -> bool:
        """The next command; whether the task is done."""
        world = self.wire.world
        if self.kind == "submit":
            self.entry_id, self.kind = world.submit(self.message), "enqueue"
            return False
        entry_id = self.entry_id
        assert entry_id is not None
        return self.wire.send(lambda: enqueue(self.message, entry_id), fate) is not None

    def begin_again(self) -> None:
        """Its connection broke: what was half done starts from its first command."""
        self.kind, self.wire.unanswered = "submit", None
