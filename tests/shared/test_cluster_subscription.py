"""A subscription to a cluster: its channels are where their slots are, wherever those go."""

import asyncio
from collections.abc import AsyncGenerator, Collection
from contextlib import asynccontextmanager

import pytest

from shared.keys import Keys
from shared.redis_client import Redis, ask, connect_redis
from shared.subscription import Subscription
from shared.subscription_line import Batch
from tests.shared.one_session import OneSession, a_namespace
from tests.support.clusters import MASTERS, Node, RunningCluster
from tests.support.eventually import eventually


class Told:
    """A listener that writes down what it is told."""

    def __init__(self) -> None:
        self.texts: list[tuple[str, str]] = []
        self.lost: list[str] = []
        self.restored: list[str] = []

    def on_batch(self, batch: Batch) -> None:
        for channel, payloads in batch.items():
            self.texts += [(channel.decode(), payload.decode()) for payload in payloads]

    def on_lost(self) -> None:
        raise AssertionError("a cluster is lost in parts")

    def on_restored(self) -> None:
        raise AssertionError("a cluster is restored in parts")

    def on_part_lost(self, channels: Collection[bytes]) -> None:
        self.lost += sorted(channel.decode() for channel in channels)

    def on_part_restored(self, channels: Collection[bytes]) -> None:
        self.restored += sorted(channel.decode() for channel in channels)


class Scene:
    """A subscription to channels on every master."""

    def __init__(self, cluster: RunningCluster, client: Redis, told: Told) -> None:
        self.cluster = cluster
        self.client = client
        self.told = told
        self.subscription = Subscription(client, told)
        keys = a_namespace()
        self.channels = [OneSession(client, keys, f"s-{n}").keys.channel for n in range(12)]

    def on_one_master(self) -> list[str]:
        """The channels on the master of the first."""
        node = self.client.node_of(self.channels[0])
        return sorted(name for name in self.channels if self.client.node_of(name) is node)

    def at(self, node: Node) -> list[str]:
        """The channels at this node."""
        owners = {name: self.client.node_of(name) for name in self.channels}
        return [name for name, own in owners.items() if own and own.address[1] == node.port]

    async def listed_at(self, node: Node) -> list[str]:
        """The channels that are subscribed there."""
        return sorted(await asyncio.to_thread(node.ask, "PUBSUB", "SHARDCHANNELS"))

    def node(self, channel: str) -> Node:
        return self.cluster.master_of(channel)

    async def publish(self, *texts: str) -> None:
        """To every channel."""
        for text in texts:
            for channel in self.channels:
                await self.say(channel, text)

    async def say(self, channel: str, text: str) -> None:
        await ask(self.client, lambda: self.client.publish(channel, text))

    async def hears_all(self, text: str) -> None:
        """What is published to any channel arrives, and once."""
        self.told.texts.clear()
        await self.publish(text)
        wanted = [(channel, text) for channel in self.channels]
        await eventually(lambda: sorted(self.told.texts) == sorted(wanted), f"{text} has come")

    async def until_restored(self, channels: list[str]) -> None:
        await eventually(
            lambda: sorted(self.told.restored) == sorted(channels), "they are restored", timeout=20
        )
        assert sorted(self.told.lost) == sorted(channels)
        assert self.subscription.is_connected


@asynccontextmanager
async def a_scene(cluster: RunningCluster, told: Told) -> AsyncGenerator[Scene, None]:
    async with connect_redis(cluster.url) as client:
        scene = Scene(cluster, client, told)
        running = asyncio.create_task(scene.subscription.run())
        try:
            await asyncio.gather(*map(scene.subscription.subscribe, scene.channels))
            assert len({scene.client.node_of(name) for name in scene.channels}) == MASTERS
            yield scene
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


@pytest.fixture
async def scene(cluster: RunningCluster) -> AsyncGenerator[Scene, None]:
    async with a_scene(cluster, Told()) as own:
        yield own


async def test_what_is_published_on_any_node_arrives(scene: Scene) -> None:
    """Over one connection to each node, which has subscribed what is in its slots."""
    await scene.hears_all("hello")
    texts = [f"text {number}" for number in range(50)]
    scene.told.texts.clear()
    await scene.publish(*texts)
    await eventually(lambda: len(scene.told.texts) == 50 * len(scene.channels), "all have come")
    for channel in scene.channels:
        assert [text for name, text in scene.told.texts if name == channel] == texts
    assert scene.told.lost == scene.told.restored == []
    for node in await asyncio.to_thread(scene.cluster.masters):
        assert await scene.listed_at(node) == sorted(scene.at(node))


async def test_events_of_scripts_arrive(scene: Scene) -> None:
    """What is appended is published where its log is, to those who listen there and to no other."""
    keys = Keys(scene.channels[0].split(":")[0])
    for number in range(12):
        await OneSession(scene.client, keys, f"s-{number}").submit(f"message {number}")
    await eventually(lambda: len(scene.told.texts) == 12, "all have come")
    for number, channel in enumerate(scene.channels):
        (text,) = [text for name, text in scene.told.texts if name == channel]
        assert f'"content":"message {number}"' in text
    await scene.client.delete(keys.turns())


