"""Waiting for a condition, never for a time."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import Any

PAUSE_SECONDS = 0.02


async def eventually(
    condition: Callable[[], Any | Awaitable[Any]], what: str, timeout: float = 15.0
) -> Any:
    """Returns the first truthy value of `condition`; fails with what it saw last."""
    deadline = asyncio.get_running_loop().time() + timeout
    while True:
        seen = condition()
        if inspect.isawaitable(seen):
            seen = await seen
        if seen:
            return seen
        if asyncio.get_running_loop().time() > deadline:
            raise AssertionError(f"waited {timeout} s in vain until {what}; saw last: {seen!r}")
        await asyncio.sleep(PAUSE_SECONDS)
