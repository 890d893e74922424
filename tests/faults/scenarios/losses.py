"""Messages that pub/sub loses: which, how many, and when the tabs have them all the same."""

import asyncio
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from tests.faults.row import Row
from tests.faults.stage import Stage
from tests.faults.tab import Tab
from tests.faults.traffic import Traffic
from tests.faults.view import Frame, Place, place_of
from tests.support.pubsub_proxy import PubSubProxy, pubsub_proxy_before

GATEWAYS = 2
LOOK_SECONDS = 0.005
MOST_PAGES_PER_HOLE = 1.5
"""A page for the hole, and now and then another for what came while it was read."""
LAST = "turn_finished"
_CHANNEL = re.compile(rb".*session:\{([A-Za-z0-9_-]+)\}")


@dataclass(frozen=True)
class Text:
    """A message on the channel of a session, on its way to one gateway."""

    gateway: int
    session_id: str
    place: Place
    type: str

    @property
    def name(self) -> str:
        """The same in every run with the same seed: epochs begin at another time in each."""
        return f"{self.session_id}/{self.place[1]}/{self.gateway}"


Lose = Callable[[Text], bool]


def lose_nothing(text: Text) -> bool:
    """Every message passes."""
    return False


@dataclass(frozen=True)
class Missing:
    """A message that one gateway was not given."""

    place: Place
    since: float
    message_id: str = ""
    """Of a piece of a text: whose, and what the text was up to and with it."""
    spoken: str = ""


class Given:
    """What one tab has been given, as far as it was read here."""

    def __init__(self, tab: Tab) -> None:
        self._view = tab.view
        self._start()

    def read_on(self) -> bool:
        """Whether there was anything new."""
        events, resets = self._view.events, self._view.resets
        if resets != self._resets:
            self._start()
        new = events[self._read :]
        self._read += len(new)
        for event in new:
            self._take(event)
        return bool(new)

    def has(self, missing: Missing) -> bool:
        """Whether the tab was given what is missing: itself, or as a part of the text that it
        belongs to, of which nothing before it is missing."""
        if missing.place in self._places:
            return True
        if not missing.message_id:
            return False
        pieces = self._pieces.get(missing.message_id, "")
        whole = self._wholes.get(missing.message_id)
        if whole is not None:
            return whole.startswith(pieces) and whole.startswith(missing.spoken)
        return pieces.startswith(missing.spoken)

    def _start(self) -> None:
        self._read = 0
        self._resets = self._view.resets
        self._places: set[Place] = set()
        self._pieces: dict[str, str] = {}
        self._wholes: dict[str, str] = {}

    def _take(self, event: Frame) -> None:
        self._places.add(place_of(event["id"]))
        if "streaming" not in event:
            return
        if event["streaming"]:
            before = self._pieces.get(event["message_id"], "")
            self._pieces[event["message_id"]] = before + event["content"]
        else:
            self._wholes[event["message_id"]] = event["content"]


@dataclass
class Audience:
    """The tabs of one session at one gateway."""

    given: list[Given]
    missing: list[Missing] = field(default_factory=lambda: [])
    spoken: dict[str, str] = field(default_factory=lambda: {})
    """Every text as far as its pieces were published."""
    last_lost: Place = (0, 0)

    def take_what_came(self) -> list[Missing]:
        """What was missing and every tab has been given since."""
        if not any([given.read_on() for given in self.given]):
            return []
        came = [one for one in self.missing if all(given.has(one) for given in self.given)]
        self.missing = [one for one in self.missing if one not in came]
        return came


