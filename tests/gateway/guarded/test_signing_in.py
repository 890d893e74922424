"""With AUTH_MODE=jwt, no session is readable or writable by a token that does not name it."""

import asyncio
import base64
import json
from typing import Any

import jwt
import pytest

from tests.gateway.log_writer import LogWriter
from tests.gateway.raw_tab import a_session
from tests.gateway.signing_in import (
    OTHER_SECRET,
    SECRET,
    a_ticket,
    a_token,
    ask_for_ticket,
    bearer,
    cookie,
    handshake,
    with_ticket,
)
from tests.support.deployment import Deployment, Process


@pytest.mark.parametrize("named", ["id", "list", "prefix", "list of prefixes", "everything"])
async def test_a_token_opens_the_sessions_that_it_names(gateway: Process, named: str) -> None:
    """A claim is one id, a list, or a prefix."""
    session_id = a_session()
    names = {
        "id": session_id,
        "list": ["s-else", session_id],
        "prefix": f"{session_id[:12]}*",
        "list of prefixes": ["else-*", f"{session_id[:12]}*"],
        "everything": "*",
    }
    async with with_ticket(gateway, session_id, a_token(sessions=names[named])) as tab:
        await tab.until("connection", status="connected")
        assert (await tab.is_usable())["session_id"] == session_id


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"sessions": []},
        {"sessions": ""},
        {"sessions": None},
        {"sessions": 7},
        {"sessions": {"s": 1}},
        {"sessions": [1, None, True]},
        {"sessions": "s-"},
        {"sessions": "other-*"},
        {"sessions": ["s", "S-*"]},
        {"session": "*"},
        {"sub": "*", "scope": "operator patient"},
    ],
    ids=str,
)
async def test_a_token_that_does_not_name_the_session_gets_no_ticket(
    gateway: Process, claims: dict[str, Any]
) -> None:
    """Neither a ticket nor, as a script, a socket."""
    session_id = a_session()
    token = a_token(**claims)
    answer = await ask_for_ticket(gateway, session_id, bearer(token))
    assert answer.status_code == 403
    assert "token" in answer.json()["detail"]
    status, _ = await handshake(gateway, f"session_id={session_id}", **bearer(token))
    assert status == 403


def forged_tokens() -> dict[str, str]:
    """What somebody may try who has not got the secret."""
    good = a_token(sessions="*")
    head, body, signature = good.split(".")

    def word(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    return {
        "another secret": a_token(sessions="*", secret=OTHER_SECRET),
        "expired": a_token(sessions="*", seconds=-1),
        "no expiry": jwt.encode({"sessions": "*"}, SECRET, "HS256"),
        "expiry that is no number": jwt.encode({"exp": "never", "sessions": "*"}, SECRET, "HS256"),
        "no signature": f"{head}.{body}.",
        "no algorithm": f"{word({'alg': 'none', 'typ': 'JWT'})}.{body}.",
        "no algorithm, signed": f"{word({'alg': 'None'})}.{body}.{signature}",
        "another algorithm": jwt.encode({"exp": 2**40, "sessions": "*"}, SECRET, "HS512"),
        "another body": f"{head}.{word({'exp': 2**40, 'sessions': '*'})}.{signature}",
        "cut": good[:-1],
        "longer": good + "A" * 7500,
        "a word": "token",
        "dots": "..",
        "not yet": a_token(sessions="*", nbf=2**40),
    }


@pytest.mark.parametrize("kind", forged_tokens())
async def test_a_forged_or_expired_token_is_refused_everywhere(gateway: Process, kind: str) -> None:
    """401, with a sentence and without a word of what was wrong with the signature."""
    token, session_id = forged_tokens()[kind], a_session()
    for headers in (bearer(token), cookie(token)):
        answer = await ask_for_ticket(gateway, session_id, headers)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"
        expired = "Your token has expired."
        assert answer.json()["detail"] == (
            expired if kind == "expired" else "Your token is not valid here."
        )
    status, _ = await handshake(gateway, f"session_id={session_id}", **bearer(token))
    assert status == 401


async def test_a_ticket_opens_one_socket_of_its_session_once_on_any_gateway(
    guarded: Deployment, gateway: Process
) -> None:
    session_id, other = a_session(), a_session()
    token = a_token(sessions=[session_id, other])
    ticket = await a_ticket(gateway, session_id, token)
    elsewhere = guarded.processes[1]
    assert await handshake(elsewhere, f"session_id={session_id}&ticket={ticket}") == (101, "")
    for again in (gateway, elsewhere):
        status, sentence = await handshake(again, f"session_id={session_id}&ticket={ticket}")
        assert (status, "ticket" in sentence) == (401, True)
    ticket = await a_ticket(gateway, session_id, token)
    assert (await handshake(gateway, f"session_id={other}&ticket={ticket}"))[0] == 403
    assert (await handshake(gateway, f"session_id={session_id}&ticket={ticket}"))[0] == 401


async def test_two_that_use_one_ticket_at_once_get_one_socket(gateway: Process) -> None:
    session_id = a_session()
    ticket = await a_ticket(gateway, session_id, a_token(sessions=session_id))
    query = f"session_id={session_id}&ticket={ticket}"
    answers = await asyncio.gather(*(handshake(gateway, query) for _ in range(8)))
    assert sorted(status for status, _ in answers) == [101, *[401] * 7]


@pytest.mark.parametrize("ticket", ["", "x", "A" * 43, "*" * 43, "A" * 5000, "%00" * 43])
async def test_a_ticket_that_nobody_gave_opens_nothing(gateway: Process, ticket: str) -> None:
    status, _ = await handshake(gateway, f"session_id={a_session()}&ticket={ticket}")
    assert status == 401


async def test_no_token_is_read_from_a_url(gateway: Process) -> None:
    """It would stand in every log on its way; the sentence says what to do instead."""
    session_id = a_session()
    token = a_token(sessions="*")
    for name in ("token", "access_token", "Token", "jwt", "authorization"):
        status, sentence = await handshake(gateway, f"session_id={session_id}&{name}={token}")
        assert (status, "/tickets" in sentence) == (400, True)


async def test_a_socket_without_ticket_or_with_a_cookie_alone_is_refused(gateway: Process) -> None:
    """A browser sends its cookies along, whichever page asks."""
    token = a_token(sessions="*")
    query = f"session_id={a_session()}"
    assert (await handshake(gateway, query))[0] == 401
    assert (await handshake(gateway, query, **cookie(token)))[0] == 401
    assert (await handshake(gateway, f"{query}&ticket=a&ticket=b"))[0] == 401
    assert (await handshake(gateway, query, Authorization=f"Basic {token}"))[0] == 401
    assert (await handshake(gateway, query, **bearer(token)))[0] == 101


async def test_a_token_that_ends_closes_its_socket_and_the_cursor_goes_on(
    gateway: Process, writer: LogWriter
) -> None:
    """4401; with a new token and the cursor nothing is lost and nothing comes twice."""
    session_id = a_session()
    await writer.say(session_id, "one")
    short = a_token(sessions=session_id, seconds=1.5)
    async with with_ticket(gateway, session_id, short) as tab:
        await tab.until_contents("one")
        assert await tab.close_frame() == (4401, "token expired")
    await writer.say(session_id, "two")
    assert (await ask_for_ticket(gateway, session_id, bearer(short))).status_code == 401
    cursor, fresh = tab.events[-1]["id"], a_token(sessions=session_id)
    async with with_ticket(gateway, session_id, fresh, last_event_id=cursor) as tab:
        assert (await tab.next())["resumed"] is True
        await tab.until_contents("two")
