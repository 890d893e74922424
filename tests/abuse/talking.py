"""Processes that are conversed with in lines of JSON."""

import asyncio
import json
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from tests.support.processes import ROOT

LINE_BYTES = 64 * 2**20
ANSWER_SECONDS = 240.0


class Talking:
    """A process that answers each line with a line."""

    def __init__(self, process: asyncio.subprocess.Process, name: str) -> None:
        self._process = process
        self._name = name

    async def ask(self, told: object) -> Any:
        """Tell it something, and return what it says to that. Raises `RuntimeError` where it has
        ended."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(told).encode() + b"\n")
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                line = await self._process.stdout.readline()
        except TimeoutError:
            self._process.kill()  # else its answer would be taken for the one to the next line
            raise
        if not line:
            raise RuntimeError(f"{self._name} has ended with {await self._process.wait()}")
        return json.loads(line)


@asynccontextmanager
async def talking(module: str) -> AsyncGenerator[Talking, None]:
    """`python -m module` for the block; what it complains about goes to the standard error of this
    process."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=LINE_BYTES,
    )
    try:
        yield Talking(process, module)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
