"""The services of docker-compose.yml as plain processes: Debian's Redis with the options of that
file, Debian's nginx with deploy/nginx.conf, two gateways and three workers. Everything goes through
nginx.
"""

import asyncio
import json
import re
import signal
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from uuid import uuid4

import httpx2 as httpx
import pytest
from fanline import connect

from dev.embedded_redis import EmbeddedRedis
from tests.deploy.files import SERVICES
from tests.gateway.signs import metric
from tests.support.chat import QUICK, Tab
from tests.support.deployment import Deployment, deploy
from tests.support.front_proxy import FrontProxy, front_proxy
from tests.support.processes import Process
from tests.support.stub_model import Reply, StubModel

GATEWAYS, WORKERS = 2, 3
"""`docker compose up --scale gateway=2 --scale agent_worker=3`."""
MOST_TABS = 64
"""nginx chooses by chance: that so many come to one of two gateways does not happen."""
WORDS = [f"word{number} " for number in range(8)]

pytestmark = pytest.mark.timeout(120)


@dataclass
class Topology:
    """All of it, and the way in."""

    deployment: Deployment
    proxy: FrontProxy

    @property
    def gateways(self) -> list[Process]:
        return [p for p in self.deployment.processes if p.port and not p.has_ended]

    @asynccontextmanager
    async def tab(self, session_id: str) -> AsyncGenerator[Tab, None]:
        """A tab that comes through the proxy."""
        async with connect(self.proxy.url, session_id, backoff=QUICK) as session:
            tab = Tab(session)
            await tab.until("connection", status="connected")
            yield tab

    async def tabs_everywhere(self, session_id: str, stack: AsyncExitStack) -> list[Tab]:
        """Tabs, opened one after the other until every gateway has one."""
        tabs: list[Tab] = []
        while not all([await metric(gateway, "fanline_tabs") for gateway in self.gateways]):
            assert len(tabs) < MOST_TABS, "a gateway was given no tab"
            tabs.append(await stack.enter_async_context(self.tab(session_id)))
        return tabs


