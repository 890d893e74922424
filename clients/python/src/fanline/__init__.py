"""Client of the Fanline gateway: follow and drive an agent's session, resuming by itself."""

from fanline.conversation import Conversation, Turn
from fanline.errors import FanlineError, Refused, TurnFailed
from fanline.events import Event, Position
from fanline.session import Backoff, Session, connect

__all__ = [
    "Backoff",
    "Conversation",
    "Event",
    "FanlineError",
    "Position",
    "Refused",
    "Session",
    "Turn",
    "TurnFailed",
    "connect",
]
