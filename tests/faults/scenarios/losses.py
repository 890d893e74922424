"""Messages that pub/sub loses: which, how many, and when the tabs have them all the same."""

import asyncio
import re
from dataclasses import dataclass
from functools import partial

from tests.faults.row import Row
from tests.faults.stage import Stage
from tests.faults.tab import Tab
from tests.faults.traffic import Traffic
from tests.faults.view import Place, place_of
from tests.gateway.signs import metric
from tests.support.pubsub_proxy import Lose, PubSubProxy, lose_nothing, pubsub_proxy_before

GATEWAYS = 2
LOOK_SECONDS = 0.005
MOST_PAGES_PER_GAP = 1.5
"""A page for the gap, and now and then another for what came while it was read."""
LAST = b'"type":"turn_finished"'
_CHANNEL = re.compile(rb".*session:\{([A-Za-z0-9_-]+)\}")
_ID = re.compile(rb'\{"id":"([0-9]+-[0-9]+)"')


@dataclass(frozen=True)
class Missing:
    """A message that one gateway was not given."""

    place: Place
    since: float
    tabs: list[Tab]

    @property
    def has_come(self) -> bool:
        """Whether every tab there has been given it all the same."""
        return all(tab.view.cursor and tab.view.cursor >= self.place for tab in self.tabs)


class Losses:
    """What the proxies before the gateways swallow of the channels of sessions."""

    def __init__(self, row: Row) -> None:
        self.lose: Lose = lose_nothing
        self.swallowed = 0
        self.last_swallowed = 0
        """Of these, the last ones of a turn."""
        self.healed = 0
        """Of all, those that every tab of the gateway came to have."""
        self.traffic: Traffic | None = None
        """Whose tabs are looked at: the time from a loss until they have what was lost is a
        recovery of the row."""
        self.proxies: list[PubSubProxy] = []
        """One for each gateway."""
        self._row = row
        self._missing: list[Missing] = []

    async def start_gateways(self, stage: Stage) -> None:
        """Two gateways, each with a proxy of its own before Redis, and two workers without."""
        for number in range(GATEWAYS):
            proxy = await stage.stack.enter_async_context(pubsub_proxy_before(stage.redis.port))
            self.proxies.append(proxy)
            proxy.lose = partial(self._take, number)
            await stage.deployment.start_gateway(redis_url=proxy.url)
        await asyncio.gather(*(stage.deployment.start_worker() for _ in range(2)))
        looking = asyncio.create_task(self._look())
        stage.stack.callback(looking.cancel)

    def _take(self, gateway: int, channel: bytes, text: bytes) -> bool:
        """Whether this message is lost on its way to the gateway of this number."""
        name, position = _CHANNEL.fullmatch(channel), _ID.match(text)
        if name is None or position is None or not self.lose(channel, text):
            return False
        self.swallowed += 1
        self.last_swallowed += LAST in text
        place, now = place_of(position[1].decode()), asyncio.get_running_loop().time()
        sessions = self.traffic.sessions if self.traffic else []
        for session in sessions:
            if session.session_id.encode() == name[1]:
                self._missing.append(Missing(place, now, session.tabs[gateway::GATEWAYS]))
        return True

    async def _look(self) -> None:
        while True:
            now = asyncio.get_running_loop().time()
            came = [missing for missing in self._missing if missing.has_come]
            if came:
                self.healed += len(came)
                self._row.recoveries += [now - missing.since for missing in came]
                self._missing = [m for m in self._missing if m not in came]
            await asyncio.sleep(LOOK_SECONDS)


@dataclass(frozen=True)
class Reads:
    """What the gateways of a stage have counted."""

    gaps: int
    """Tabs that left the live tail to read, each time."""
    pages: int
    """Pages of a log that were read, each for all tabs of the session there."""
    lost: int
    """Subscription connections that were lost."""

    @classmethod
    async def of(cls, stage: Stage) -> "Reads":
        counts = [
            sum([int(await metric(gateway, f"fanline_{name}_total")) for gateway in stage.gateways])
            for name in ("gaps", "log_pages", "redis_lost")
        ]
        return cls(*counts)

    def __sub__(self, before: "Reads") -> "Reads":
        return Reads(self.gaps - before.gaps, self.pages - before.pages, self.lost - before.lost)

    def __str__(self) -> str:
        return f"{self.gaps} times a tab had a gap, {self.pages} pages read"

    def problems(self, tabs: int) -> list[str]:
        """Whether a gap of `tabs` tabs of a session at one gateway cost more than a read that they
        shared."""
        if not self.gaps:
            return ["no gap was seen"]
        most = MOST_PAGES_PER_GAP * self.gaps / tabs
        return (
            [] if self.pages <= most else [f"{self}: above {most:.0f}, not shared by {tabs} tabs"]
        )
