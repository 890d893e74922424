"""What is read of the texts that pub/sub brought: their fronts. Pure.

The rest goes to the tabs as it came. Who may publish on our channels is for Redis' access rules to
say; what is plainly not ours is told apart here.
"""

import re
from collections.abc import Sequence

from gateway.frames import Frames
from shared.ids import Position

_match_front = re.compile(
    rb'\{"id":"(\d{1,16})-(\d{1,16})","type":"[a-z_]+","session_id":"([A-Za-z0-9_-]{1,128})"'
).match
_CLOSING_BRACE = ord("}")


class Run(Frames):
    """Events of one session at all places after `before`, to `last`, as frames in a row."""

    __slots__ = ("_rests", "before", "last")

    def __init__(self, last: Position, texts: Sequence[bytes]) -> None:
        super().__init__(texts)
        self.last = last
        self.before = (last[0], last[1] - len(texts))
        """A position, as a plain pair: to make one takes longer than all else here."""
        self._rests: dict[tuple[int, int], Frames] = {}

    def after(self, cursor: tuple[int, int]) -> Frames:
        """Those after `cursor`, which is `before` or in the run. Tabs at the same place share
        them."""
        if cursor == self.before:
            return self
        rest = self._rests.get(cursor)
        if rest is None:
            rest = self._rests[cursor] = Frames(self.texts[cursor[1] - self.before[1] :])
        return rest


def read_runs(texts: Sequence[bytes], session: bytes) -> list[Run]:
    """The events of `session` among `texts`, in the order of their coming. What is in no run is not
    ours.

    A text that no browser would take is not ours either. That is found out before any cursor moves:
    were it dropped later, the true event at its place would be taken for old.
    """
    runs: list[Run] = []
    run: list[bytes] = []
    run_epoch, last = b"", 0
    for text in texts:
        front = _match_front(text)
        if front is None or text[-1] != _CLOSING_BRACE:
            continue
        epoch, digits, name = front.groups()
        if name != session or not (text.isascii() or _is_utf8(text)):
            continue
        seq = int(digits)
        if run and (seq != last + 1 or epoch != run_epoch):
            runs.append(Run(Position(int(run_epoch), last), run))
            run = []
        run.append(text)
        run_epoch, last = epoch, seq
    if run:
        runs.append(Run(Position(int(run_epoch), last), run))
    return runs


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True
