"""What comes more than once from above: messages, calls, stops; and a session deleted under it."""

import asyncio
from random import Random

from tests.faults.scenarios.cancels import cancel_races, unknown_turns
from tests.faults.scenarios.crew import (
    open_session,
    until_all_are_there,
    until_in_every_tab,
    worker_named,
)
from tests.faults.scenarios.lost_replies import delete, forget_all, lose_replies
from tests.faults.scenarios.phases import Phases, SlowFhirServer, answer_of, words
from tests.faults.scenarios.told import count_refusals
from tests.faults.script import Answer, make_message_id
from tests.faults.stage import Scenario, Stage
from tests.faults.tab import Tab
from tests.faults.traffic import Session, Traffic
from tests.faults.view import Frame
from tests.support.stub_model import Reply

BEFORE = "submitted twice at once, on two gateways"
DURING = "submitted again in mid-turn"
AFTER = "submitted again after the end"
OTHERWISE = "submitted again with other content"
DELETED = "sessions deleted in mid-turn"
STOPPED = "workers that noticed"
BEGUN_ANEW = "conversations begun anew"
OTHER = "something else entirely"


async def submit_twice(stage: Stage) -> None:
    """The same message comes again and again; it is shown once and answered once."""
    stage.row.expect(BEFORE, DURING, AFTER, OTHERWISE)
    await stage.start()
    async with stage.traffic() as traffic:
        sessions = [open_session(stage, traffic) for _ in range(4)]
        await traffic.until_up_to_date()
        times = stage.times(short=2, long=12)
        people = [Repeater(stage, traffic, session) for session in sessions]
        await asyncio.gather(*(person.repeat(times) for person in people))


class Repeater:
    """Somebody who says everything again, in a session of their own."""

    def __init__(self, stage: Stage, traffic: Traffic, session: Session) -> None:
        self._stage = stage
        self._row = stage.row
        self._traffic = traffic
        self._session = session
        self._random = Random(stage.random.getrandbits(64))
        self._patience = 3.0 if stage.sabotage else 30.0

    async def repeat(self, times: int) -> None:
        session = self._session
        for _ in range(times):
            await self._submit_twice()
        # What comes after it in the same tabs is answered after it.
        asked = [self._write(Reply(("So ", "it is."))) for _ in session.tabs]
        for answer, tab in zip(asked, session.tabs, strict=True):
            self._traffic.say(session, answer, tab)
        await self._until("turn_finished", *asked)
        for content in [answer.content for answer in session.answers]:
            if (runs := self._stage.stub.runs(content)) != 1:
                self._row.problems.append(f"the model was asked {runs} times about {content}")
        if self._stage.stub.runs(OTHER):
            self._row.problems.append("the model was asked about content that came second")
        self._row.problems += [f"a tab was told {e}" for tab in session.tabs for e in tab.errors]

    async def _submit_twice(self) -> None:
        one, other, third = self._session.tabs
        reply = Reply(words(self._random, 6), hold_after=3)
        answer = self._write(reply)
        gateways = one.url, other.url
        self._traffic.say(self._session, answer, one)
        if await self._was_taken([one, other], self._say_again(other, answer)):
            self._row.happened(BEFORE, gateways[0] != gateways[1])
        await self._traffic.until(reply.reached_hold.is_set, "it is in mid-text", self._patience)
        again = self._say_again(third, answer)
        if await self._was_taken([third], again):
            self._row.happened(DURING, not reply.released.is_set())
        if await self._was_taken([other], self._say_again(other, answer, OTHER)):
            self._row.happened(OTHERWISE)
        await asyncio.sleep(self._random.uniform(0, 0.05))
        reply.release()
        await self._until("turn_finished", answer)
        if await self._was_taken([one], self._say_again(one, answer)):
            self._row.happened(AFTER)
        if await self._was_taken([other], self._say_again(other, answer, OTHER)):
            self._row.happened(OTHERWISE)

    async def _was_taken(self, tabs: list[Tab], was_sent: bool) -> bool:
        """Whether the gateways have worked off what was sent in these tabs: they answer a frame
        that came behind it on the same socket, of which there is still the same one."""
        sockets = [tab.sockets for tab in tabs]
        nobodys = [make_message_id(self._random) for _ in tabs]
        for tab, turn_id in zip(tabs, nobodys, strict=True):
            was_sent = tab.send({"type": "cancel", "turn_id": turn_id}) and was_sent

        def answers() -> list[list[Frame]]:
            return [unknown_turns(*pair) for pair in zip(tabs, nobodys, strict=True)]

        await self._traffic.until(
            lambda: all(answers()), "a frame that came behind it is answered", self._patience
        )
        for tab, (answer,) in zip(tabs, answers(), strict=True):
            tab.errors.remove(answer)
        return was_sent and sockets == [tab.sockets for tab in tabs]

    def _say_again(self, tab: Tab, answer: Answer, content: str = "") -> bool:
        fields = {"message_id": answer.message_id, "content": content or answer.content}
        return tab.send({"type": "message"} | fields)

    def _write(self, reply: Reply) -> Answer:
        return answer_of(self._random, self._session, [reply])

    async def _until(self, kind: str, *answers: Answer) -> None:
        await until_in_every_tab(
            self._traffic, self._session, kind, *answers, patience=self._patience
        )


