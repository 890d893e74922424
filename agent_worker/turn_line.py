"""The one line that a worker logs about each turn that it ends: what its `turn_finished` says."""

import logging

from shared.logs import tell
from shared.protocol import TurnFinished

_log = logging.getLogger(__name__)


def tell_turn(finished: TurnFinished, first_text_ms: int | None) -> None:
    """Log the end of a turn. `first_text_ms`: from the beginning of its last attempt to the first
    piece of text, where there was one."""
    usage = finished.usage
    tell(
        _log,
        "turn",
        session=finished.session_id[:8],
        turn=finished.turn_id,
        status=finished.status,
        code=None if finished.error is None else finished.error.code,
        attempt=finished.attempt,
        duration_ms=finished.duration_ms,
        first_text_ms=first_text_ms,
        prompt_tokens=None if usage is None else usage.prompt_tokens,
        completion_tokens=None if usage is None else usage.completion_tokens,
        trace_id=finished.trace_id,
    )
