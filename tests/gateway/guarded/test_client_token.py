"""The Python client and a gateway that wants a token: in with a good one, out with another."""

import pytest
from fanline import Backoff, Event, Forbidden, Refused, Session, Unauthorized, connect

from tests.gateway.log_writer import LogWriter
from tests.gateway.raw_tab import a_session
from tests.gateway.signing_in import OTHER_SECRET, a_token
from tests.support.deployment import Process

NEVER = Backoff(first_seconds=3600, longest_seconds=3600)
"""Whoever waits for this is not back before the test's time-out."""


async def the_next(kind: str, session: Session) -> Event:
    """The next event of this type; others are passed over."""
    async for event in session:
        if event.type == kind:
            return event
    raise AssertionError("the session has ended")


async def test_a_token_that_expires_costs_no_event(gateway: Process, writer: LogWriter) -> None:
    """The first token ends while the session is open; the next is asked for, and the session goes
    on from its cursor: what was written meanwhile comes once."""
    session_id = a_session()
    given: list[str] = []

    def fresh() -> str:
        given.append(a_token(sessions=session_id, seconds=600 if given else 2))
        return given[-1]

    async with connect(gateway.url, session_id, token=fresh, backoff=NEVER) as session:
        first = await writer.say(session_id, "before")
        assert (await the_next("message", session))["message_id"] == first
        assert (await the_next("connection", session))["resumed"] is True
        second = await writer.say(session_id, "after")
        assert (await the_next("message", session))["message_id"] == second
    assert len(given) == 2
    assert not any(token in gateway.log() for token in given)


@pytest.mark.parametrize(
    ("token", "kind"),
    [
        (None, Unauthorized),
        ("not.a.token", Unauthorized),
        (a_token(sessions="*", seconds=-60), Unauthorized),
        (a_token(sessions="*", secret=OTHER_SECRET), Unauthorized),
        (a_token(sessions="another-session", seconds=86_400), Forbidden),  # made at collection
    ],
    ids=["no token", "nonsense", "expired", "signed by others", "of another session"],
)
async def test_whoever_may_not_is_told_why_at_once(
    gateway: Process, token: str | None, kind: type[Refused]
) -> None:
    """In a type of its own and the gateway's words, without the token, and without another try."""
    with pytest.raises(kind, match=r"^the gateway answered 40[13]: .+\.$") as refused:
        async with connect(gateway.url, a_session(), token=token, backoff=NEVER):
            pass
    assert token is None or token not in str(refused.value)
