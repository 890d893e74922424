"""Redis does not let a process in, or not do what it must: what it says, and what becomes of it."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
from redis.exceptions import AuthenticationError, NoPermissionError, ResponseError

from shared.errors import Unavailable
from shared.ids import EntryId, make_turn_id
from shared.redis_client import RefusedByRedis, connect_redis
from shared.refusals import tell_refusal
from tests.shared.one_session import OneSession
from tests.support.certificates import Authority
from tests.support.chat import Chat
from tests.support.deployment import Process, deploy
from tests.support.eventually import eventually
from tests.support.guarded_redis import GuardedRedis, guarded_redis
from tests.support.redis_users import LOGIN, read_rules, setting
from tests.support.stub_model import StubModel
from tests.support.whole_story import SHORT

NAMESPACE = "clinic-2"
USERS = ("gateway", "worker")
TIME_LENGTH = len("2026-01-01 12:00:00,000")
REFUSED = " ERROR shared.refusals: Redis refuses this process: "


@dataclass(frozen=True)
class Trouble:
    """Why Redis does not take a process, and how that ends."""

    words: str
    """Of the line that says so."""
    url_of: Callable[[str], str]
    ends_by: Callable[[str], Sequence[str]]
    """The command that heals it, for a user."""
    begins_by: Callable[[str], Sequence[str]] = lambda user: ["PING"]


def wrong_password(guarded: GuardedRedis) -> Trouble:
    return Trouble(
        words="invalid username-password pair",
        url_of=lambda user: guarded.url_of(user, login="another"),
        ends_by=lambda user: ["ACL", "SETUSER", user, ">another"],
    )


def no_rights(guarded: GuardedRedis) -> Trouble:
    return Trouble(
        words="no permissions",
        begins_by=lambda user: setting(user, [[]]),
        url_of=guarded.url_of,
        ends_by=lambda user: setting(user, read_rules(user, NAMESPACE)),
    )


def unknown_authority(guarded: GuardedRedis) -> Trouble:
    """Of the server's certificate; it gets one that the process trusts."""
    trusted = Authority(guarded.folder, "trusted")
    renewed = trusted.vouch_for("renewed")
    return Trouble(
        words="CERTIFICATE_VERIFY_FAILED",
        url_of=lambda user: guarded.url_of(user, ca=trusted.ca.certificate),
        ends_by=lambda user: [
            *("CONFIG", "SET", "tls-cert-file", str(renewed.certificate)),
            *("tls-key-file", str(renewed.key)),
        ],
    )


def no_certificate_of_its_own(guarded: GuardedRedis) -> Trouble:
    return Trouble(
        words="certificate required",
        begins_by=lambda user: ["CONFIG", "SET", "tls-auth-clients", "yes"],
        url_of=guarded.url_of,
        ends_by=lambda user: ["CONFIG", "SET", "tls-auth-clients", "optional"],
    )


@pytest.fixture
async def own_guarded(tmp_path: Path) -> AsyncGenerator[GuardedRedis, None]:
    """A server whose rules a test may change."""
    (tmp_path / "guarded").mkdir()
    with guarded_redis(tmp_path / "guarded", NAMESPACE) as running:
        yield running


@pytest.mark.timeout(90)
@pytest.mark.parametrize(
    "describe", [wrong_password, no_rights, unknown_authority, no_certificate_of_its_own]
)
async def test_who_is_refused_says_why_once_is_not_ready_and_works_when_it_is_let_in(
    own_guarded: GuardedRedis,
    stub: StubModel,
    tmp_path: Path,
    describe: Callable[[GuardedRedis], Trouble],
) -> None:
    trouble = describe(own_guarded)
    async with deploy(own_guarded, tmp_path, **stub.environment(), **SHORT) as own:
        own.namespace = NAMESPACE
        for user in USERS:
            await own_guarded.ask(*trouble.begins_by(user))
        await own.start_worker(redis_url=trouble.url_of("worker"))
        starting = asyncio.create_task(own.start_gateway(redis_url=trouble.url_of("gateway")))

        def all_have_said_it() -> bool:
            return len(own.processes) == len(USERS) and all(
                any(REFUSED in said and trouble.words in said for said in complaints_of(process))
                for process in own.processes
            )

        await eventually(all_have_said_it, "each has said what is wrong")
        assert not starting.done(), "the gateway is not ready"
        for user in USERS:
            await own_guarded.ask(*trouble.ends_by(user))
        await starting
        chat = Chat(own, stub)
        async with chat.tab() as tab:
            assert (await tab.ask("hello")).answer == "echo: hello"
        for process in own.processes:
            said = complaints_of(process)
            assert len(said) == len(set(said)), "each is said once"
            process.expected_errors.append(REFUSED)
        await own.check_nothing_is_left()


@pytest.fixture
async def limited(session: OneSession) -> AsyncGenerator[OneSession, None]:
    """The same session as a user who may do everything but XADD and SISMEMBER."""
    rights = ["~*", "&*", "+@all", "-xadd", "-sismember"]
    await session.client.execute_command(*setting("limited", [rights]))
    address = session.client.connection_pool.connection_kwargs
    url = f"redis://limited:{LOGIN}@{address['host']}:{address['port']}/0"
    async with connect_redis(url) as client:
        yield OneSession(client, session.deployment)
    await session.client.execute_command("ACL", "DELUSER", "limited")


async def test_a_command_that_is_refused_may_be_asked_again_and_its_key_is_not_told(
    limited: OneSession,
) -> None:
    """Keys hold whole ids of sessions, and what is raised is logged."""
    with pytest.raises(Unavailable, match="no permissions to run the 'sismember'") as refused:
        await limited.inbox.admit(limited.id, make_turn_id())
    assert limited.keys.accepted not in str(refused.value)
    with pytest.raises(Unavailable, match="no permissions"):
        await limited.work_stream.submit(limited.message())


async def test_a_script_that_is_refused_something_on_its_way_is_not_asked_again(
    limited: OneSession,
) -> None:
    """A part of it may have been done, and would be done again and again."""
    with pytest.raises(RefusedByRedis, match="script"):
        await limited.inbox.enqueue(limited.message(), EntryId("1-0"))


async def test_the_same_refusal_is_told_once_a_minute(
    caplog: pytest.LogCaptureFixture,
) -> None:
    words = f"no permissions for {uuid4()}"
    for error in (AuthenticationError(words), NoPermissionError(words), ResponseError(words)):
        tell_refusal(error)
    told = [record.getMessage() for record in caplog.records]
    assert told == [f"Redis refuses this process: {words}"]


def complaints_of(process: Process) -> list[str]:
    """What it has said at WARNING and above, without the times."""
    lines = process.log().splitlines()
    return [line[TIME_LENGTH:] for line in lines if " WARNING " in line or " ERROR " in line]
