"""Client of the Fanline gateway: follow and drive an agent's session, resuming by itself.

`connect` is for programs with `async`, `fanline.sync.connect` for those without. Both give a
session that hands over every event once, in order, whatever happens to connection and gateway.
"""

from fanline.backoff import Backoff
from fanline.conversation import Conversation, Text, Turn
from fanline.errors import (
    Closed,
    FanlineError,
    Forbidden,
    Refused,
    TooBig,
    TurnFailed,
    Unauthorized,
)
from fanline.events import Event, Position
from fanline.handshake import Token
from fanline.session import Session, connect

__all__ = [
    "Backoff",
    "Closed",
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
