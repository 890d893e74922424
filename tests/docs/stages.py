"""What some commands of our pages need besides a running system: servers, and what went wrong."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, suppress
from uuid import uuid4

from fanline import TurnFailed, connect

from dev.embedded_redis import EmbeddedRedis
from tests.docs.steps import Place
from tests.support.clusters import running_cluster
from tests.support.deployment import deploy
from tests.support.guarded_redis import guarded_redis
from tests.support.redis_users import LOGIN
from tests.support.sentinels import SERVICE, replica_of, under_sentinels

Names = AsyncGenerator[Mapping[str, str], None]
HURRIED = {"MODEL": "demo", "TURN_TIMEOUT": "0.001", "LEASE_SECONDS": "1"}


@asynccontextmanager
async def a_server_with_tls(place: Place) -> Names:
    """With the shipped users; it lets in whoever trusts its certificate and has a password."""
    with guarded_redis(place.folder, "") as server:
        yield {
            "redis.example:6379": f"127.0.0.1:{server.tls_port}",
            "/etc/fanline/redis-ca.pem": str(server.authority.ca.certificate),
            "PASSWORD": LOGIN,
        }


@asynccontextmanager
async def sentinels(place: Place) -> Names:
    """Three, over a primary and its replica."""
    primary = EmbeddedRedis(place.folder / "primary")
    primary.start()
    replica = EmbeddedRedis(place.folder / "replica", options=replica_of(primary.port))
    replica.start()
    try:
        with under_sentinels(place.folder, primary, replica) as watching:
            hosts = watching.url.split("/")[2].split(",")
            names = {f"sentinel-{number}:26379": host for number, host in enumerate(hosts, 1)}
            yield names | {"SERVICE": SERVICE}
    finally:
        replica.stop()
        primary.stop()


@asynccontextmanager
async def a_cluster(place: Place) -> Names:
    """Three masters and their replicas."""
    with running_cluster(place.folder) as cluster:
        nodes = enumerate(cluster.nodes[:3], 1)
        yield {f"node-{number}:6379": f"127.0.0.1:{node.port}" for number, node in nodes}


@asynccontextmanager
async def a_failed_turn(place: Place) -> Names:
    """Failed by a worker that has next to no time for it, and works beside the others."""
    server = EmbeddedRedis(place.folder, port=place.redis_port)
    url, session_id = f"ws://127.0.0.1:{place.gateway_port}/ws", f"failing-{uuid4().hex[:8]}"
    async with deploy(server, place.folder, **HURRIED) as own:
        own.namespace = ""
        await own.start_worker()
        async with connect(url, session_id) as session:
            with suppress(TurnFailed):
                while True:
                    await session.ask("How many patients are there?")
    yield {}
