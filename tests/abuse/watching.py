"""What is looked at from outside: a process' memory and files, a gateway's counters, the keys."""

import asyncio
import os
import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import httpx2 as httpx

from tests.support.deployment import Deployment

LOOK_SECONDS = 0.02
OPEN_STATES = ("01", "08")
"""Established, and left by the peer but not by us: as `/proc/net/tcp` names them."""
PAGE_SIZE = os.sysconf("SC_PAGE_SIZE")
NO_EXPIRY = -1
COUNTERS = {
    "fanline_refusals_total": "refusals ",
    "fanline_frames_refused_total": "frames ",
    "fanline_messages_accepted_total": "accepted",
}
_SAMPLE = re.compile(r'^(fanline_\w+?)(?:\{\w+="(\w+)"\})? ([0-9.e+]+)$', re.MULTILINE)


def resident_bytes(pid: int) -> int:
    """Memory that a process has."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE_SIZE


def open_files(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


def connections(port: int) -> int:
    """How many peers are connected to a port of this machine's 127.0.0.1."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(1 for row in rows if row[1].endswith(f":{port:04X}") and row[3] in OPEN_STATES)


class Memory:
    """The most that a process had while it was looked at."""

    def __init__(self, pid: int) -> None:
        self.most = resident_bytes(pid)
        self._pid = pid

    async def watch(self) -> None:
        """Until it is cancelled."""
        while True:
            self.most = max(self.most, resident_bytes(self._pid))
            await asyncio.sleep(LOOK_SECONDS)


@asynccontextmanager
async def memory_of(pid: int) -> AsyncGenerator[Memory, None]:
    """Looks at a process' memory during the block."""
    memory = Memory(pid)
    task = asyncio.create_task(memory.watch())
    try:
        yield memory
    finally:
        task.cancel()


async def counters(metrics_port: int) -> dict[str, float]:
    """What a gateway has counted, and `tabs`: how many are open at it."""
    async with httpx.AsyncClient() as http:
        page = (await http.get(f"http://127.0.0.1:{metrics_port}/metrics")).text
    samples = {(name, label): float(value) for name, label, value in _SAMPLE.findall(page)}
    told = {
        f"{COUNTERS[name]}{label}": value
        for (name, label), value in samples.items()
        if name in COUNTERS
    }
    return told | {"tabs": samples["fanline_tabs", ""]}


async def keys_of(deployment: Deployment) -> set[str]:
    """Every key of the deployment but the work stream."""
    async with deployment.client() as client:
        found = cast(
            AsyncIterator[str], client.scan_iter(f"{deployment.namespace}:*", count=10_000)
        )
        return {key async for key in found} - {deployment.keys.turns()}


async def kept_among(deployment: Deployment, keys: set[str]) -> set[str]:
    """Those of the keys that are there and never expire."""
    names = sorted(keys)
    async with deployment.client() as client:
        pipeline = client.pipeline(transaction=False)
        for key in names:
            pipeline.ttl(key)
        lives = cast(list[int], await pipeline.execute())
    return {key for key, life in zip(names, lives, strict=True) if life == NO_EXPIRY}
