"""Logging, the same in every process: one line an event, to standard error."""

import logging

QUIET = ("uvicorn.error", "httpx2", "mcp", "fastmcp")
"""Loggers of libraries that write a line per connection or request, whole session ids among it."""
LOSSES = ("mcp.client.sse", "mcp.client.streamable_http")
"""Loggers that call it an error of ours, with a traceback, when a server elsewhere goes away."""
HANDSHAKE_REFUSED = "ASGI callable returned without completing handshake."


def configure_logging(level: str) -> None:
    """Set the process up. Refused handshakes are not errors: uvicorn's line about each is
    dropped. A lost MCP server is one line at WARNING: the turn that needed it tells the rest."""
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("uvicorn.error").addFilter(_is_not_a_refusal)
    for name in LOSSES:
        logging.getLogger(name).addFilter(_tell_in_one_line)


def _is_not_a_refusal(record: logging.LogRecord) -> bool:
    return record.getMessage() != HANDSHAKE_REFUSED


def _tell_in_one_line(record: logging.LogRecord) -> bool:
    if record.exc_info and record.exc_info[0] is not None:
        record.msg, record.args = f"{record.getMessage()}: {record.exc_info[0].__name__}", None
        record.exc_info = record.exc_text = None
        record.levelno, record.levelname = logging.WARNING, "WARNING"
    return True
