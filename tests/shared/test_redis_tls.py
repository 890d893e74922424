"""The product on a Redis with TLS, users and passwords: Debian's server, for the embedded one has
no TLS."""

import asyncio
import os
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
import redis.asyncio as redis_asyncio
from redis.asyncio.connection import SSLConnection
from redis.exceptions import AuthenticationError

from agent_worker.failed_turns import make_retry_id
from shared.redis_client import connect_redis
from shared.tls import KeptContext
from tests.agent_worker.failed_command import run
from tests.support.chat import Chat
from tests.support.deployment import Deployment, Process, deploy
from tests.support.guarded_redis import GuardedRedis, guarded_redis
from tests.support.redis_users import PASSWORD
from tests.support.stub_model import Reply, StubModel
from tests.support.whole_story import LIMITS, SHORT, tell_whole_story

NAMESPACE = "clinic-1"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GuardedRedis]:
    with guarded_redis(tmp_path_factory.mktemp("guarded"), NAMESPACE) as running:
        yield running


@pytest.fixture
async def deployment(
    guarded: GuardedRedis, stub: StubModel, tmp_path: Path
) -> AsyncGenerator[Deployment, None]:
    """An empty one; its processes are given a URL by the test."""
    async with deploy(guarded, tmp_path, **stub.environment(), **SHORT) as own:
        own.namespace = NAMESPACE
        await guarded.ask("ACL", "LOG", "RESET")
        yield own
        await own.check_nothing_is_left()


@pytest.mark.timeout(120)
async def test_a_whole_story_goes_through_with_no_right_missing(
    guarded: GuardedRedis, deployment: Deployment, stub: StubModel
) -> None:
    """Over TLS, the gateways with certificates of their own; Redis has refused nobody anything.
    Reading rests for so long that it does so in the story."""
    own = guarded.authority.vouch_for("gateway")

    async def start_gateway() -> Process:
        url = guarded.url_of("gateway", own=own)
        return await deployment.start_gateway(redis_url=url, REST_SECONDS="0.1", **LIMITS)

    async def start_worker() -> Process:
        return await deployment.start_worker(redis_url=guarded.url_of("worker"))

    await tell_whole_story(Chat(deployment, stub), start_gateway, start_worker)
    assert await guarded.ask("ACL", "LOG") == []


async def test_engineers_see_with_redis_cli_what_failed_and_try_it_again(
    guarded: GuardedRedis, deployment: Deployment, stub: StubModel
) -> None:
    """Each as a user who may do no more than that."""
    await deployment.start_gateway(redis_url=guarded.url_of("gateway"))
    await deployment.start_worker(redis_url=guarded.url_of("worker"))
    chat = Chat(deployment, stub)
    stub.script(chat.session_id, Reply(["better"], status=400, failing_tries=1))
    async with chat.tab() as tab:
        turn = await tab.ask(chat.session_id)
        assert turn.status == "failed"
        log = await redis_cli(guarded, "XREVRANGE", chat.keys.log, "+", "-", "COUNT", "1")
        assert '"status":"failed"' in log
        assert chat.keys.channel in await redis_cli(guarded, "PUBSUB", "CHANNELS", "*")
        assert "NOPERM" in await redis_cli(guarded, "GET", chat.keys.history)
        await guarded.ask("ACL", "LOG", "RESET")
        url = guarded.url_of("operator")
        status, lines = await run(deployment, "--retry", "all", REDIS_URL=url)
        assert (status, len(lines)) == (0, 1)
        again = await tab.until_finished(make_retry_id(turn.turn_id))
        assert again.answer == "better"
    assert await guarded.ask("ACL", "LOG") == []


async def redis_cli(guarded: GuardedRedis, *words: str) -> str:
    """What it prints for the observer."""
    options = ["--tls", "--cacert", str(guarded.authority.ca.certificate), "--user", "observer"]
    process = await asyncio.create_subprocess_exec(
        *("redis-cli", "-p", str(guarded.tls_port), *options, *words),
        env={**os.environ, "REDISCLI_AUTH": PASSWORD},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    printed, _ = await process.communicate()
    return printed.decode()


@pytest.mark.parametrize("url", ["redis://", "redis://default@", "redis://gateway:wrong@"])
async def test_nobody_is_let_in_who_has_no_user_and_password(
    guarded: GuardedRedis, url: str
) -> None:
    async with redis_asyncio.from_url(f"{url}127.0.0.1:{guarded.server.port}/0") as stranger:
        with pytest.raises(AuthenticationError):
            await cast(Any, stranger).ping()


async def test_connections_share_a_context_which_is_made_anew_now_and_then(
    guarded: GuardedRedis,
) -> None:
    """It takes thirty milliseconds, and its files may have changed."""
    async with connect_redis(guarded.url_of("gateway")) as client:
        one, two = (client.connection_pool.make_connection() for _ in range(2))
        kept = one.ssl_context.get()
        assert two.ssl_context.get() is kept
        options = SSLConnection(ssl_ca_certs=str(guarded.authority.ca.certificate)).ssl_context
        context = KeptContext(options, keep_seconds=0)
        assert context.get() is not context.get()


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("redis://:zx9/q@localhost", "not a URL of a server"),
        ("rediss://localhost?ssl_ca_cert=x", "not all of its options make sense: ssl_ca_cert"),
        ("rediss://localhost?ssl_cert_reqs=maybe", "options make sense: ssl_cert_reqs"),
        ("redis://localhost?ssl_ca_certs=x", "options make sense: ssl_ca_certs"),
        ("rediss://localhost?ssl_ca_certs=/no/such/file", "its certificates cannot be read"),
    ],
)
def test_a_url_that_makes_no_sense_is_told_at_the_start(url: str, words: str) -> None:
    with pytest.raises(ValueError, match=words) as told:
        connect_redis(url)
    assert "zx9" not in str(told.value)
