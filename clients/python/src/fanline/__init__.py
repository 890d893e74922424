"""Client of the Fanline gateway: follow and drive an agent's session, resuming by itself."""

from fanline.backoff import Backoff
from fanline.conversation import Conversation, Text, Turn
from fanline.errors import FanlineError, Refused, TooBig, TurnFailed
from fanline.events import Event, Position
from fanline.session import Session, connect

__all__ = [
    "Backoff",
    "Conversation",
    "Event",
    "FanlineError",
    "Position",
    "Refused",
    "Session",
    "Text",
    "TooBig",
    "Turn",
    "TurnFailed",
    "connect",
]
