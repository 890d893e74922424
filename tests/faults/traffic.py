"""Live traffic: sessions with tabs on several gateways, in which somebody always talks."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random

from tests.faults.judge import finished_once, judge_session
from tests.faults.row import Row
from tests.faults.script import Answer, write_answer
from tests.faults.tab import Tab
from tests.faults.view import View
from tests.support.stub_model import StubModel

SETTLE_SECONDS = 40.0
"""How long tabs may take to get what is still due when nothing disturbs them any more."""
SABOTAGED_SECONDS = 6.0
"""The same without a safeguard: much of what is due will never come."""
LOOK_SECONDS = 0.02
PEOPLE_PAUSE_SECONDS = (0.0, 0.4)


@dataclass
class Session:
    """One session: its tabs, and what was said in it."""

    session_id: str
    tabs: list[Tab]
    answers: list[Answer] = field(default_factory=lambda: [])
    others: list[View] = field(default_factory=lambda: [])
    """Of tabs that a scenario keeps open itself: they must end with the same."""

    @property
    def views(self) -> list[View]:
        return [*(tab.view for tab in self.tabs), *self.others]

    @property
    def rows(self) -> list[list[str]]:
        """What tabs that had one socket and no refusal have said, each in its order."""
        return [
            [answer.message_id for answer in self.answers if answer.message_id in tab.said]
            for tab in self.tabs
            if tab.sockets == 1 and not tab.errors
        ]

    @property
    def present(self) -> list[Tab]:
        """The tabs that are not away; all, if every one is."""
        return [tab for tab in self.tabs if not tab.is_away] or self.tabs

    @property
    def unfinished(self) -> list[Answer]:
        """What has not ended in every tab."""
        return [
            answer
            for answer in self.answers
            if (not answer.may_be_forgotten or self._is_shown(answer))
            and not all(view.has("turn_finished", answer.message_id) for view in self.views)
        ]

    def _is_shown(self, answer: Answer) -> bool:
        return any(view.has("message", answer.message_id) for view in self.views)


class Traffic:
    """The sessions of one scenario."""

    def __init__(self, row: Row, stub: StubModel, random: Random, way_in: str = "") -> None:
        self.sessions: list[Session] = []
        self.random = random
        self.pace = 0.02
        """Seconds between two pieces of an answer."""
        self.settle_seconds = SETTLE_SECONDS
        self._row = row
        self._stub = stub
        self._way_in = way_in
        self._running: list[asyncio.Task[None]] = []
        self._talkers: list[asyncio.Task[None]] = []
        self._stopping = False
        self._said = 0

    @property
    def tabs(self) -> list[Tab]:
        return [tab for session in self.sessions for tab in session.tabs]

    def open_session(self, pick_urls: Sequence[Callable[[int], str]]) -> Session:
        """A new session with one tab for each of `pick_urls`."""
        session_id = f"f-{len(self.sessions)}-{self.random.getrandbits(64):016x}"
        tabs = [
            Tab(session_id, pick, self._row, Random(self.random.getrandbits(64)), self._way_in)
            for pick in pick_urls
        ]
        session = Session(session_id, tabs)
        self.sessions.append(session)
        self._running += [asyncio.create_task(tab.run()) for tab in tabs]
        self._row.sessions += 1
        self._row.tabs += len(tabs)
        return session

    def start_talking(self, sessions: Sequence[Session] | None = None) -> None:
        """From here on somebody talks in these sessions, or in every one."""
        random = self.random
        self._talkers = [
            asyncio.create_task(self._talk(session, Random(random.getrandbits(64))))
            for session in (self.sessions if sessions is None else sessions)
        ]

    def ask(self, session: Session, random: Random | None = None, tab: Tab | None = None) -> Answer:
        """Say something with a scripted answer in the session, in one of its tabs."""
        self._said += 1
        random = random or self.random
        answer = write_answer(random, f"{session.session_id} {self._said}", pace=self.pace)
        self.say(session, answer, tab or random.choice(session.present))
        return answer

    def say(self, session: Session, answer: Answer, tab: Tab) -> None:
        """Say this, in this tab."""
        self._stub.script(answer.content, *answer.replies)
        session.answers.append(answer)
        tab.say(answer.message_id, answer.content)

    async def after_events(self, count: int, timeout: float = 30.0) -> None:
        """Wait until the tabs have been given so many events more: a moment in the traffic."""
        wanted = self._row.events + count
        await self.until(lambda: self._row.events >= wanted, f"{count} events more", timeout)

    async def until(
        self, condition: Callable[[], object], what: str, timeout: float = 30.0
    ) -> None:
        """Wait for a condition. Raises `AssertionError` with `what`."""
        async with _give_up_after(timeout, what):
            await _until(condition)

    async def until_up_to_date(self) -> None:
        """Wait until every tab has a socket and what it was promised on it."""
        await self.until(
            lambda: all(tab.is_up_to_date for tab in self.tabs), "every tab is up to date"
        )

    async def settle(self) -> None:
        """Let everybody finish what was begun, and wait until every tab has all of it."""
        self._stopping = True
        try:
            async with asyncio.timeout(self.settle_seconds):
                await asyncio.gather(*self._talkers)
                await _until(lambda: not any(session.unfinished for session in self.sessions))
                await _until(lambda: all(tab.is_up_to_date for tab in self.tabs))
        except TimeoutError:
            pass  # what is missing is counted

    def judge(self) -> None:
        """Compare what the tabs have with the script, and put it into the row."""
        for session in self.sessions:
            views = session.views
            self._row.breaches += judge_session(session.answers, views, session.rows)
            for answer in session.answers:
                if answer.may_be_forgotten and not views[0].has("message", answer.message_id):
                    continue
                self._row.accepted += 1
                self._row.finished_once += all(finished_once(answer, view) for view in views)
                self._row.told_in_pieces += any(
                    view.has_pieces(answer.message_id) for view in views
                )
            self._row.holes += sum(view.holes for view in views)

    async def close(self) -> None:
        """Close every tab."""
        tasks = (*self._talkers, *self._running)
        for task in tasks:
            task.cancel()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
        for end in ends:
            if isinstance(end, Exception):
                self._row.problems.append(f"a tab or talker has ended: {end!r}")

    async def _talk(self, session: Session, random: Random) -> None:
        while not self._stopping:
            asked = [self.ask(session, random) for _ in range(random.choice((1, 1, 1, 2)))]
            for answer in asked:
                await _until(
                    lambda answer=answer: answer.may_be_forgotten or _is_finished(session, answer)
                )
            await asyncio.sleep(random.uniform(*PEOPLE_PAUSE_SECONDS))


def _is_finished(session: Session, answer: Answer) -> bool:
    return any(tab.view.has("turn_finished", answer.message_id) for tab in session.tabs)


async def _until(condition: Callable[[], object]) -> None:
    while not condition():  # noqa: ASYNC110 - many things may change it
        await asyncio.sleep(LOOK_SECONDS)


@asynccontextmanager
async def _give_up_after(seconds: float, what: str) -> AsyncGenerator[None, None]:
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise AssertionError(f"waited {seconds} s in vain for: {what}") from None
