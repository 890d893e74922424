"""The attacker, as a process of its own.

`python -m tests.abuse.attacker` reads a JSON object a line (the name of an attack, how often, and
whom), and writes one for each: how each try was answered.
"""

import asyncio
import json
import os
import resource
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import uvloop

from tests.abuse.attacks import (
    connections,
    frames,
    fuzz,
    messages,
    plain_http,
    queries,
    requests,
    tokens,
)
from tests.abuse.target import Tally, Target

MODULES = (connections, messages, frames, requests, plain_http, tokens, queries, fuzz)
LEAST_URGENT = 19
"""A real attacker has a processor of its own: this one gets what the others leave."""

Attack = Callable[[Target, int], Awaitable[Tally]]


def find(name: str) -> Attack:
    """The attack `module.function`."""
    module, _, function = name.partition(".")
    (found,) = [one for one in MODULES if one.__name__.endswith(f".{module}")]
    return getattr(found, function)


def main() -> None:
    """Attack, and tell, until nobody asks for more."""
    os.nice(LEAST_URGENT)
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    for line in sys.stdin:
        order: dict[str, Any] = json.loads(line)
        attack = find(order["attack"])
        tally = uvloop.run(_run(attack, Target(**order["target"]), order["times"]))
        print(json.dumps(tally), flush=True)


async def _run(attack: Attack, target: Target, times: int) -> Tally:
    # What uvloop says of a peer that was cut while it was being accepted is not the attack's.
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
    return await attack(target, times)


if __name__ == "__main__":
    main()
