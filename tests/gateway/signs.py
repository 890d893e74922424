"""What a gateway says about itself over HTTP: its readiness and its metrics."""

import httpx2 as httpx

from tests.support.deployment import Process
from tests.support.eventually import eventually


async def readiness(gateway: Process) -> int:
    """The status of `/readyz`."""
    async with httpx.AsyncClient() as http:
        return (await http.get(f"{gateway.http}/readyz")).status_code


async def until_ready_is(gateway: Process, status: int) -> None:
    async def is_so() -> bool:
        return await readiness(gateway) == status

    await eventually(is_so, f"/readyz answers {status}")


async def metric(gateway: Process, name: str) -> float:
    """A sample without labels, as `/metrics` shows it."""
    async with httpx.AsyncClient() as http:
        text = (await http.get(f"{gateway.http}/metrics")).text
    (value,) = [line.split()[1] for line in text.splitlines() if line.startswith(f"{name} ")]
    return float(value)


async def refusals(gateway: Process, reason: str) -> float:
    """How many the gateway has counted for this reason."""
    async with httpx.AsyncClient() as http:
        text = (await http.get(f"{gateway.http}/metrics")).text
    name = f'fanline_refusals_total{{reason="{reason}"}} '
    return next((float(x.split()[1]) for x in text.splitlines() if x.startswith(name)), 0.0)
