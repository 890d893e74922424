"""Signing in: a fresh token at every handshake, in one header and nowhere else."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from fake_gateway import NEVER, QUICK, FakeGateway, fake_gateway
from fanline import Backoff, FanlineError, Forbidden, Refused, Token, Unauthorized, connect

TURN = "5b1c1c1e-8f1e-4a51-9d6d-0d4a40a1a000"
SECRET = "header.claims.signature"


@dataclass(frozen=True)
class Watched(Backoff):
    """Waits hardly at all, and tells after how many failures it was asked."""

    asked: list[int] = field(default_factory=lambda: [])

    def delay(self, failures: int) -> float:
        self.asked.append(failures)
        return 0.001


def numbered() -> Callable[[], str]:
    """Tokens that tell how many were asked for before."""
    numbers = iter(range(100))
    return lambda: f"token-{next(numbers)}"


def numbered_later() -> Token:
    give = numbered()

    async def give_later() -> str:
        await asyncio.sleep(0)
        return give()

    return give_later


async def test_a_token_is_sent_in_a_header_and_not_in_the_address(gateway: FakeGateway) -> None:
    async with connect(gateway.url, "s", token=SECRET, backoff=QUICK):
        socket = await gateway.next_socket()
        assert socket.headers.get_all("Authorization") == [f"Bearer {SECRET}"]
        assert SECRET not in socket.path


async def test_without_a_token_nothing_is_said_of_one(gateway: FakeGateway) -> None:
    async with connect(gateway.url, "s", backoff=QUICK):
        assert "Authorization" not in (await gateway.next_socket()).headers


@pytest.mark.parametrize("make", [numbered, numbered_later])
async def test_a_function_gives_a_fresh_token_for_each_connection(
    gateway: FakeGateway, make: Callable[[], Token]
) -> None:
    async with connect(gateway.url, "s", token=make(), backoff=QUICK) as session:
        for number in range(3):
            reading = asyncio.create_task(anext(session))
            socket = await gateway.next_socket()
            assert socket.headers["Authorization"] == f"Bearer token-{number}"
            await socket.greet()
            await reading
            socket.vanish()


async def test_a_token_that_has_expired_is_replaced_at_once_and_the_session_resumes(
    gateway: FakeGateway,
) -> None:
    async with connect(gateway.url, "s", token=numbered(), backoff=NEVER) as session:
        socket = await gateway.next_socket()
        await socket.greet("7-1")
        await socket.say("7-1", TURN, "t", "x")
        await anext(session)
        await anext(session)
        turn_id = await session.send("kept")
        await socket.close(4401)
        reading = asyncio.create_task(anext(session))
        socket = await gateway.next_socket()
        assert socket.headers["Authorization"] == "Bearer token-1"
        assert socket.last_event_id == "7-1"
        assert (await socket.next())["message_id"] == turn_id
        reading.cancel()


async def test_tokens_that_are_over_at_once_make_no_busy_loop(gateway: FakeGateway) -> None:
    """Only the first is replaced without a wait."""
    backoff = Watched()
    async with connect(gateway.url, "s", token=numbered(), backoff=backoff) as session:
        reading = asyncio.create_task(anext(session))
        for _ in range(4):
            await (await gateway.next_socket()).close(4401)
        await gateway.next_socket()
        assert backoff.asked == [1, 2, 3]
        reading.cancel()


@pytest.mark.parametrize(("status", "kind"), [(401, Unauthorized), (403, Forbidden)])
async def test_a_refusal_has_a_type_and_the_gateway_s_words_and_is_not_tried_again(
    gateway: FakeGateway, status: int, kind: type[Refused]
) -> None:
    gateway.refusals, gateway.refusal = [status], '{"detail": "Not with this token."}'
    with pytest.raises(kind, match=rf"{status}: Not with this token\."):
        async with connect(gateway.url, "s", token=SECRET, backoff=QUICK):
            pass
    assert gateway.has_no_other_socket()


@pytest.mark.parametrize("body", ["<html>", "[]", '{"detail": 7}', "{}", "[" * 20_000])
async def test_a_refusal_in_somebody_else_s_words_is_told_by_its_status(
    gateway: FakeGateway, body: str
) -> None:
    gateway.refusals, gateway.refusal = [401], body
    with pytest.raises(Unauthorized, match=r"^the gateway answered 401$"):
        async with connect(gateway.url, "s", backoff=QUICK):
            pass


async def test_a_token_that_is_refused_in_mid_session_ends_the_iteration(
    gateway: FakeGateway,
) -> None:
    async with connect(gateway.url, "s", token=SECRET, backoff=QUICK) as session:
        socket = await gateway.next_socket()
        gateway.refusals = [401]
        await socket.close(4401)
        with pytest.raises(Unauthorized):
            await anext(session)


@pytest.mark.parametrize("bad", ["", "two words", "line\r\nX-Evil: 1", "tab\t", "ü"])
async def test_what_cannot_be_a_token_is_not_sent(gateway: FakeGateway, bad: str) -> None:
    with pytest.raises(FanlineError, match="not a token") as refused:
        async with connect(gateway.url, "s", token=bad, backoff=QUICK):
            pass
    assert not bad or bad not in str(refused.value)
    assert gateway.has_no_other_socket()


@pytest.mark.parametrize("kind", [ConnectionError, TimeoutError, KeyError])
async def test_what_the_function_raises_ends_the_iteration(
    gateway: FakeGateway, kind: type[Exception]
) -> None:
    """Also an error that a connection could have had."""

    def give() -> str:
        raise kind("the identity provider is away")

    with pytest.raises(kind, match="identity provider"):
        async with connect(gateway.url, "s", token=give, backoff=QUICK):
            pass


async def test_a_redirect_to_another_host_does_not_take_the_token_along(
    gateway: FakeGateway,
) -> None:
    async with fake_gateway() as another:
        gateway.refusals, gateway.location = [302], f"{another.url}?session_id=s"
        async with connect(gateway.url, "s", token=SECRET, backoff=QUICK):
            assert "Authorization" not in (await another.next_socket()).headers


async def test_the_token_is_in_no_log_and_in_no_repr(
    gateway: FakeGateway, caplog: pytest.LogCaptureFixture
) -> None:
    """Not at DEBUG either, at which the other headers are written."""
    with caplog.at_level(logging.DEBUG):
        gateway.refusals = [401]
        with pytest.raises(Unauthorized) as refused:
            async with connect(gateway.url, "s", token=SECRET, backoff=QUICK):
                pass
        async with connect(gateway.url, "s", token=SECRET, backoff=QUICK) as session:
            await gateway.next_socket()
    sent = [record.getMessage() for record in caplog.records if record.name == "fanline.socket"]
    assert any("Sec-WebSocket-Key" in text for text in sent)
    told = [*sent, repr(session), repr(vars(session)), repr(refused.value)]
    assert not any(SECRET in text for text in told)
