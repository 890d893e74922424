"""Logging, the same in every process: one line an event, to standard error.

What is counted and compared (a turn, a connection) is told by `tell`: a word and named values. They
stay apart in JSON and follow the word as `name=value` in text. None of them is what somebody said,
and of a session's id it is the first eight characters.
"""

import json
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from shared.log_content import withhold_content

QUIET = ("uvicorn.error", "httpx2", "mcp", "fastmcp")
"""Loggers of libraries that write a line per connection or request, whole session ids among it."""
LOSSES = ("mcp.client.sse", "mcp.client.streamable_http")
"""Loggers that call it an error of ours, with a traceback, when a server elsewhere goes away."""
HANDSHAKE_REFUSED = "ASGI callable returned without completing handshake."
SELDOM_SECONDS = 60.0
MOST_REMEMBERED = 100


def tell(log: logging.Logger, event: str, **values: str | float | None) -> None:
    """One line, at INFO, about something that has happened. Values that are `None` are left out."""
    told = {name: value for name, value in values.items() if value is not None}
    log.info(event, extra={"values": told})


def configure_logging(level: str, form: str) -> None:
    """Set the process up; `form` is `text` or `json`, and holds for the lines of libraries too.
    Refused handshakes are not errors: uvicorn's line about each is dropped. A lost MCP server is
    one line at WARNING: the turn that needed it tells the rest."""
    handler = logging.StreamHandler()
    handler.setFormatter(_JsonLines() if form == "json" else _TextLines())
    logging.basicConfig(level=level, handlers=[handler])
    logging.captureWarnings(True)
    withhold_content(handler, level)
    # It brings a handler of its own, which writes several lines.
    logging.getLogger("fastmcp").handlers.clear()
    logging.getLogger("fastmcp").propagate = True
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("uvicorn.error").addFilter(_is_not_a_refusal)
    for name in LOSSES:
        logging.getLogger(name).addFilter(_tell_in_one_line)


class Seldom(logging.Filter):
    """Lets through once a minute what is `alike`: by default, the same line."""

    def __init__(
        self, alike: Callable[[logging.LogRecord], str] = logging.LogRecord.getMessage
    ) -> None:
        super().__init__()
        self._alike = alike
        self._told_at: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        now, what = time.monotonic(), self._alike(record)
        if now - self._told_at.get(what, float("-inf")) < SELDOM_SECONDS:
            return False
        if len(self._told_at) >= MOST_REMEMBERED:
            self._told_at.clear()
        self._told_at[what] = now
        return True


class _TextLines(logging.Formatter):
    """For people."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:
        values = [f" {name}={_as_text(value)}" for name, value in _values_of(record).items()]
        return super().formatMessage(record) + "".join(values)


class _JsonLines(logging.Formatter):
    """For machines: one JSON object a line, its time in UTC."""

    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = {
            "time": moment.replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **_values_of(record),
        }
        if record.exc_info and not record.exc_text:
            record.exc_text = self.formatException(record.exc_info)
        if record.exc_text:
            line["exception"] = record.exc_text
        return json.dumps(line, ensure_ascii=False)


def _values_of(record: logging.LogRecord) -> dict[str, Any]:
    return getattr(record, "values", {})


def _as_text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _is_not_a_refusal(record: logging.LogRecord) -> bool:
    return record.getMessage() != HANDSHAKE_REFUSED


def _tell_in_one_line(record: logging.LogRecord) -> bool:
    if record.exc_info and record.exc_info[0] is not None:
        record.msg, record.args = f"{record.getMessage()}: {record.exc_info[0].__name__}", None
        record.exc_info = record.exc_text = None
        record.levelno, record.levelname = logging.WARNING, "WARNING"
    return True
