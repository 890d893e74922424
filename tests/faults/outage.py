"""One time without Redis as the tabs live through it: what they are told, what becomes of what they
say meanwhile, and what Redis may have forgotten afterwards."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf
from random import Random
from typing import Any

from tests.faults.script import Answer
from tests.faults.stage import Stage
from tests.faults.tab import Tab
from tests.faults.traffic import Session, Traffic

TOLD = "tabs told `reconnecting`, then `connected`"
RESET = "tabs given `reset`"
SAID = "messages said meanwhile"
REFUSED = "messages refused, to be said again"
REFUSED_WITHIN_SECONDS = 5.0
"""From its being said. This time is judged, as a promise of its own and no figure: a page shows for
so long that a message is on its way."""


class Outage:
    """Begins when it is made."""

    def __init__(self, stage: Stage, traffic: Traffic, tabs: Sequence[Tab] | None = None) -> None:
        self._row = stage.row
        self._traffic = traffic
        self._tabs = traffic.tabs if tabs is None else tabs
        self._told = {tab: _counts(tab) for tab in self._tabs}
        self._resets = {tab: tab.view.resets for tab in self._tabs}

    async def until_told(self, timeout: float = 20.0) -> None:
        """Wait until every tab has been told that its gateway has lost Redis."""

        def left() -> list[str]:
            return [t.session_id for t in self._tabs if _counts(t)[0] <= self._told[t][0]]

        await self._until(left, "is told `reconnecting`", timeout)

    async def until_over(self) -> None:
        """Wait until every tab has been told `reconnecting` and then `connected`, and has what it
        was promised with that."""
        await self.until_told()

        def left() -> list[str]:
            return [
                t.session_id
                for t in self._tabs
                if not t.is_up_to_date or _counts(t)[1] <= self._told[t][1]
            ]

        await self._until(left, "is connected again and up to date")
        self._row.happened(TOLD, len(self._tabs))

    async def until_reset(self) -> None:
        """Wait until every tab has been given `reset`: this is another life of Redis."""

        def left() -> list[str]:
            return [t.session_id for t in self._tabs if t.view.resets <= self._resets[t]]

        await self._until(left, "is given `reset`")
        self._row.happened(RESET, len(self._tabs))

    async def _until(self, left: Callable[[], list[str]], what: str, timeout: float = 30.0) -> None:
        try:
            await self._traffic.until(lambda: not left(), f"every tab {what}", timeout)
        except AssertionError as error:
            raise AssertionError(f"{error}; not so in {left()[:6]}") from None


def _counts(tab: Tab) -> tuple[int, int]:
    return tab.view.statuses["reconnecting"], tab.view.statuses["connected"]


@dataclass
class Said:
    """A message that was said while Redis was away."""

    tab: Tab
    answer: Answer
    at: float
    refused_after: float | None = None
    shown_after: float | None = None


class Meanwhile:
    """What tabs say while Redis is away, and what becomes of it."""

    def __init__(self, stage: Stage, traffic: Traffic) -> None:
        self._stage = stage
        self._traffic = traffic
        self._said: dict[str, Said] = {}
        self._back_at = inf
        self._randoms = {
            session.session_id: Random(stage.random.getrandbits(64)) for session in traffic.sessions
        }

    def say(self, tabs: Sequence[tuple[Session, Tab]] | None = None) -> None:
        """Say one thing in each of these tabs, or in one tab of every session."""
        for session, tab in tabs or [(one, _speaker(one)) for one in self._traffic.sessions]:
            self._say(session, tab)

    def say_when_told(self) -> None:
        """In one tab of every session, say one thing at the moment when it is told that its gateway
        has lost Redis."""
        for session in self._traffic.sessions:
            tab = _speaker(session)

            def look(frame: dict[str, Any], session: Session = session, tab: Tab = tab) -> None:
                if frame["type"] == "connection" and frame["status"] == "reconnecting":
                    self._say(session, tab)

            tab.on_frame = look

    def redis_is_back(self) -> None:
        """From now on a message can be accepted. What is, need not be refused; when it is shown is
        a matter of how long the gateway takes to hear of it."""
        self._back_at = asyncio.get_running_loop().time()

    async def until_refused_or_shown(self) -> None:
        """Wait until each has been refused, retryable, or shown; those that were refused count.
        While Redis is away, it must be refused within five seconds."""
        await self._traffic.until(
            lambda: all(_is_told(said) for said in self._said.values()),
            "what was said without Redis is refused or shown",
            timeout=REFUSED_WITHIN_SECONDS + 10,
        )
        for said in self._said.values():
            if self._is_too_late(said):
                self._stage.row.problems.append(
                    f"{said.answer.content} was refused after {said.refused_after} s,"
                    f" shown after {said.shown_after} s"
                )
        self._stage.row.happened(SAID, len(self._said))
        if refused := sum(said.refused_after is not None for said in self._said.values()):
            self._stage.row.happened(REFUSED, refused)

    def _say(self, session: Session, tab: Tab) -> None:
        """What has found no open socket is not counted; it is said when there is one."""
        tab.on_frame = self._take
        is_sent = tab.is_up_to_date  # else it would wait; people do not
        answer = self._traffic.ask(session, self._randoms[session.session_id], tab)
        tab.said.discard(answer.message_id)  # it may overtake what is forgotten and said again
        if not is_sent:
            frame = {"type": "message", "message_id": answer.message_id}
            is_sent = tab.send(frame | {"content": answer.content})
        if is_sent:
            now = asyncio.get_running_loop().time()
            self._said[answer.message_id] = Said(tab, answer, now)

    def _is_too_late(self, said: Said) -> bool:
        """Whether it should have been refused in time, and was not."""
        if said.refused_after is not None:
            return said.refused_after > REFUSED_WITHIN_SECONDS
        assert said.shown_after is not None
        was_away = self._back_at > said.at + REFUSED_WITHIN_SECONDS
        return was_away and said.shown_after > REFUSED_WITHIN_SECONDS

    def _take(self, frame: dict[str, Any]) -> None:
        said = self._said.get(frame.get("message_id", ""))
        if said is None:
            return
        after = asyncio.get_running_loop().time() - said.at
        if frame["type"] == "message" and said.shown_after is None:
            said.shown_after = after
        elif frame["type"] == "error" and "id" not in frame and said.refused_after is None:
            said.refused_after = after
            if not (frame["retryable"] and frame["code"] == "unavailable"):
                self._stage.row.problems.append(f"refused in another way: {frame}")


def _speaker(session: Session) -> Tab:
    """The first of its tabs that has a socket, if one has."""
    return next((tab for tab in session.present if tab.is_open), session.present[0])


def _is_told(said: Said) -> bool:
    return said.refused_after is not None or said.shown_after is not None


def count_running(traffic: Traffic) -> int:
    """Turns that have begun and have not ended, as far as the tabs know."""
    return sum(
        any(tab.view.has("turn_started", answer.message_id) for tab in session.tabs)
        for session in traffic.sessions
        for answer in session.answers
        if not any(tab.view.has("turn_finished", answer.message_id) for tab in session.tabs)
    )


def ended(traffic: Traffic) -> set[str]:
    """Messages whose end has reached the tab that said them: it will not say them again. Without
    those that an earlier fault may have made Redis forget."""
    return {
        answer.message_id
        for session in traffic.sessions
        for answer in session.answers
        if not answer.may_be_forgotten
        and not any(tab.waits_for(answer.message_id) for tab in session.tabs)
    }


def allow_forgetting(traffic: Traffic, message_ids: set[str]) -> None:
    """Redis was made to forget what became of these messages since they were accepted."""
    for session in traffic.sessions:
        for answer in session.answers:
            if answer.message_id in message_ids:
                answer.may_be_forgotten = True


def count_forgotten(traffic: Traffic, message_ids: set[str]) -> int:
    """How many of these no tab shows any more."""
    return sum(
        not any(tab.view.has("message", answer.message_id) for tab in session.tabs)
        for session in traffic.sessions
        for answer in session.answers
        if answer.message_id in message_ids
    )


def check_first_attempts(stage: Stage, traffic: Traffic) -> None:
    """Every turn was answered by its first attempt: nobody took over what was in good hands."""
    taken = {
        (event["turn_id"], event["attempt"])
        for tab in traffic.tabs
        for event in tab.view.events
        if event["type"] == "turn_started" and event["attempt"] > 1
    }
    stage.row.problems += [f"turn {turn} was begun again: {n}" for turn, n in sorted(taken)]
