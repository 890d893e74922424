"""A process of a version that does not exist yet: its frames, entries and inbox items have fields,
and its logs a type of event, that nobody of today knows."""

import json
import sys
from collections.abc import Callable, Sequence
from typing import Any

from shared import inbox, work_stream
from shared.inbox import SubmittedMessage
from shared.lease import Lease, Started
from shared.protocol import Event, encode_event
from shared.work_stream import Work

FIELD = "of_tomorrow"
TYPE = "hologram"


def begin() -> None:
    """Make this process one of tomorrow's."""
    _replace_everywhere("encode_event", _encode_event)
    _add_fields_to_entries()
    _add_field_to_inbox_items()
    _add_type_of_event()


def _encode_event(event: Event) -> str:
    return f'{encode_event(event)[:-1]},"{FIELD}":{{"depth":[1,2]}}}}'


def _replace_everywhere(name: str, new: Callable[..., object]) -> None:
    old = encode_event
    for module in list(sys.modules.values()):
        if getattr(module, name, None) is old and module.__name__ != __name__:
            setattr(module, name, new)


def _add_fields_to_entries() -> None:
    as_dict = work_stream.asdict

    def more(work: Work) -> dict[str, Any]:
        return as_dict(work) | {FIELD: "7"}

    work_stream.asdict = more  # pyright: ignore[reportAttributeAccessIssue, reportPrivateImportUsage]


def _add_field_to_inbox_items() -> None:
    encode = inbox._encode_item  # pyright: ignore[reportPrivateUsage]

    def more(message: SubmittedMessage, entry_id: Any) -> str:
        return f'{encode(message, entry_id)[:-1]},"{FIELD}":"7"}}'

    inbox._encode_item = more  # pyright: ignore[reportPrivateUsage]


def _add_type_of_event() -> None:
    start = Lease.start

    async def start_with_hologram(
        self: Lease, batch: int, turn_id: Any, attempt: int, most: int, events: Sequence[str]
    ) -> Started:
        fields = {"session_id": self.session_id, "turn_id": turn_id, "attempt": attempt}
        hologram = json.dumps({"type": TYPE, **fields}, separators=(",", ":"))
        return await start(self, batch, turn_id, attempt, most, [*events, hologram])

    Lease.start = start_with_hologram  # type: ignore[method-assign]
