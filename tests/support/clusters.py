"""A Redis Cluster for tests: three masters and their replicas, on one machine.

What a test does to it (a master killed, a slot moved) it does by the methods here, and each returns
when all nodes agree on what has become of the cluster.
"""

import signal
import time
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, cast

import redis
from redis.backoff import NoBackoff
from redis.crc import key_slot
from redis.retry import Retry

from dev.embedded_redis import EmbeddedRedis, free_port
from shared.slot_map import SLOTS

MASTERS = 3
NODE_TIMEOUT_MS = 1000
AGREE_SECONDS = 30.0
PAUSE_SECONDS = 0.02
FAILOVER_PAUSE_SECONDS = 0.5
MIGRATE_MS = 2000


def ask_server(port: int, *words: str | int) -> Any:
    """What a server answers. Raises `redis.RedisError`."""
    with redis.Redis(
        port=port, socket_timeout=2, retry=Retry(NoBackoff(), 0), decode_responses=True
    ) as client:
        run = cast(Callable[..., Any], client.execute_command)
        return run(*words)


class Node:
    """One server of the cluster. Its methods wait for the server: an asynchronous test calls them,
    and those of the cluster, in a thread."""

    def __init__(self, folder: Path, program: str) -> None:
        self._bus_port = free_port()
        options = [
            *("--cluster-enabled", "yes", "--cluster-node-timeout", str(NODE_TIMEOUT_MS)),
            *("--cluster-port", str(self._bus_port), "--cluster-replica-validity-factor", "0"),
            *("--cluster-require-full-coverage", "no", "--repl-diskless-sync-delay", "0"),
            *("--cluster-allow-replica-migration", "no", "--repl-ping-replica-period", "1"),
        ]
        self.server = EmbeddedRedis(folder, program=program, options=options)
        self.id = ""

    @property
    def port(self) -> int:
        return self.server.port

    def start(self) -> None:
        self.server.start()
        self.id = self.ask("CLUSTER MYID")

    def meet(self, other: "Node") -> None:
        self.ask("CLUSTER MEET", "127.0.0.1", other.port, other._bus_port)

    def ask(self, *words: str | int) -> Any:
        """What the server answers. Raises `redis.RedisError`."""
        return ask_server(self.port, *words)

    def ask_for_a_copy(self, *words: str) -> Any:
        """What a replica answers from what it has."""
        with redis.Redis(
            port=self.port, single_connection_client=True, decode_responses=True
        ) as client:
            client.readonly()
            run = cast(Callable[..., Any], client.execute_command)
            return run(*words)

    def signal(self, number: int) -> None:
        assert self.server.process is not None
        self.server.process.send_signal(number)

    def role(self) -> list[Any]:
        """What it says about its part in replication; nothing when it does not answer."""
        with suppress(redis.RedisError):
            return self.ask("ROLE")
        return [""]

    def slots(self) -> list[Any]:
        """Who has which slots, as it believes: first, last, master, replicas; nothing when it does
        not answer."""
        with suppress(redis.RedisError):
            return cast(list[Any], self.ask("CLUSTER SLOTS"))
        return []

    def owner_of(self, slot: int) -> int | None:
        """The port of the master that it takes for the owner of the slot."""
        owners = (row[2][1] for row in self.slots() if row[0] <= slot <= row[1])
        return next(owners, None)


