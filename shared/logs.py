"""Logging, the same in every process: one line an event, to standard error."""

import logging

QUIET = ("uvicorn.error", "httpx2", "mcp", "fastmcp")
"""Loggers of libraries that write a line per connection or request, whole session ids among it."""
HANDSHAKE_REFUSED = "ASGI callable returned without completing handshake."


def configure_logging(level: str) -> None:
    """Set the process up. Refused handshakes are not errors: uvicorn's line about each is
    dropped."""
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("uvicorn.error").addFilter(_is_not_a_refusal)


def _is_not_a_refusal(record: logging.LogRecord) -> bool:
    return record.getMessage() != HANDSHAKE_REFUSED
