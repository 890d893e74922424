"""Gateways of several processes, as users start them, and as tests spoil them."""

import asyncio
import os
import re
import sys
from contextlib import AsyncExitStack

from fanline import Backoff

from dev.embedded_redis import free_port
from tests.gateway.raw_tab import RawTab, connected
from tests.gateway.signs import readiness
from tests.support.deployment import ROOT, Deployment, Process
from tests.support.eventually import eventually

TABS = 24
"""So many are spread over two processes: all at one of them once in eight million times."""
QUICK = Backoff(first_seconds=0.05, longest_seconds=0.2)
AS_USUAL = "from gateway.__main__ import main; main()"
IMPATIENT = f"import gateway.workers; gateway.workers.SILENT_LOOKS = 30; {AS_USUAL}"
DYING = f"""
import gateway.__main__
import gateway.workers
gateway.workers.LONGEST_PAUSE_SECONDS = 0.4
gateway.__main__.serve_at = lambda settings, number, door, beat: exit(beat())
{AS_USUAL}
"""
"""Every process says that it serves, and dies."""


FEW_FILES = f"""
import resource
few, most = 256, resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (few, most))
{AS_USUAL}
"""


async def start(deployment: Deployment, code: str = AS_USUAL, **settings: object) -> Process:
    """`python -m gateway --workers 2`, or `code` in its place; it may not be ready yet."""
    port = settings.setdefault("port", free_port())
    assert isinstance(port, int)
    environment = {
        **os.environ,
        **deployment.environment,
        "REDIS_URL": deployment.redis_url,
        "NAMESPACE": deployment.namespace,
        **{name.upper(): str(value) for name, value in settings.items()},
    }
    log_file = deployment.folder / f"workers-{port}.log"
    command = [sys.executable, "-c", code, "--workers", "2"]
    with log_file.open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *command, cwd=ROOT, env=environment, stdout=log, stderr=log
        )
    gateway = Process(process, log_file, port)
    deployment.processes.append(gateway)
    return gateway


async def start_two(deployment: Deployment, code: str = AS_USUAL, **settings: object) -> Process:
    """Two processes that are both ready."""
    gateway = await start(deployment, code, **settings)
    await deployment.wait_until_ready(gateway)

    async def are_ready() -> bool:
        # Each connection is answered by the process that it came to.
        answers = await asyncio.gather(*(readiness(gateway) for _ in range(TABS)))
        return gateway.log().count("gateway starts") == 2 and set(answers) == {200}

    await eventually(are_ready, "both are ready")
    return gateway


def pids_of(gateway: Process) -> list[int]:
    """The processes that were started at its doors, in order."""
    return [int(pid) for pid in re.findall(r"worker \d is process (\d+)", gateway.log())]


async def open_tabs(stack: AsyncExitStack, gateway: Process, session_id: str) -> list[RawTab]:
    return [await stack.enter_async_context(connected(gateway, session_id)) for _ in range(TABS)]
