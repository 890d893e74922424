"""Pub/sub that loses: single messages, the last one, connections, all that a slow reader missed."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from random import Random
from uuid import UUID

from tests.faults.scenarios.losses import GATEWAYS, LAST, Losses, Reads
from tests.faults.script import Answer
from tests.faults.stage import Scenario, Stage
from tests.faults.traffic import Session, Traffic
from tests.support.pubsub_proxy import lose_nothing
from tests.support.stub_model import Reply

SWALLOWED = "messages swallowed"
HEALED = "read from the log instead"
LAST_SWALLOWED = "last messages swallowed"
CUT = "subscriptions cut"
TOO_SLOW = "slow subscribers cut off by Redis"

TABS = 3 * GATEWAYS
"""Of each session: three on each gateway, so that a read for each tab would show."""
QUIET_SESSIONS = 5
LAST_SECONDS = 10.0
LOUD_SESSIONS = 3
MOST_FLOODS = 10
LONG_PIECE = "x" * 50_000
LONG_PIECES = 20
SMALL_BUFFER = "pubsub 262144 0 0"


async def lose_messages(stage: Stage, share: float) -> None:
    """Of all messages on the channels of sessions, `share` never come."""
    row = stage.row
    row.expect(SWALLOWED, HEALED)
    losses = Losses(row)
    await losses.start_gateways(stage)
    async with stage.traffic(tabs=TABS) as traffic:
        losses.traffic = traffic
        before = await Reads.of(stage)
        losses.lose = lambda channel, text: stage.random.random() < share
        # Few are lost of few: the smaller the share, the longer it takes.
        events = stage.times(short=4000, long=15_000)
        await traffic.after_events(events, timeout=60)
        losses.lose = lose_nothing
    reads = await Reads.of(stage) - before
    row.happened(SWALLOWED, losses.swallowed)
    row.happened(HEALED, losses.healed)
    row.notes.append(f"{losses.last_swallowed} of the swallowed were a turn's last; {reads}")
    row.problems += reads.problems(tabs=TABS // GATEWAYS)


async def lose_the_last(stage: Stage) -> None:
    """The last message of a turn never comes, and nobody says anything after it: only the
    comparison of heads can find that."""
    row = stage.row
    row.expect(LAST_SWALLOWED, HEALED)
    losses = Losses(row)
    await losses.start_gateways(stage)
    async with stage.traffic() as traffic:
        losses.traffic = traffic
        quiet = [
            traffic.open_session([stage.any_gateway(tab) for tab in range(3)])
            for _ in range(QUIET_SESSIONS)
        ]
        await traffic.until_up_to_date()
        names = [session.session_id.encode() for session in quiet]
        losses.lose = lambda channel, text: LAST in text and any(name in channel for name in names)
        before = await Reads.of(stage)
        for _ in range(stage.times(short=1, long=2)):
            for session in quiet:
                traffic.ask(session)
            with suppress(AssertionError):  # what is missing is counted
                await traffic.until(
                    lambda: not any(session.unfinished for session in quiet),
                    "the turns of the quiet sessions have ended in every tab",
                    LAST_SECONDS,
                )
    reads = await Reads.of(stage) - before
    row.happened(LAST_SWALLOWED, losses.swallowed)
    row.happened(HEALED, losses.healed)
    row.notes.append(str(reads))


async def cut_subscriptions(stage: Stage) -> None:
    """Redis closes every subscription connection, of gateways and of workers, again and again."""
    row = stage.row
    row.expect(CUT)
    await stage.start()
    before = await Reads.of(stage)
    async with stage.traffic() as traffic, stage.deployment.client() as client:
        for _ in range(stage.times(short=10, long=60)):
            await traffic.after_events(stage.random.randint(5, 60))
            row.happened(CUT, await client.client_kill_filter(_type="pubsub"))
    reads = await Reads.of(stage) - before
    row.notes.append(str(reads))
    if not reads.lost:
        row.problems.append("no gateway has noticed that its subscription was cut")


async def be_too_slow(stage: Stage) -> None:
    """A gateway that is frozen for a while is a subscriber that does not read: when a flood comes,
    Redis cuts it off."""
    row = stage.row
    row.expect(TOO_SLOW)
    losses = Losses(row)
    await losses.start_gateways(stage)
    async with stage.traffic() as traffic, stage.deployment.client() as client:
        loud = [
            traffic.open_session([stage.any_gateway(tab) for tab in range(GATEWAYS)])
            for _ in range(LOUD_SESSIONS)
        ]
        await traffic.until_up_to_date()
        await client.config_set("client-output-buffer-limit", SMALL_BUFFER)
        for number in range(stage.times(short=1, long=3)):
            await traffic.after_events(stage.random.randint(5, 60))
            cut_before = _cut_off(stage)
            frozen = number % GATEWAYS
            stage.gateways[frozen].freeze()
            losses.proxies[frozen].stop_reading()
            try:
                await _flood_until(
                    lambda before=cut_before: _cut_off(stage) > before, traffic, loud, 1 - frozen
                )
            finally:
                losses.proxies[frozen].go_on_reading()
                stage.gateways[frozen].thaw()
            row.happened(TOO_SLOW, _cut_off(stage) - cut_before)
            await traffic.until_up_to_date()


async def _flood_until(
    condition: Callable[[], bool], traffic: Traffic, loud: Sequence[Session], heard: int
) -> None:
    """Long texts, as fast as the model can say them, in every session of `loud`, one after the
    other, until `condition`. The tabs of number `heard` are those that are not frozen."""
    for _ in range(MOST_FLOODS):
        answers = [_long_answer(traffic.random, session) for session in loud]
        for session, answer in zip(loud, answers, strict=True):
            traffic.say(session, answer, session.tabs[heard])
        await traffic.until(
            lambda answers=answers: (
                condition()
                or all(
                    session.tabs[heard].view.has("turn_finished", answer.message_id)
                    for session, answer in zip(loud, answers, strict=True)
                )
            ),
            "the flood has been heard",
        )
        if condition():
            return
    raise AssertionError("however much was published, Redis cut nobody off")


def _long_answer(random: Random, session: Session) -> Answer:
    mark = f"flood {session.session_id} {len(session.answers)}"
    text = [f"{mark}: ", *([LONG_PIECE] * LONG_PIECES)]
    return Answer(
        message_id=str(UUID(int=random.getrandbits(128), version=4)),
        content=mark,
        text="".join(text),
        calls=frozenset(),
        model_calls=1,
        replies=[Reply(text)],
    )


def _cut_off(stage: Stage) -> int:
    """How many clients Redis says that it has closed because they did not read."""
    log = (stage.folder / "redis" / "server.log").read_text()
    return log.count("overcoming of output buffer limits")


SCENARIOS = (
    *(
        Scenario(
            f"pub/sub loses {percent} %",
            partial(lose_messages, share=percent / 100),
            guarded_by=frozenset({"gap"}),
            is_short=percent > 1,
        )
        for percent in (1, 10, 50)
    ),
    Scenario("the last message is lost", lose_the_last, guarded_by=frozenset({"gap"})),
    Scenario("subscriptions cut again and again", cut_subscriptions),
    Scenario("Redis cuts off the slow subscriber", be_too_slow),
)
