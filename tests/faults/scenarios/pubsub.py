"""Pub/sub that loses: single messages, the last one, connections, all that a slow reader missed."""

import asyncio
import math
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from random import Random

from tests.faults.scenarios.losses import (
    GATEWAYS,
    LAST,
    Losses,
    Text,
    lose_nothing,
)
from tests.faults.script import Answer, answer_with
from tests.faults.stage import Scenario, Stage
from tests.faults.traffic import Session, Traffic
from tests.gateway.signs import metric
from tests.support.pubsub_proxy import PubSubProxy
from tests.support.stub_model import Reply

SWALLOWED = "messages swallowed"
HEALED = "given all the same"
LAST_SWALLOWED = "last messages swallowed"
CUT = "subscriptions cut"
TOO_SLOW = "slow subscribers cut off by Redis"

TABS = 3 * GATEWAYS
"""Of each session: three on each gateway, so that a read for each tab would show."""
QUIET_SESSIONS = 5
LAST_SECONDS = 10.0
HEADS_SECONDS = 5.0
"""The default."""
LOUD_SESSIONS = 3
MOST_FLOODS = 10
LONG_PIECE = "x" * 50_000
LONG_PIECES = 20
SMALL_BUFFER = "pubsub 262144 0 0"
_ADDRESS = re.compile(r" addr=(\S+)")


async def lose_messages(stage: Stage, share: float) -> None:
    """Of all messages on the channels of sessions, `share` never come."""
    row = stage.row
    row.expect(SWALLOWED, HEALED)
    losses = Losses(row)
    await losses.start_gateways(stage)
    seed = stage.random.getrandbits(64)
    heads_seconds = float(stage.deployment.environment.get("HEADS_SECONDS", HEADS_SECONDS))

    def is_lost(text: Text) -> bool:
        """Each text for itself, in whatever order they come."""
        return Random(f"{seed}/{text.name}").random() < share

    async with stage.traffic(tabs=TABS) as traffic:
        losses.traffic = traffic
        before, began = losses.reads(), asyncio.get_running_loop().time()
        losses.lose = is_lost
        # Few are lost of few: the smaller the share, the longer it takes.
        events = stage.times(short=4000, long=15_000)
        await traffic.after_events(events, timeout=60)
        losses.lose = lose_nothing
    losses.judge()
    row.happened(SWALLOWED, losses.swallowed)
    row.happened(HEALED, losses.healed)
    row.notes.append(f"{losses.last_swallowed} of the swallowed were a turn's last")
    rounds = math.ceil((asyncio.get_running_loop().time() - began) / heads_seconds)
    losses.judge_reads(losses.reads() - before, rounds * len(traffic.sessions) * GATEWAYS)


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
            traffic.open_session([stage.any_gateway(tab) for tab in range(TABS)])
            for _ in range(QUIET_SESSIONS)
        ]
        await traffic.until_up_to_date()
        names = {session.session_id for session in quiet}
        losses.lose = lambda text: text.type == LAST and text.session_id in names
        before = _reads_of(losses, names)
        for _ in range(stage.times(short=1, long=2)):
            for session in quiet:
                traffic.ask(session)
            with suppress(AssertionError):  # what is missing is counted
                await traffic.until(
                    lambda: not any(session.unfinished for session in quiet),
                    "the turns of the quiet sessions have ended in every tab",
                    LAST_SECONDS,
                )
        reads = _reads_of(losses, names) - before
    losses.judge()
    row.happened(LAST_SWALLOWED, losses.swallowed)
    row.happened(HEALED, losses.healed)
    # A comparison of heads overtakes a text now and then: that costs a read without a hole.
    row.notes.append(f"{losses.holes} holes, {reads} reads at Redis")
    losses.judge_sharing()


def _reads_of(losses: Losses, names: set[str]) -> int:
    return sum(proxy.reads[name] for proxy in losses.proxies for name in names)


async def cut_subscriptions(stage: Stage) -> None:
    """Redis closes every subscription connection, of gateways and of workers, again and again."""
    row = stage.row
    row.expect(CUT)
    losses = Losses(row)
    await losses.start_gateways(stage)
    async with stage.traffic(tabs=TABS) as traffic, stage.deployment.client() as client:
        before = losses.reads()
        for _ in range(stage.times(short=10, long=60)):
            await traffic.after_events(stage.random.randint(5, 60))
            row.happened(CUT, await client.client_kill_filter(_type="pubsub"))
        reads, sessions = losses.reads() - before, len(traffic.sessions)
    for proxy, gateway in zip(losses.proxies, stage.gateways, strict=True):
        noticed = await metric(gateway, "fanline_redis_lost_total")
        if noticed != proxy.cut_subscriptions:
            said = f"{proxy.cut_subscriptions} subscriptions were cut, and {noticed:.0f} noticed"
            row.problems.append(f"{gateway.log_file.name}: {said}")
    losses.judge_reads_of_outages(reads, sessions)


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
            frozen = number % GATEWAYS
            proxy = losses.proxies[frozen]
            cut_before = _cut_off(stage, proxy)
            stage.gateways[frozen].freeze()
            proxy.stop_reading()
            try:
                await _flood_until(
                    lambda proxy=proxy, before=cut_before: _cut_off(stage, proxy) > before,
                    traffic,
                    loud,
                    1 - frozen,
                )
            finally:
                proxy.go_on_reading()
                stage.gateways[frozen].thaw()
            row.happened(TOO_SLOW, _cut_off(stage, proxy) - cut_before)
            await traffic.until_up_to_date()


async def _flood_until(
    condition: Callable[[], bool], traffic: Traffic, loud: Sequence[Session], heard: int
) -> None:
    """Long texts, as fast as the model can say them, in every session of `loud`, one after the
    other, until `condition`. The tabs of number `heard` are those that are not frozen."""
    random = Random(traffic.random.getrandbits(64))  # how many floods it takes is no choice of ours
    for _ in range(MOST_FLOODS):
        answers = [_long_answer(random, session) for session in loud]
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
    return answer_with(random, mark, [Reply([f"{mark}: ", *([LONG_PIECE] * LONG_PIECES)])])


def _cut_off(stage: Stage, proxy: PubSubProxy) -> int:
    """How many connections through this proxy Redis says that it has closed because they did not
    read."""
    log = (stage.folder / "redis" / "server.log").read_text()
    lines = [line for line in log.splitlines() if "overcoming of output buffer limits" in line]
    named = [match[1] for line in lines if (match := _ADDRESS.search(line))]
    return sum(1 for address in named if address in proxy.addresses)


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
