"""Stops: at any moment, at the very end of a turn, from two tabs at once, of turns that wait, and
of turns that are over."""

import asyncio
from collections.abc import Awaitable, Callable
from random import Random

from tests.faults.scenarios.crew import open_session, until_in_every_tab, until_open
from tests.faults.scenarios.phases import answer_of, words
from tests.faults.scenarios.told import starts_of
from tests.faults.script import Answer, make_message_id
from tests.faults.stage import Stage
from tests.faults.tab import Tab
from tests.faults.traffic import Session, Traffic
from tests.faults.view import Frame
from tests.support.stub_model import Reply

AT_RANDOM = "stops at any moment"
AT_THE_END = "stops at the end"
BY_TWO = "stops by two tabs at once"
WAITING = "waiting turns stopped"
TOO_LATE = "finished turns stopped"
UNKNOWN = "unknown turns stopped"
EITHER = frozenset({"completed", "cancelled"})
STOPPED = frozenset({"cancelled"})


class Stopper:
    """Somebody who stops turns, in a session of their own."""

    def __init__(self, stage: Stage, traffic: Traffic) -> None:
        self._stage = stage
        self._row = stage.row
        self._traffic = traffic
        self._random = Random(stage.random.getrandbits(64))
        self._session = open_session(stage, traffic)

    async def repeat(
        self, what: Callable[["Stopper", Session], Awaitable[None]], times: int
    ) -> None:
        await until_open(self._traffic, [self._session])
        for _ in range(times):
            await what(self, self._session)

    async def at_any_moment(self, session: Session) -> None:
        answer = self._say(session, Reply(words(self._random, 15), chunk_seconds=0.02), EITHER)
        await asyncio.sleep(self._random.uniform(0, 0.5))  # before its start, in it, or after it
        self._row.happened(AT_RANDOM, self._stop(self._random.choice(session.tabs), answer))
        await self._until_finished(session, answer)

    async def at_the_end(self, session: Session) -> None:
        """When the last word has come, the model's end and the stop set out together."""
        reply = Reply(words(self._random, 4), hold_after=4)
        answer = self._say(session, reply, EITHER)
        await self._traffic.until(reply.reached_hold.is_set, "its last word")
        early = self._random.uniform(-0.01, 0.03)
        asyncio.get_running_loop().call_later(max(-early, 0), reply.release)
        await asyncio.sleep(max(early, 0))
        self._row.happened(AT_THE_END, self._stop(self._random.choice(session.tabs), answer))
        await self._until_finished(session, answer)

    async def by_two_tabs(self, session: Session) -> None:
        """Two tabs, on two gateways, stop a turn in mid-text."""
        reply = Reply(words(self._random, 6), hold_after=3)
        answer = self._say(session, reply, STOPPED)
        await self._traffic.until(reply.reached_hold.is_set, "it is in mid-text")
        one, other = session.tabs[:2]
        assert one.url != other.url
        self._row.happened(BY_TWO, self._stop(one, answer) and self._stop(other, answer))
        await self._until_finished(session, answer)
        reply.release()

    async def while_they_wait(self, session: Session) -> None:
        """Of three messages two are stopped while they wait; the model hears of both afterwards."""
        reply = Reply(words(self._random, 4), hold_after=2)
        running = self._say(session, reply, frozenset({"completed"}))
        await self._traffic.until(
            lambda: starts_of(session.tabs[0].view, running.message_id), "it runs"
        )
        stopped = [self._say(session, Reply(("never ",)), STOPPED) for _ in range(2)]
        for answer in stopped:
            await until_in_every_tab(self._traffic, session, "message", answer)
        for answer in stopped:
            self._stop(session.tabs[2], answer)
        for answer in stopped:
            await self._until_finished(session, answer)
            self._row.happened(WAITING, not starts_of(session.tabs[0].view, answer.message_id))
        if any(tab.view.has("turn_finished", running.message_id) for tab in session.tabs):
            self._row.problems.append("a waiting turn did not end before the one that ran")
        reply.release()
        await self._until_finished(session, running)
        after = self._say(session, Reply(words(self._random, 3)), frozenset({"completed"}))
        await self._until_finished(session, after)
        self._check_prompt(after, [running, *stopped])

    async def too_late(self, session: Session) -> None:
        """A turn that is over, and one that never was: that tab alone is told."""
        answer = self._say(session, Reply(words(self._random, 2)), frozenset({"completed"}))
        await self._until_finished(session, answer)
        nobodys = make_message_id(self._random)
        for turn_id, fault in ((answer.message_id, TOO_LATE), (nobodys, UNKNOWN)):
            asking, *others = self._random.sample(session.tabs, 3)
            asking.send({"type": "cancel", "turn_id": turn_id})
            await self._traffic.until(
                lambda asking=asking, turn_id=turn_id: unknown_turns(asking, turn_id),
                "the tab is told",
            )
            told = [len(unknown_turns(tab, turn_id)) for tab in (asking, *others)]
            if told != [1, 0, 0]:
                self._row.problems.append(f"of an unknown turn the tabs were told {told} times")
            self._row.happened(fault, told[0])

    def _check_prompt(self, answer: Answer, before: list[Answer]) -> None:
        """What was stopped before the model saw it stands in the next prompt, in order."""
        (request,) = self._stage.stub.received_for(answer.content)
        said = [
            message["content"] for message in request.body["messages"] if message["role"] == "user"
        ]
        due = [one.content for one in (*before, answer)]
        if said[-len(due) :] != due:
            self._row.problems.append(f"the model was given {said[-len(due) :]} and not {due}")

    def _say(self, session: Session, reply: Reply, statuses: frozenset[str]) -> Answer:
        answer = answer_of(self._random, session, [reply])
        answer.statuses = statuses
        self._traffic.say(session, answer, self._random.choice(session.tabs))
        return answer

    def _stop(self, tab: Tab, answer: Answer) -> bool:
        return tab.send({"type": "cancel", "turn_id": answer.message_id})

    async def _until_finished(self, session: Session, answer: Answer) -> None:
        await until_in_every_tab(self._traffic, session, "turn_finished", answer)


def unknown_turns(tab: Tab, turn_id: str) -> list[Frame]:
    """What this tab was told of a turn to stop that nobody knows."""
    return [e for e in tab.errors if e["code"] == "unknown_turn" and e.get("turn_id") == turn_id]


async def cancel_races(stage: Stage) -> None:
    """Everything at once, each kind of stop in a session of its own."""
    stage.row.expect(AT_RANDOM, AT_THE_END, BY_TWO, WAITING, TOO_LATE, UNKNOWN)
    await stage.start()
    async with stage.traffic() as traffic:
        few, many = stage.times(short=2, long=8), stage.times(short=5, long=20)
        stops = (
            (Stopper.at_any_moment, many),
            (Stopper.at_the_end, many),
            (Stopper.at_the_end, many),
            (Stopper.by_two_tabs, few),
            (Stopper.while_they_wait, few),
            (Stopper.too_late, few),
        )
        stoppers = [Stopper(stage, traffic) for _ in stops]
        await asyncio.gather(
            *(
                stopper.repeat(what, times)
                for stopper, (what, times) in zip(stoppers, stops, strict=True)
            )
        )
    ends = [
        event["status"]
        for session in traffic.sessions
        for event in session.tabs[0].view.events
        if event["type"] == "turn_finished"
    ]
    stage.row.notes.append(f"{ends.count('cancelled')} of {len(ends)} turns ended as cancelled")
