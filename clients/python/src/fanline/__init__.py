"""Client of the Fanline gateway: follow and drive an agent's session, resuming by itself."""

from fanline.backoff import Backoff
from fanline.conversation import Conversation, Text, Turn
from fanline.errors import FanlineError, Forbidden, Refused, TooBig, TurnFailed, Unauthorized
from fanline.events import Event, Position
from fanline.handshake import Token
from fanline.session import Session, connect

__all__ = [
    "Backoff",
    "Conversation",
    "Event",
    "FanlineError",
    "Forbidden",
    "Position",
    "Refused",
    "Session",
    "Text",
    "Token",
    "TooBig",
    "Turn",
    "TurnFailed",
    "Unauthorized",
    "connect",
]
