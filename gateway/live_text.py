"""What is read of a text that pub/sub brought: its front. Pure.

The rest goes to the tabs as it came. Who may publish on our channels is for Redis' access rules to
say; what is plainly not ours is told apart here.
"""

import re

from shared.ids import Position

_FRONT = re.compile(
    rb'\{"id":"(\d{1,16})-(\d{1,16})","type":"[a-z_]+","session_id":"([A-Za-z0-9_-]{1,128})"'
)


def read_position(text: bytes, session: bytes) -> Position | None:
    """The position of an event of `session`; `None` for a text that is not one of ours.

    A text that no browser would take is not ours either. That is found out before any cursor moves:
    were it dropped later, the true event at its place would be taken for old.
    """
    front = _FRONT.match(text)
    if front is None or front[3] != session or not text.endswith(b"}"):
        return None
    try:
        text.decode()
    except UnicodeDecodeError:
        return None
    return Position(int(front[1]), int(front[2]))
