"""The way to Redis: gone for one gateway alone, or open and silent."""

import asyncio
from collections.abc import Callable

from tests.faults.outage import (
    REFUSED,
    SAID,
    TOLD,
    Meanwhile,
    Outage,
    check_first_attempts,
)
from tests.faults.stage import Scenario, Stage
from tests.faults.traffic import Traffic
from tests.gateway.signs import readiness, until_ready_is
from tests.support.processes import Process
from tests.support.proxy import Proxy, proxy_before

SHUT = "times Redis refused one gateway"
SILENT = "times Redis was silent to one gateway"
DEAF = "subscriptions gone deaf"
SWALLOWED = "gateways that got no answer at all"
NOT_READY = "gateways not ready within 5 s"
NOT_READY_WITHIN_SECONDS = 5.0
"""From the moment when the connections go deaf. This time is judged, as a promise of its own and no
figure: whoever sends people to a gateway goes by its readiness."""


async def unreachable_from_one_gateway(stage: Stage) -> None:
    """One of two gateways loses Redis, by a connection that breaks or by one that is silent; the
    tabs of the other do not notice."""
    stage.row.expect(SHUT, SILENT, TOLD, SAID, REFUSED)
    proxy, cut_off = await _start_behind_proxy(stage)
    await stage.start(gateways=1)
    urls = [cut_off.url, stage.gateways[1].url, cut_off.url]
    async with stage.traffic(pick=lambda number: lambda _: urls[number]) as traffic:
        await _leave_one_without(stage, traffic, SHUT, proxy.shut)
        await _leave_one_without(stage, traffic, SILENT, proxy.swallow)
        left = [session.tabs[1].view.statuses["reconnecting"] for session in traffic.sessions]
        if any(left):
            stage.row.problems.append(f"{sum(left)} times a tab of the other gateway was disturbed")
    check_first_attempts(stage, traffic)


async def _leave_one_without(
    stage: Stage, traffic: Traffic, fault: str, switch: Callable[[bool], None]
) -> None:
    await traffic.after_events(stage.random.randint(50, 300))
    near = [tab for session in traffic.sessions for tab in (session.tabs[0], session.tabs[2])]
    outage, meanwhile = Outage(stage, traffic, near), Meanwhile(stage, traffic)
    switch(True)
    try:
        meanwhile.say([(session, session.tabs[0]) for session in traffic.sessions])
        elsewhere = [
            (session.tabs[1], traffic.ask(session, tab=session.tabs[1]).message_id)
            for session in traffic.sessions
        ]
        await outage.until_told()
        await traffic.until(
            lambda: all(tab.view.has("message", turn) for tab, turn in elsewhere),
            "every message on the other gateway is shown there",
        )
        await traffic.until(
            lambda: any(tab.view.has("turn_finished", turn) for tab, turn in elsewhere),
            "one of them is answered",
        )
        await meanwhile.until_refused_or_shown()
        stage.row.happened(fault)
    finally:
        switch(False)
    await outage.until_over()


async def deaf(stage: Stage) -> None:
    """Connections are open, and nothing comes on them: on the subscriptions alone, then on all. The
    gateways say that they are not ready, and heal themselves."""
    stage.row.expect(DEAF, SWALLOWED, NOT_READY, SAID, REFUSED, TOLD)
    behind = [await _start_behind_proxy(stage) for _ in range(2)]
    proxies = [proxy for proxy, _ in behind]
    gateways = [gateway for _, gateway in behind]
    await stage.start(gateways=0)
    async with stage.traffic() as traffic:
        for _ in range(stage.times(short=1, long=2)):
            await traffic.after_events(stage.random.randint(50, 400))
            await _deafen_once(stage, traffic, proxies, gateways)
        for _ in range(stage.times(short=1, long=2)):
            await traffic.after_events(stage.random.randint(50, 400))
            await _swallow_once(stage, traffic, proxies, gateways)
        await traffic.after_events(200)
        for gateway in gateways:
            await until_ready_is(gateway, 200)  # it probes now and then: tabs may be told earlier
    check_first_attempts(stage, traffic)


async def _deafen_once(
    stage: Stage, traffic: Traffic, proxies: list[Proxy], gateways: list[Process]
) -> None:
    """Messages are accepted all the while, and shown when the gateway hears again."""
    outage, meanwhile = Outage(stage, traffic), Meanwhile(stage, traffic)
    began = asyncio.get_running_loop().time()
    for proxy in proxies:
        proxy.deafen_subscribers()
    meanwhile.redis_is_back()
    meanwhile.say()
    await _until_not_ready(stage, gateways, began)
    await outage.until_over()
    await meanwhile.until_refused_or_shown()
    stage.row.happened(DEAF, len(proxies))


async def _swallow_once(
    stage: Stage, traffic: Traffic, proxies: list[Proxy], gateways: list[Process]
) -> None:
    """Redis accepts what is said, and the gateways do not hear that: their tabs must say it again,
    and it must be answered once."""
    outage, meanwhile = Outage(stage, traffic), Meanwhile(stage, traffic)
    before = [proxy.swallowed_bytes for proxy in proxies]
    began = asyncio.get_running_loop().time()
    for proxy in proxies:
        proxy.swallow(True)
    try:
        meanwhile.say()
        await _until_not_ready(stage, gateways, began)
        await outage.until_told()
        await meanwhile.until_refused_or_shown()
    finally:
        for proxy in proxies:
            proxy.swallow(False)
    more = [proxy.swallowed_bytes > old for proxy, old in zip(proxies, before, strict=True)]
    stage.row.happened(SWALLOWED, sum(more))
    await outage.until_over()


async def _until_not_ready(stage: Stage, gateways: list[Process], began: float) -> None:
    """Wait until each has answered 503, which must be within five seconds of when it `began`."""
    loop = asyncio.get_running_loop()

    async def one(gateway: Process) -> None:
        async with asyncio.timeout(NOT_READY_WITHIN_SECONDS + 10):
            while await readiness(gateway) != 503:  # noqa: ASYNC110 - polled
                await asyncio.sleep(0.02)
        seconds = loop.time() - began
        stage.row.happened(NOT_READY, int(seconds <= NOT_READY_WITHIN_SECONDS))
        if seconds > NOT_READY_WITHIN_SECONDS:
            stage.row.problems.append(f"{gateway.log_file.name}: ready for {seconds:.1f} s")

    await asyncio.gather(*(one(gateway) for gateway in gateways))


async def _start_behind_proxy(stage: Stage) -> tuple[Proxy, Process]:
    """A gateway that reaches Redis through a proxy of its own."""
    proxy = await stage.stack.enter_async_context(proxy_before(stage.redis.port))
    settings = {} if stage.is_long else {"accept_seconds": 1}
    gateway = await stage.deployment.start_gateway(redis_url=proxy.url, **settings)
    return proxy, gateway


SCENARIOS = (
    Scenario("Redis unreachable from one gateway", unreachable_from_one_gateway),
    Scenario("connections to Redis open but deaf", deaf),
)
