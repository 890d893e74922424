"""Tasks that live as long as a block, and whose failure is the process's failure."""

import asyncio
import logging
import os
import signal
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

_log = logging.getLogger(__name__)


@asynccontextmanager
async def run_in_background(
    loop: Coroutine[Any, Any, Any],
) -> AsyncGenerator[asyncio.Task[Any], None]:
    """Run a loop that never ends while the block runs. If it ends by an error, that is a bug, and
    a process without it would look alive and do nothing: it is logged and the process told to
    stop."""
    task = asyncio.create_task(loop)
    task.add_done_callback(_stop_process_on_error)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _stop_process_on_error(task: asyncio.Task[Any]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.critical("a loop ended: stopping the process", exc_info=error)
        os.kill(os.getpid(), signal.SIGTERM)