async def test_a_channel_follows_its_slot(scene: Scene) -> None:
    """Nobody else's channels are lost with it, and it may come back."""
    moving = scene.channels[0]
    home = await asyncio.to_thread(scene.node, moving)
    away = next(n for n in await asyncio.to_thread(scene.cluster.masters) if n is not home)
    for to in (away, home):
        await asyncio.to_thread(scene.cluster.move_slot, moving, to)
        await scene.until_restored([moving])
        await scene.hears_all(f"at {to.port}")
        scene.told.lost.clear()
        scene.told.restored.clear()


@pytest.mark.parametrize("cluster", [""], ids=["valkey"], indirect=True)
async def test_channels_of_a_master_that_dies_are_found_at_its_replica(scene: Scene) -> None:
    concerned = scene.on_one_master()
    others = [name for name in scene.channels if name not in concerned]
    victim = await asyncio.to_thread(scene.node, concerned[0])
    dying = asyncio.create_task(asyncio.to_thread(scene.cluster.kill, victim))
    await eventually(lambda: sorted(scene.told.lost) == concerned, "the loss is told")
    for channel in others:
        await scene.say(channel, "goes on")
    await eventually(lambda: len(scene.told.texts) == len(others), "the others are heard")
    await dying
    await scene.until_restored(concerned)
    await scene.hears_all("again")
    await asyncio.to_thread(scene.cluster.start_again, victim)
    await scene.hears_all("after all")


async def test_channels_of_a_master_that_steps_back_are_found_at_its_successor(
    scene: Scene,
) -> None:
    """It lives on as a replica, takes subscriptions, and may hear nothing."""
    concerned = scene.on_one_master()
    master = await asyncio.to_thread(scene.node, concerned[0])
    successor = await asyncio.to_thread(scene.cluster.fail_over, master)
    await scene.until_restored(concerned)
    await scene.hears_all("there")
    assert await scene.listed_at(successor) == concerned


async def test_who_is_sent_away_is_not_placed_by_an_answer_that_is_older(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old master would take the channels again, as a replica."""
    concerned = scene.on_one_master()
    master = await asyncio.to_thread(scene.node, concerned[0])
    answered, may_be_heard = asyncio.Event(), asyncio.Event()
    look_again = scene.client.look_again

    async def look_again_slowly(first: Redis | None = None) -> None:
        await look_again(first)
        answered.set()
        await may_be_heard.wait()

    monkeypatch.setattr(scene.client, "look_again", look_again_slowly)
    other = next(n for n in await asyncio.to_thread(scene.cluster.masters) if n is not master)
    await asyncio.to_thread(other.ask, "CLIENT KILL", "TYPE", "PUBSUB")
    await answered.wait()
    successor = await asyncio.to_thread(scene.cluster.fail_over, master)
    await eventually(lambda: set(concerned) <= set(scene.told.lost), "they are sent away")
    may_be_heard.set()
    await eventually(lambda: sorted(scene.told.restored) == sorted(scene.told.lost), "all are back")
    await scene.hears_all("there")
    assert await scene.listed_at(successor) == concerned


async def test_connections_that_are_cut_are_made_again(scene: Scene) -> None:
    for node in await asyncio.to_thread(scene.cluster.masters):
        await asyncio.to_thread(node.ask, "CLIENT KILL", "TYPE", "PUBSUB")
    await scene.until_restored(scene.channels)
    await scene.hears_all("again")


async def test_an_unsubscribed_channel_is_left_wherever_it_is(scene: Scene) -> None:
    for channel in scene.channels:
        scene.subscription.unsubscribe(channel)

    async def nobody_listens() -> bool:
        nodes = await asyncio.to_thread(scene.cluster.masters)
        return not any([await scene.listed_at(node) for node in nodes])

    await eventually(nobody_listens, "all are left")
    await asyncio.gather(*map(scene.subscription.subscribe, scene.channels))
    await scene.hears_all("again")


async def test_a_listener_that_knows_no_parts_is_told_of_the_whole(cluster: RunningCluster) -> None:
    class Simple:
        lost = restored = 0

        def on_batch(self, batch: Batch) -> None: ...

        def on_lost(self) -> None:
            self.lost += 1

        def on_restored(self) -> None:
            self.restored += 1

    simple = Simple()
    async with connect_redis(cluster.url) as client:
        subscription = Subscription(client, simple)
        running = asyncio.create_task(subscription.run())
        await subscription.subscribe("{a}")
        assert (simple.lost, simple.restored) == (0, 0)
        subscription.reconnect()
        await eventually(lambda: (simple.lost, simple.restored) == (1, 2), "both are told")
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