class Losses:
    """What the proxies before the gateways swallow of the channels of sessions."""

    def __init__(self, row: Row) -> None:
        self.lose: Lose = lose_nothing
        self.swallowed = 0
        self.last_swallowed = 0
        """Of these, the last ones of a turn."""
        self.holes = 0
        """The same, but those that follow each other count as one: each costs a read."""
        self.healed = 0
        """Of all, those that every tab of the gateway came to have."""
        self.traffic: Traffic | None = None
        """Whose tabs are looked at: the time from a loss until they have what was lost is a
        recovery of the row."""
        self.proxies: list[PubSubProxy] = []
        """One for each gateway."""
        self._row = row
        self._audiences: dict[tuple[int, str], Audience] = {}

    async def start_gateways(self, stage: Stage) -> None:
        """Two gateways, each with a proxy of its own before Redis, and two workers without."""
        for number in range(GATEWAYS):
            proxy = await stage.stack.enter_async_context(pubsub_proxy_before(stage.redis.port))
            self.proxies.append(proxy)
            proxy.lose = partial(self._take, number)
            await stage.deployment.start_gateway(redis_url=proxy.url)
        await asyncio.gather(*(stage.deployment.start_worker() for _ in range(2)))
        looking = asyncio.create_task(self._keep_looking())
        stage.stack.callback(looking.cancel)

    def reads(self) -> int:
        """Reads of logs that the gateways have asked Redis for."""
        return sum(proxy.reads.total() for proxy in self.proxies)

    def judge(self) -> None:
        """When all is over, everything that was lost has come."""
        self._look()
        if self.healed != self.swallowed:
            said = f"{self.swallowed - self.healed} of {self.swallowed} that were lost never came"
            self._row.problems.append(said)

    def judge_sharing(self) -> None:
        """The tabs of a session at one gateway share a read: there are never two at a time."""
        if overlapping := sum(proxy.overlapping_reads for proxy in self.proxies):
            said = f"{overlapping} of {self.reads()} reads began beside one of the same session"
            self._row.problems.append(said)
        if not self.reads():
            self._row.problems.append("no read was seen")

    def judge_reads(self, reads: int, comparisons: int) -> None:
        """A hole of a session at one gateway costs a read that all of its tabs share; so does a
        comparison of heads that overtakes a text."""
        self.judge_sharing()
        self._row.notes.append(f"{self.holes} holes, {reads} reads at Redis")
        most = MOST_PAGES_PER_HOLE * self.holes + comparisons
        if not 0 < reads <= most:
            self._row.problems.append(f"{reads} reads at Redis, and not 1 to {most:.0f}")

    def judge_reads_of_outages(self, reads: int, sessions: int) -> None:
        """An outage of a gateway's subscription costs each of its sessions such a read."""
        self.judge_sharing()
        cut = sum(proxy.cut_subscriptions for proxy in self.proxies)
        self._row.notes.append(f"{cut} subscriptions of gateways cut, {reads} reads at Redis")
        most = MOST_PAGES_PER_HOLE * cut * sessions
        if not 0 < reads <= most:
            self._row.problems.append(f"{reads} reads at Redis, and not 1 to {most:.0f}")

    def _take(self, gateway: int, channel: bytes, content: bytes) -> bool:
        """Whether this message is lost on its way to the gateway of this number."""
        name = _CHANNEL.fullmatch(channel)
        if name is None or self.traffic is None:
            return False
        event: Frame = json.loads(content)
        text = Text(gateway, name[1].decode(), place_of(event["id"]), event["type"])
        audience = self._audience(text)
        message_id, spoken = "", ""
        if event.get("streaming"):
            message_id = event["message_id"]
            spoken = audience.spoken.get(message_id, "") + event["content"]
            audience.spoken[message_id] = spoken
        if not self.lose(text):
            return False
        self.swallowed += 1
        self.last_swallowed += text.type == LAST
        epoch, seq = text.place
        self.holes += audience.last_lost != (epoch, seq - 1)
        audience.last_lost = text.place
        now = asyncio.get_running_loop().time()
        audience.missing.append(Missing(text.place, now, message_id, spoken))
        return True

    def _audience(self, text: Text) -> Audience:
        key = text.gateway, text.session_id
        if key not in self._audiences:
            assert self.traffic is not None
            (session,) = [s for s in self.traffic.sessions if s.session_id == text.session_id]
            tabs = session.tabs[text.gateway :: GATEWAYS]
            self._audiences[key] = Audience([Given(tab) for tab in tabs])
        return self._audiences[key]

    def _look(self) -> None:
        now = asyncio.get_running_loop().time()
        for audience in self._audiences.values():
            came = audience.take_what_came()
            self.healed += len(came)
            self._row.recoveries += [now - missing.since for missing in came]

    async def _keep_looking(self) -> None:
        while True:
            self._look()
            await asyncio.sleep(LOOK_SECONDS)