@pytest.fixture(scope="module")
async def topology(
    stub: StubModel, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[Topology, None]:
    """Each test leaves as many gateways as it found."""
    folder = tmp_path_factory.mktemp("topology")
    program, *options = SERVICES["redis"]["command"]
    redis = EmbeddedRedis(folder / "redis", program=program, options=options)
    redis.start()
    try:
        async with deploy(redis, folder, **stub.environment(), LINGER_SECONDS="0.1") as deployment:
            async with front_proxy(deployment) as proxy:
                await asyncio.gather(
                    *(deployment.start_gateway() for _ in range(GATEWAYS)),
                    *(deployment.start_worker() for _ in range(WORKERS)),
                )
                yield Topology(deployment, proxy)
            await deployment.check_nothing_is_left()
    finally:
        redis.stop()


@pytest.fixture
def session_id() -> str:
    return f"s-{uuid4()}"


async def test_redis_has_taken_every_option(topology: Topology) -> None:
    line = re.sub(r"\d+[mg]b", _in_bytes, " ".join(SERVICES["redis"]["command"][1:]))
    options = [option.strip().partition(" ") for option in line.split("--") if option]
    assert options
    async with topology.deployment.client() as client:
        for name, _, wanted in options:
            has = await client.config_get(name)
            assert f" {wanted} " in f" {has[name]} ", name


def _in_bytes(size: re.Match[str]) -> str:
    """As Redis says it."""
    return str(int(size[0][:-2]) * {"mb": 2**20, "gb": 2**30}[size[0][-2:]])


async def test_the_page_and_a_turn_come_through_the_proxy(
    topology: Topology, stub: StubModel, session_id: str
) -> None:
    async with httpx.AsyncClient() as http:
        page = await http.get(f"{topology.proxy.http}/s/{session_id}")
        own = await http.get(f"{topology.gateways[0].http}/s/{session_id}")
    assert (page.status_code, page.content) == (own.status_code, own.content)
    assert page.headers.get("Content-Security-Policy") == own.headers.get("Content-Security-Policy")
    stub.script(session_id, Reply(WORDS))
    async with topology.tab(session_id) as tab:
        turn = await tab.ask(session_id)
    assert (turn.status, turn.answer) == ("completed", "".join(WORDS))


async def test_a_turn_without_a_websocket_comes_through_the_proxy(
    topology: Topology, stub: StubModel, session_id: str
) -> None:
    """Each event as it happens: the answer is held in its midst until its first half has come."""
    speech = Reply(WORDS, hold_after=4)
    stub.script(session_id, speech)
    async with httpx.AsyncClient(base_url=f"{topology.proxy.http}/sessions/{session_id}") as http:
        accepted = await http.post("/messages", json={"content": session_id})
        assert accepted.status_code == 202
        said, types = "", list[str]()
        async with http.stream("GET", "/events", timeout=30) as answer:
            async for line in answer.aiter_lines():
                if not line.startswith("data: "):
                    continue
                frame = json.loads(line.removeprefix("data: "))
                types.append(frame["type"])
                if frame["type"] == "assistant":
                    said = said + frame["content"] if frame["streaming"] else frame["content"]
                if said == "".join(WORDS[:4]):
                    speech.release()
                if frame["type"] == "turn_finished":
                    break
    assert said == "".join(WORDS)
    assert (types[0], types.count("turn_finished")) == ("connection", 1)


async def test_tabs_of_one_session_are_at_both_gateways_and_are_given_the_same(
    topology: Topology, stub: StubModel, session_id: str
) -> None:
    """Nothing is sticky."""
    stub.script(session_id, Reply(WORDS))
    async with AsyncExitStack() as stack:
        tabs = await topology.tabs_everywhere(session_id, stack)
        turn_id = await tabs[0].session.send(session_id)
        turns = [await tab.until_finished(turn_id) for tab in tabs]
    assert {turn.answer for turn in turns} == {"".join(WORDS)}
    assert len({tuple(tab.ids()) for tab in tabs}) == 1


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
async def test_a_gateway_goes_in_the_midst_of_an_answer_and_nothing_is_lost(
    topology: Topology, stub: StubModel, session_id: str, how: signal.Signals
) -> None:
    """Killed, or told to stop: its tabs come back through the proxy with their cursor, to the other
    one, and are given what follows."""
    speech = Reply(WORDS, hold_after=4)
    stub.script(session_id, speech)
    async with AsyncExitStack() as stack:
        tabs = await topology.tabs_everywhere(session_id, stack)
        turn_id = await tabs[0].session.send(session_id)
        for tab in tabs:
            while tab.conversation.turns.get(turn_id) is None:
                await tab.next()
        await speech.reached_hold.wait()
        going, staying = topology.gateways
        lost = int(await metric(going, "fanline_tabs"))

        async def leave() -> None:
            going.signal(how)
            assert await going.process.wait() == -how
            speech.release()

        _, *turns = await asyncio.gather(leave(), *(tab.until_finished(turn_id) for tab in tabs))
        assert await metric(staying, "fanline_tabs") == len(tabs)
    for turn in turns:
        assert turn is not None
        assert (turn.status, turn.attempt, turn.answer) == ("completed", 1, "".join(WORDS))
    came_back = [tab for tab in tabs if _times(tab, "connected") > 1]
    assert len(came_back) == lost > 0
    for tab in came_back:
        assert [f["resumed"] for f in tab.frames if f.get("status") == "connected"] == [False, True]
        assert not any(frame.get("reset") for frame in tab.frames)
        assert _times(tab, "disconnected") == (how is signal.SIGTERM)
    await topology.deployment.start_gateway()


async def test_a_gateway_that_is_added_is_found(topology: Topology, session_id: str) -> None:
    """`--scale gateway=3`: nobody tells the proxy."""
    added = await topology.deployment.start_gateway()
    async with AsyncExitStack() as stack:
        await topology.tabs_everywhere(session_id, stack)
        assert await metric(added, "fanline_tabs")
    assert await added.stop() == -signal.SIGTERM


def _times(tab: Tab, status: str) -> int:
    return sum(frame.get("status") == status for frame in tab.frames)
