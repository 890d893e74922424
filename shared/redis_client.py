"""From a URL to a client, and from what a client raises to what it means.

Every write of ours is idempotent or numbered (see the scripts), so the client may send one again
after a time-out: a reply that was lost costs nothing.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from hashlib import sha1
from pathlib import Path
from typing import Any, TypeVar, cast

from redis.exceptions import (
    ClusterDownError,
    NoPermissionError,
    NoScriptError,
    OutOfMemoryError,
    ReadOnlyError,
    ResponseError,
    TimeoutError,
    TryAgainError,
)
from redis.exceptions import ConnectionError as RedisConnectionError

from shared.cluster import connect_cluster
from shared.cluster_url import CLUSTER_SCHEMES, parse_cluster_url
from shared.errors import Unavailable
from shared.keys import SessionKeys
from shared.redis_server import COMMAND_TIMEOUT_SECONDS, Redis, connect_server
from shared.refusals import tell_refusal
from shared.sentinel import SENTINEL_SCHEME, PrimaryPool, parse_sentinel_url

SCRIPTS = Path(__file__).parent / "scripts"
SCRIPT_NAMES = [path.stem for path in SCRIPTS.glob("*.lua") if path.stem != "prelude"]
UNAVAILABLE = (
    RedisConnectionError,
    TimeoutError,
    OSError,
    ReadOnlyError,
    TryAgainError,
    ClusterDownError,
    OutOfMemoryError,
)
"""What the client raises when Redis cannot be asked (restarting, loading, failing over, full,
gone)."""
UNAVAILABLE_WORDS = ("MISCONF", "NOREPLICAS", "BUSY ")
"""The same, for answers that the client has no exception of its own for."""

RefusedByRedis = ResponseError
"""What the client raises when Redis will not do what it was asked (a key of the wrong type)."""

T = TypeVar("T")


def connect_redis(url: str, *, timeout_seconds: float = COMMAND_TIMEOUT_SECONDS) -> Redis:
    """A client for `url` that opens connections when they are needed. Raises `ValueError` for one
    that is not served."""
    if url.startswith(CLUSTER_SCHEMES):
        return connect_cluster(parse_cluster_url(url), timeout_seconds)
    if url.startswith(SENTINEL_SCHEME):
        pool = PrimaryPool(parse_sentinel_url(url), timeout_seconds)
        led = cast(Redis, Redis.from_pool(pool))
        led.timeout_seconds = timeout_seconds
        return led
    if not url.startswith(("redis://", "rediss://", "unix://")):
        raise ValueError(f"REDIS_URL: scheme {url.split(':', 1)[0]!r} is not supported")
    client = connect_server(url, timeout_seconds)
    try:
        if client.tls is not None:
            client.tls.get()
    except OSError as error:  # which does not say which file
        raise ValueError(f"REDIS_URL: its certificates cannot be read: {error}") from error
    return client


async def ask(client: Redis, call: Callable[[], Awaitable[T]], *, blocks_seconds: float = 0) -> T:
    """Await one Redis call, which may block at the server for `blocks_seconds`. Raises
    `Unavailable` where Redis could not be asked or has not answered in time, and
    `RefusedByRedis`."""
    try:
        async with asyncio.timeout(blocks_seconds + client.timeout_seconds):
            return await call()
    except UNAVAILABLE as error:
        _forget_command(error)
        tell_refusal(error)
        raise Unavailable(str(error) or type(error).__name__) from error
    except RefusedByRedis as error:
        _forget_command(error)
        tell_refusal(error)
        if str(error).startswith(UNAVAILABLE_WORDS) or _has_not_run(error):
            raise Unavailable(str(error)) from error
        raise


def _forget_command(error: Exception) -> None:
    """Take out of the text the command that a pipeline has put before it: keys hold whole ids of
    sessions, and errors are logged."""
    _, in_pipeline, reason = str(error).partition(" of pipeline caused error: ")
    if in_pipeline:
        error.args = (reason.strip("(,)").strip("'\""),)


def _has_not_run(error: RefusedByRedis) -> bool:
    """Whether Redis has refused the command itself, for want of a right that may still be given. A
    script that was refused something on its way has done a part of its work: asked again and again,
    it would do that again and again."""
    return isinstance(error, NoPermissionError) and " in script" not in str(error)


@asynccontextmanager
async def one_connection(client: Redis) -> AsyncGenerator[Redis, None]:
    """A client whose calls all go over one connection, to each node where Redis is a cluster. When
    one breaks, the next call over it, or `hold`, raises `Unavailable`, where the common client
    would go on over another one without a word."""
    pinned = client.pinned()
    try:
        await ask(pinned, pinned.initialize)
        yield pinned
    finally:
        await pinned.aclose()


def read_script(name: str) -> str:
    """The text of a script in `shared/scripts`, without the prelude."""
    return (SCRIPTS / f"{name}.lua").read_text()


def _sharded(text: str) -> str:
    """The script as a cluster needs it: what it publishes stays on the node that has the slot. So
    it is another script, with another hash, and no call has to find out where it runs."""
    return text.replace("'PUBLISH'", "'SPUBLISH'")


class Scripts:
    """The scripts in `shared/scripts`, each run by its hash; the prelude stands before each."""

    def __init__(self, client: Redis) -> None:
        self._client = client
        prelude = read_script("prelude")
        self._texts = {name: prelude + read_script(name) for name in SCRIPT_NAMES}
        if client.is_sharded:
            self._texts = {name: _sharded(text) for name, text in self._texts.items()}
        self._hashes: dict[str, str] = {}

    def text(self, name: str) -> str:
        """What the server is given for this script."""
        return self._texts[name]

    async def run(
        self,
        name: str,
        keys: SessionKeys,
        *arguments: str | bytes | int,
        client: Redis | None = None,
    ) -> Any:
        """Run the script `name` on one session, over `client` where one is given. Raises
        `Unavailable`; then it may have run."""
        over = client or self._client
        return await ask(over, lambda: self._run(over, name, keys, arguments))

    async def run_for_word(
        self,
        name: str,
        keys: SessionKeys,
        *arguments: str | bytes | int,
        client: Redis | None = None,
    ) -> list[str]:
        """As `run`, for the scripts that answer with one word and its values."""
        reply = cast(bytes, await self.run(name, keys, *arguments, client=client))
        return reply.decode().split(" ")

    async def _run(
        self, client: Redis, name: str, keys: SessionKeys, arguments: tuple[str | bytes | int, ...]
    ) -> Any:
        names = keys.in_script_order()
        evalsha = cast(Callable[..., Awaitable[Any]], client.evalsha)
        run_text = cast(Callable[..., Awaitable[Any]], client.eval)
        digest = self._hashes.get(name)
        if digest is not None:
            try:
                return await evalsha(digest, len(names), *names, *arguments)
            except NoScriptError:
                pass  # a restarted server has forgotten its scripts: send the text once
        reply = await run_text(self._texts[name], len(names), *names, *arguments)
        self._hashes[name] = sha1(self._texts[name].encode()).hexdigest()
        return reply
