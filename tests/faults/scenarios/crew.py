"""Workers with a proxy of their own each, and what is asked of them."""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import asynccontextmanager

from tests.faults.scenarios.phases import Held, SlowFhirServer
from tests.faults.scenarios.script_proxy import ScriptProxy, Trap, script_proxy
from tests.faults.script import Answer
from tests.faults.stage import TABS_PER_SESSION, Stage
from tests.faults.traffic import Session, Traffic
from tests.support.fhir_server import fhir_server
from tests.support.processes import Process

HASTY_LEASE = {"lease_seconds": 1}
"""Of the short run."""
MANY_ATTEMPTS = 10
"""More than there are kills: whoever talks beside them may lose a worker with each."""


class Crew:
    """Workers, each with a proxy of its own before Redis; the proxies share their traps."""

    def __init__(self, stage: Stage, **settings: object) -> None:
        self.traps: list[Trap] = []
        self._stage = stage
        self._settings = hasty(stage) | settings
        self._workers: dict[ScriptProxy, Process] = {}

    async def start_worker(self) -> Process:
        proxy = await self._stage.stack.enter_async_context(
            script_proxy(self._stage.redis.port, self.traps)
        )
        worker = await self._stage.deployment.start_worker(redis_url=proxy.url, **self._settings)
        self._workers[proxy] = worker
        return worker

    async def leave(self) -> None:
        """End them all, while they can still reach Redis; another finds what they may have left."""
        await self._stage.deployment.start_worker()
        await asyncio.gather(*(worker.stop() for worker in self._workers.values()))

    def worker_of(self, held: Held) -> Process:
        """The worker that runs this turn."""
        if held.trap is not None and held.trap.caught_by is not None:
            return self._workers[held.trap.caught_by]
        return worker_named(self._workers.values(), held.worker())


@asynccontextmanager
async def a_crew(
    stage: Stage, workers: int = 3
) -> AsyncGenerator[tuple[Crew, SlowFhirServer], None]:
    """Two gateways and so many workers, whose FHIR server answers when the test wants."""
    slow = SlowFhirServer()
    async with fhir_server({"entry": []}) as server:
        server.instead = slow.answer
        settings = {"fhir_base_url": server.base_url, "fhir_timeout": 60}
        crew = Crew(stage, max_attempts=MANY_ATTEMPTS, **settings)
        await stage.start(gateways=2, workers=0)
        await asyncio.gather(*(crew.start_worker() for _ in range(workers)))
        yield crew, slow
        await crew.leave()


def hasty(stage: Stage) -> dict[str, object]:
    """The settings of this row's workers."""
    return {} if stage.is_long else dict(HASTY_LEASE)


def worker_named(workers: Iterable[Process], name: str) -> Process:
    """The one that calls itself so in `turn_started`."""
    pid = int(name.rsplit("-", 1)[1])
    return next(worker for worker in workers if worker.process.pid == pid)


def open_session(stage: Stage, traffic: Traffic) -> Session:
    """A session in which only the scenario talks."""
    return traffic.open_session([stage.any_gateway(tab) for tab in range(TABS_PER_SESSION)])


async def until_in_every_tab(
    traffic: Traffic, session: Session, kind: str, *answers: Answer, patience: float = 30.0
) -> None:
    """Wait until every tab of the session has this event of each of these turns."""
    await traffic.until(
        lambda: all(
            tab.view.has(kind, answer.message_id) for tab in session.tabs for answer in answers
        ),
        f"{kind} in every tab",
        patience,
    )


async def until_open(traffic: Traffic, sessions: Sequence[Session]) -> None:
    """Wait until every tab of these has a socket and is up to date on it."""
    await traffic.until(
        lambda: all(tab.is_up_to_date for session in sessions for tab in session.tabs),
        "the tabs are open",
    )


async def until_all_are_there(traffic: Traffic, helds: Sequence[Held]) -> None:
    """Wait until every turn stands still in its phase."""

    def missing() -> list[str]:
        return [f"{held.phase}: {held.seen()}" for held in helds if not held.is_there()]

    try:
        await traffic.until(lambda: not missing(), "every turn is held in its phase", 10)
    except AssertionError as error:
        raise AssertionError(f"{error}: not {missing()}") from error
