"""Runs `python -m agent_worker --failed` as an operator does."""

import json
from typing import Any
from uuid import uuid4

from tests.support.deployment import Deployment
from tests.support.processes import ROOT, fork_server


async def run(deployment: Deployment, *arguments: str, **settings: str) -> tuple[int, list[str]]:
    """Its exit status, and the lines that it has printed."""
    file = deployment.folder / f"failed-{uuid4()}.log"
    environment = {
        "REDIS_URL": deployment.redis_url,
        "NAMESPACE": deployment.namespace,
        "LOG_LEVEL": "ERROR",
        **settings,
    }
    words = ("--failed", *arguments)
    process = await fork_server(ROOT).start("agent_worker", words, environment, file)
    status = await process.wait()
    return status, file.read_text().splitlines()


async def listed(deployment: Deployment, *arguments: str) -> list[dict[str, Any]]:
    """The failed turns, the oldest first."""
    status, lines = await run(deployment, "--json", *arguments)
    assert status == 0, lines
    return [json.loads(line) for line in lines]
