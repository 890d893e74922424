"""The whole product on a Redis Cluster: sessions on all masters, a master lost, a slot moved."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import AsyncExitStack
from itertools import count
from uuid import uuid4

import pytest

from shared.ids import SessionId
from tests.gateway.signs import readiness
from tests.support.chat import Chat, Tab
from tests.support.clusters import MASTERS, Node, RunningCluster, running_cluster
from tests.support.deployment import Deployment, deploy
from tests.support.eventually import eventually
from tests.support.stub_model import Reply, StubModel

QUICK = {"LEASE_SECONDS": "2", "LINGER_SECONDS": "0.1", "HEADS_SECONDS": "1"}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCluster]:
    with running_cluster(tmp_path_factory.mktemp("cluster")) as running:
        yield running


@pytest.fixture(scope="module")
async def system(
    cluster: RunningCluster, stub: StubModel, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[Deployment, None]:
    """Two gateways and a worker on the cluster; nothing may be left of them."""
    folder = tmp_path_factory.mktemp("system")
    async with deploy(cluster, folder, **stub.environment(), **QUICK) as own:
        await asyncio.gather(own.start_gateway(), own.start_gateway(), own.start_worker())
        yield own
        await own.check_nothing_is_left(await asyncio.to_thread(cluster.master_urls))


@pytest.fixture
async def chats(system: Deployment, stub: StubModel, cluster: RunningCluster) -> list[Chat]:
    """A conversation on each master; the first is not on the one that has the work stream."""

    def spread() -> list[Chat]:
        found: dict[Node, Chat] = {}
        for number in count():
            session_id = f"s-{number}-{uuid4()}"
            channel = system.keys.channel(SessionId(session_id))
            found.setdefault(cluster.master_of(channel), Chat(system, stub, session_id))
            if len(found) == MASTERS:
                turns = cluster.master_of(system.keys.turns())
                return [found[node] for node in sorted(found, key=lambda node: node is turns)]
        raise AssertionError("no end of numbers")

    return await asyncio.to_thread(spread)


async def test_answers_are_whole_on_every_tab_of_every_session(chats: list[Chat]) -> None:
    """Each session is followed on both gateways, and all are answered at the same time."""
    async with AsyncExitStack() as tabs:
        pairs: list[tuple[Chat, Tab, Tab]] = []
        for chat in chats:
            chat.stub.script(chat.session_id, Reply([f"piece {n} " for n in range(20)]))
            one = await tabs.enter_async_context(chat.tab(0))
            two = await tabs.enter_async_context(chat.tab(1))
            pairs.append((chat, one, two))
        sent = [await one.session.send(chat.session_id) for chat, one, _ in pairs]
        for (_, one, two), turn_id in zip(pairs, sent, strict=True):
            answer = "".join(f"piece {n} " for n in range(20))
            assert (await one.until_finished(turn_id)).answer == answer
            assert (await two.until_finished(turn_id)).answer == answer
            assert one.ids() == two.ids()
            assert "reconnecting" not in [frame.get("status") for frame in one.frames]


async def test_each_gateway_listens_to_itself_on_every_node(
    system: Deployment, cluster: RunningCluster
) -> None:
    """So it notices a node from which nothing comes, whatever comes from the others."""
    pattern = system.keys.probe("*").replace("{*}", "*")

    def probes() -> list[int]:
        listed = [node.ask("PUBSUB", "SHARDCHANNELS", pattern) for node in cluster.masters()]
        return [len(names) for names in listed]

    async def each_has_two() -> bool:
        return await asyncio.to_thread(probes) == [2] * MASTERS

    await eventually(each_has_two, "both gateways probe every node")


Loss = Callable[[RunningCluster, Node], object]


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    ("number", "lose", "heal"),
    [
        (0, RunningCluster.freeze, RunningCluster.thaw),
        (-1, RunningCluster.kill, RunningCluster.start_again),
    ],
    ids=["silent, and not that of the work stream", "killed, with the work stream"],
)
async def test_the_loss_of_a_master_in_mid_answer_costs_no_answer(
    chats: list[Chat], cluster: RunningCluster, number: int, lose: Loss, heal: Loss
) -> None:
    """The turn that runs is finished, what is sent after is answered, and those on other masters
    go on while it is away. The gateways stay ready for them."""
    chat, other = chats[number], chats[1]
    chat.stub.script(chat.session_id, mine := Reply(["one ", "two ", "three"], hold_after=2))
    chat.stub.script(other.session_id, its := Reply(["here ", "and ", "there"], hold_after=2))
    victim = await asyncio.to_thread(cluster.master_of, chat.keys.channel)
    async with chat.tab(0) as tab, chat.tab(1) as watcher, other.tab(0) as neighbour:
        turn_id = await tab.session.send(chat.session_id)
        its_id = await neighbour.session.send(other.session_id)
        await asyncio.gather(mine.reached_hold.wait(), its.reached_hold.wait())
        losing = asyncio.create_task(asyncio.to_thread(lose, cluster, victim))
        await tab.until("connection", status="reconnecting")
        its.release()
        assert (await neighbour.until_finished(its_id)).answer == "here and there"
        assert [await readiness(gateway) for gateway in chat.gateways] == [200, 200]
        mine.release()
        await losing
        for one in (tab, watcher):
            assert (await one.until_finished(turn_id)).answer == "one two three"
        again = await tab.ask("and now?")
        assert again.status == "completed"
        await watcher.until_finished(again.turn_id)
        assert tab.conversation.turns == watcher.conversation.turns
        await asyncio.to_thread(heal, cluster, victim)
        assert (await neighbour.ask("still there?")).status == "completed"
    fresh = await chat.fresh_load(1)
    assert fresh.conversation.turns == tab.conversation.turns
    assert [turn.status for turn in fresh.conversation.turns.values()] == ["completed"] * 2


async def test_texts_go_on_where_a_slot_has_moved(
    chats: list[Chat], cluster: RunningCluster
) -> None:
    """In mid-answer, to another master and back."""
    chat = chats[0]
    pieces = [f"piece {n} " for n in range(9)]
    first, second = Reply(pieces[:6], hold_after=3), Reply(pieces[6:], hold_after=1)
    chat.stub.script(chat.session_id, first)
    chat.stub.script("more", second)
    home = await asyncio.to_thread(cluster.master_of, chat.keys.channel)
    away = await asyncio.to_thread(cluster.master_of, chats[1].keys.channel)
    async with chat.tab(0) as tab, chat.tab(1) as watcher:
        for to, content, reply in ((away, chat.session_id, first), (home, "more", second)):
            turn_id = await tab.session.send(content)
            await reply.reached_hold.wait()
            await asyncio.to_thread(cluster.move_slot, chat.keys.channel, to)
            reply.release()
            for one in (tab, watcher):
                assert (await one.until_finished(turn_id)).answer == "".join(reply.chunks)
        assert tab.conversation.turns == watcher.conversation.turns
    assert (await chat.fresh_load()).conversation.turns == tab.conversation.turns
