"""What comes more than once from above: messages, calls, stops; and a session deleted under it."""

import asyncio

from tests.faults.scenarios.cancels import cancel_races
from tests.faults.scenarios.crew import open_session, until_all_are_there, worker_named
from tests.faults.scenarios.lost_replies import delete, forget_all, lose_replies
from tests.faults.scenarios.phases import Phases, SlowFhirServer, answer_of, words
from tests.faults.stage import Scenario, Stage
from tests.faults.tab import Tab
from tests.faults.traffic import Session, Traffic
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
        await asyncio.gather(*(_submit_twice(stage, traffic, one, times) for one in sessions))


async def _submit_twice(stage: Stage, traffic: Traffic, session: Session, times: int) -> None:
    one, other, third = session.tabs
    patience = 3.0 if stage.sabotage else 30.0
    for _ in range(times):
        reply = Reply(words(stage.random, 6), hold_after=3)
        answer = answer_of(stage.random, session, [reply])
        traffic.say(session, answer, one)
        at_once = _say_again(other, answer.message_id, answer.content)
        stage.row.happened(BEFORE, at_once and one.url != other.url)
        await traffic.until(reply.reached_hold.is_set, "it is in mid-text", patience)
        stage.row.happened(DURING, _say_again(third, answer.message_id, answer.content))
        stage.row.happened(OTHERWISE, _say_again(other, answer.message_id, OTHER))
        await asyncio.sleep(stage.random.uniform(0, 0.05))
        reply.release()
        await traffic.until(
            lambda answer=answer: all(
                tab.view.has("turn_finished", answer.message_id) for tab in session.tabs
            ),
            "it is answered",
            patience,
        )
        stage.row.happened(AFTER, _say_again(one, answer.message_id, answer.content))
        stage.row.happened(OTHERWISE, _say_again(other, answer.message_id, OTHER))
    # What comes after it in the same tabs is answered after it: by then all has been looked at.
    await _answer(traffic, session, patience)
    for content in [answer.content for answer in session.answers]:
        if (runs := stage.stub.runs(content)) != 1:
            stage.row.problems.append(f"the model was asked {runs} times about {content}")
    if stage.stub.runs(OTHER):
        stage.row.problems.append("the model was asked about content that came second")
    stage.row.problems += [f"a tab was told {e}" for tab in session.tabs for e in tab.errors]


def _say_again(tab: Tab, message_id: str, content: str) -> bool:
    return tab.send({"type": "message", "message_id": message_id, "content": content})


async def _answer(traffic: Traffic, session: Session, patience: float = 30.0) -> None:
    """A message in each tab, answered."""
    asked = [answer_of(traffic.random, session, [Reply(("So ", "it is."))]) for _ in session.tabs]
    for answer, tab in zip(asked, session.tabs, strict=True):
        traffic.say(session, answer, tab)
    await traffic.until(
        lambda: all(
            tab.view.has("turn_finished", answer.message_id)
            for tab in session.tabs
            for answer in asked
        ),
        "what came after it is answered",
        patience,
    )


async def delete_sessions(stage: Stage) -> None:
    """A session is deleted while its turn runs and another message waits."""
    stage.row.expect(DELETED, STOPPED, BEGUN_ANEW)
    await stage.start()
    async with stage.traffic() as traffic:
        phases = Phases(traffic, [], SlowFhirServer())
        sessions = [open_session(stage, traffic) for _ in range(3)]
        times = stage.times(short=1, long=4)
        await asyncio.gather(
            *(_delete_again_and_again(stage, traffic, phases, one, times) for one in sessions)
        )


async def _delete_again_and_again(
    stage: Stage, traffic: Traffic, phases: Phases, session: Session, times: int
) -> None:
    for _ in range(times):
        await _delete_in_mid_turn(stage, traffic, phases, session)
        await _begin_anew(stage, traffic, session)


async def _delete_in_mid_turn(
    stage: Stage, traffic: Traffic, phases: Phases, session: Session
) -> None:
    held = phases.in_mid_text(session)
    await until_all_are_there(traffic, [held])
    waiting = traffic.ask(session)
    await traffic.until(
        lambda: session.tabs[0].view.has("message", waiting.message_id), "another one waits"
    )
    worker = worker_named(stage.workers, held.worker())
    refusal = f"session {session.session_id[:8]}: this lease may not write any more"
    refusals = worker.log().count(refusal)
    resets = [tab.view.resets for tab in session.tabs]
    forget_all(session)
    await delete(stage.random.choice(stage.gateways).http, session.session_id)
    await traffic.until(
        lambda: all(
            tab.view.resets == before + 1 and not tab.view.events and tab.is_up_to_date
            for tab, before in zip(session.tabs, resets, strict=True)
        ),
        "every tab is empty",
    )
    stage.row.happened(DELETED)
    held.let_go()
    await traffic.until(lambda: worker.log().count(refusal) > refusals, "the worker notices")
    stage.row.happened(STOPPED)
    if any(tab.view.events for tab in session.tabs):
        stage.row.problems.append("a deleted session has events")


async def _begin_anew(stage: Stage, traffic: Traffic, session: Session) -> None:
    """The model is given nothing of what was deleted."""
    now = asyncio.get_running_loop().time
    began = now()
    answer = traffic.ask(session)
    for kind in ("turn_started", "turn_finished"):
        await traffic.until(
            lambda kind=kind: all(tab.view.has(kind, answer.message_id) for tab in session.tabs),
            f"{kind} of the new conversation",
        )
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