async def delete_sessions(stage: Stage) -> None:
    """A session is deleted while its turn runs and another message waits."""
    stage.row.expect(DELETED, STOPPED, BEGUN_ANEW)
    await stage.start()
    async with stage.traffic() as traffic:
        sessions = [open_session(stage, traffic) for _ in range(3)]
        times = stage.times(short=1, long=4)
        randoms = [Random(traffic.random.getrandbits(64)) for _ in sessions]
        await asyncio.gather(
            *(
                _delete_again_and_again(stage, traffic, random, one, times)
                for random, one in zip(randoms, sessions, strict=True)
            )
        )


async def _delete_again_and_again(
    stage: Stage, traffic: Traffic, random: Random, session: Session, times: int
) -> None:
    for _ in range(times):
        await _delete_in_mid_turn(stage, traffic, random, session)
        await _begin_anew(stage, traffic, random, session)


async def _delete_in_mid_turn(
    stage: Stage, traffic: Traffic, random: Random, session: Session
) -> None:
    phases = Phases(traffic, random, SlowFhirServer())
    held = phases.in_mid_text(session)
    await until_all_are_there(traffic, [held])
    waiting = traffic.ask(session, random)
    await traffic.until(
        lambda: session.tabs[0].view.has("message", waiting.message_id), "another one waits"
    )
    worker = worker_named(stage.workers, held.worker())
    refusals = count_refusals(worker, session.session_id)
    resets = [tab.view.resets for tab in session.tabs]
    forget_all(session)
    await delete(random.choice(stage.gateways).http, session.session_id)
    await traffic.until(
        lambda: all(
            tab.view.resets == before + 1 and not tab.view.events and tab.is_up_to_date
            for tab, before in zip(session.tabs, resets, strict=True)
        ),
        "every tab is empty",
    )
    stage.row.happened(DELETED)
    held.let_go()
    await traffic.until(
        lambda: count_refusals(worker, session.session_id) > refusals, "the worker notices"
    )
    stage.row.happened(STOPPED)
    if any(tab.view.events for tab in session.tabs):
        stage.row.problems.append("a deleted session has events")


async def _begin_anew(stage: Stage, traffic: Traffic, random: Random, session: Session) -> None:
    """The model is given nothing of what was deleted."""
    now = asyncio.get_running_loop().time
    began = now()
    answer = traffic.ask(session, random)
    for kind in ("turn_started", "turn_finished"):
        await until_in_every_tab(traffic, session, kind, answer)
        if kind == "turn_started":
            stage.row.recoveries.append(now() - began)
    first = stage.stub.received_for(answer.content)[0].body["messages"]
    said = [message["content"] for message in first if message["role"] == "user"]
    stage.row.happened(BEGUN_ANEW, said == [answer.content])


SCENARIOS = (
    Scenario("submitted twice", submit_twice, frozenset({"dedupe"}), stays_live=True),
    Scenario("replies lost, calls repeated", lose_replies, frozenset({"dedupe"})),
    Scenario("cancel races", cancel_races, stays_live=True),
    Scenario("session deleted in mid-turn", delete_sessions),
)
