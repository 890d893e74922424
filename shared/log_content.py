"""What of a log line may be written: no prompt, no argument, no result, no text of an exception.

Nobody has to remember it where a line is logged. Every record passes here before it is formatted:
a traceback keeps its places and the types of its exceptions and loses their texts, which quote what
a provider answered or a tool was given; and a line of a library that is not known to hold no
content is written as its template, or as the place that it comes from. Who develops an agent wants
those texts: `LOG_LEVEL=DEBUG` brings them back, where all content may be told anyway.
"""

import logging
import re
import sys
import threading
import traceback
import warnings
from types import TracebackType
from typing import cast

from shared.settings import TelemetrySettings

OURS = ("agent_worker", "gateway", "shared", "__main__")
HARMLESS = ("uvicorn", "mcp.client.sse", "mcp.client.streamable_http")
"""Libraries whose lines are written as they are: about connections, with nothing of what went over
them."""
QUOTED_BY_REDIS = ", with args beginning with:"
"""After it an error of Redis (of a command that it does not know) has what it was given."""
MOST_CAUSES = 8
"""Of one exception, as deep as they are told; and of the members of a group, half as deep."""

_log = logging.getLogger(__name__)


def withhold_content(handler: logging.Handler, level: str) -> None:
    """Let every line that this handler writes pass here, and what Python itself says about
    warnings and exceptions that nobody has caught; unless somebody is debugging."""
    settings = TelemetrySettings()
    is_full = settings.telemetry_content == "full" and not settings.telemetry_redact
    if level == "DEBUG" and is_full:
        return
    handler.addFilter(keep_content_back)
    warnings.formatwarning = _place_of_warning
    sys.excepthook = _tell_uncaught
    sys.unraisablehook = lambda args: _tell_uncaught(args.exc_type, args.exc_value, None)
    threading.excepthook = lambda args: _tell_uncaught(args.exc_type, args.exc_value, None)


def keep_content_back(record: logging.LogRecord) -> bool:
    """Take out of the record what may be content. It is always written."""
    if record.name == "asyncio":
        # What follows shows callbacks and tasks, with their arguments and exceptions.
        record.msg, record.args = re.split(r"[<(\n]|functools", _text_of(record))[0], None
    elif _is_of_library(record):
        record.msg, record.args = _template_of(record), None
    else:
        record.msg, record.args = _text_of(record).partition(QUOTED_BY_REDIS)[0], None
    if record.exc_info and record.exc_info[1] is not None:
        record.exc_text = "\n".join(describe_error(record.exc_info[1]))
        record.exc_info = None
    record.stack_info = None
    return True


def describe_error(error: BaseException, depth: int = 0) -> list[str]:
    """An exception as lines: where it was raised, of which type it is, and the same of what caused
    it, the first cause first. Never what it says."""
    lines: list[str] = []
    kind = type(error)
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None and depth < MOST_CAUSES:
        lines += [*describe_error(cause, depth + 1), "which led to:"]
    if isinstance(error, BaseExceptionGroup) and depth < MOST_CAUSES:
        group = cast("BaseExceptionGroup[BaseException]", error)
        for member in group.exceptions[:MOST_CAUSES]:
            lines += [*describe_error(member, depth + MOST_CAUSES // 2), "which is part of:"]
    lines.append("Traceback (most recent call last):")
    lines += "".join(traceback.format_tb(error.__traceback__)).splitlines()
    lines.append(f"{kind.__module__}.{kind.__qualname__}")
    return lines


def _is_of_library(record: logging.LogRecord) -> bool:
    is_known = any(f"{record.name}.".startswith(f"{name}.") for name in (*OURS, *HARMLESS))
    return not is_known and any(
        folder in record.pathname for folder in ("site-packages", "dist-packages")
    )


def _text_of(record: logging.LogRecord) -> str:
    # Filters run in whoever logs: a value that does not fit, or fails to become text, is a fault of
    # the line and not of the turn. `logging` itself would show all values then.
    try:
        return record.getMessage()
    except Exception as error:
        place = f"line {record.lineno} of {record.filename}"
        return f"{place} (its values do not fit: {type(error).__name__})"


def _template_of(record: logging.LogRecord) -> str:
    # Without arguments the text may have been put together before: then it is all content.
    if record.args:
        return f"{record.msg} (values withheld)"
    return f"line {record.lineno} of {record.filename} (text withheld)"


def _place_of_warning(
    message: Warning | str, category: type[Warning], filename: str, lineno: int, line: object = None
) -> str:
    return f"{filename}:{lineno}: {category.__name__} (text withheld)\n"


def _tell_uncaught(
    kind: type[BaseException], error: BaseException | None, _: TracebackType | None
) -> None:
    if isinstance(error, KeyboardInterrupt | SystemExit):  # a thread's way to end, too
        return
    _log.error("nobody has caught %s", kind.__name__, exc_info=error)