class RunningCluster:
    """Six nodes: the first three began as masters, the others as their replicas, in that order."""

    def __init__(self, folder: Path, program: str = "") -> None:
        self.nodes = [Node(folder / f"node-{number}", program) for number in range(2 * MASTERS)]

    @property
    def url(self) -> str:
        """Two of the nodes: a client finds the others."""
        hosts = ",".join(f"127.0.0.1:{node.port}" for node in self.nodes[:2])
        return f"redis+cluster://{hosts}"

    def start(self) -> None:
        """Start the nodes and make them a cluster."""
        with ThreadPoolExecutor() as several:
            list(several.map(Node.start, self.nodes))
        masters, replicas = self.nodes[:MASTERS], self.nodes[MASTERS:]
        for number, master in enumerate(masters):
            first, last = SLOTS * number // MASTERS, SLOTS * (number + 1) // MASTERS - 1
            master.ask("CLUSTER ADDSLOTSRANGE", first, last)
            master.ask("CLUSTER SET-CONFIG-EPOCH", number + 1)
        for node in self.nodes[1:]:
            masters[0].meet(node)
        _until(self._all_know_all, "every node knows every other")
        for master, replica in zip(masters, replicas, strict=True):
            replica.ask("CLUSTER REPLICATE", master.id)
        self.until_whole()

    def stop(self) -> None:
        for node in self.nodes:
            node.server.kill()

    def until_whole(self) -> None:
        """Return when every slot has a master that a replica follows, and all nodes say so."""
        _until(self._is_whole, "the cluster is whole")

    def master_of(self, name: str) -> Node:
        """The node that has this key or channel."""
        slot = key_slot(name.encode())
        return self._one(lambda node: node.owner_of(slot) == node.port)

    def master_urls(self) -> list[str]:
        """Where a test's own plain clients find what there is."""
        return [node.server.url for node in self.masters()]

    def masters(self) -> list[Node]:
        return [node for node in self.nodes if node.role()[0] == "master"]

    def kill(self, node: Node) -> Node:
        """End a master as a crash would; returns the one that has taken its place."""
        return self._lose(node, node.server.kill)

    def freeze(self, node: Node) -> Node:
        """Have a master answer nobody, with its connections open; returns the one that has taken
        its place."""
        return self._lose(node, lambda: node.signal(signal.SIGSTOP))

    def thaw(self, node: Node) -> None:
        """Let it go on: it follows who has taken its place."""
        node.signal(signal.SIGCONT)
        self.until_whole()

    def _lose(self, node: Node, end: Callable[[], None]) -> Node:
        slot = next(row[0] for row in node.slots() if row[2][1] == node.port)
        end()
        others = [other for other in self.nodes if other is not node]

        def successor() -> Node | None:
            owners = {other.owner_of(slot) for other in others}
            return next((new for new in others if owners == {new.port}), None)

        _until(lambda: successor() is not None, "a replica has taken over, and all know it")
        return cast(Node, successor())

    def start_again(self, node: Node) -> None:
        """Start one that was killed: it follows who has taken its place."""
        node.server.start()
        self.until_whole()

    def replica_of(self, master: Node) -> Node:
        return self._one(lambda node: node.role()[2:3] == [master.port])

    def fail_over(self, master: Node) -> Node:
        """Have the replica of a master that is well take its place; returns it."""
        replica = self.replica_of(master)

        def have_changed_places() -> bool:
            # The other masters do not vote for two in a row; who was refused has to be asked again.
            with suppress(redis.ResponseError):  # "I'm a master", by then
                replica.ask("CLUSTER FAILOVER")
            return master.role()[2:3] == [replica.port]

        _until(have_changed_places, "the two have changed places", FAILOVER_PAUSE_SECONDS)
        self.until_whole()
        return replica

    def move_slot(self, name: str, to: Node, meanwhile: Callable[[], None] = lambda: None) -> None:
        """Give the slot of this key to another master, as `redis-cli --cluster reshard` does, and
        call `meanwhile` when its keys have gone and it has not."""
        slot, source = key_slot(name.encode()), self.master_of(name)
        to.ask("CLUSTER SETSLOT", slot, "IMPORTING", source.id)
        source.ask("CLUSTER SETSLOT", slot, "MIGRATING", to.id)
        while keys := cast(list[str], source.ask("CLUSTER GETKEYSINSLOT", slot, 100)):
            source.ask("MIGRATE", "127.0.0.1", to.port, "", 0, MIGRATE_MS, "KEYS", *keys)
        meanwhile()
        for node in dict.fromkeys((to, source, *self.masters())):
            node.ask("CLUSTER SETSLOT", slot, "NODE", to.id)
        _until(lambda: all(node.owner_of(slot) == to.port for node in self.nodes), "all know it")

    def _one(self, condition: Callable[[Node], bool]) -> Node:
        (node,) = filter(condition, self.nodes)
        return node

    def _all_know_all(self) -> bool:
        count = len(self.nodes)
        return all(int(_info(node)["cluster_known_nodes"]) == count for node in self.nodes)

    def _is_whole(self) -> bool:
        roles = [node.role() for node in self.nodes]
        followed = {role[2] for role in roles if role[0] == "slave" and role[3] == "connected"}
        states = {_info(node)["cluster_state"] for node in self.nodes}
        known = [{int(row[2][1]) for row in node.slots() if len(row) > 3} for node in self.nodes]
        agree = all(followed == masters for masters in known)
        return len(followed) == MASTERS and states == {"ok"} and agree


def _info(node: Node) -> dict[str, str]:
    return cast(dict[str, str], node.ask("CLUSTER INFO"))


def _until(condition: Callable[[], bool], what: str, pause: float = PAUSE_SECONDS) -> None:
    deadline = time.monotonic() + AGREE_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {AGREE_SECONDS} s in vain until {what}")
        time.sleep(pause)


@contextmanager
def running_cluster(folder: Path, program: str = "") -> Generator[RunningCluster, None, None]:
    """A cluster that is whole, for the block."""
    cluster = RunningCluster(folder, program)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()
