"""Tokens and tickets that are not good, or not good for this, at every door there is."""

import base64
import json
from collections.abc import Callable
from secrets import token_urlsafe

from tests.abuse.peer import Answer, Header, Headers, request, upgrade
from tests.abuse.target import Tally, Target, address_of, came_from, judged, many

OTHER_SECRET = "a secret that somebody has made up, long enough"
PATIENT = b'{"patient_id":"3f2504e0-4f89-41d3-9a0c-0305e82c3301"}'

Forge = Callable[[Target], str]


def _unsigned(target: Target) -> str:
    return _put_together({"alg": "none", "typ": "JWT"}, {"exp": 2**40, "sessions": "*"}, b"")


def _signed_with_nothing(target: Target) -> str:
    return _put_together({"alg": "HS256", "typ": "JWT"}, {"exp": 2**40, "sessions": "*"}, b"")


def _other_algorithm(target: Target) -> str:
    rest = target.token(sessions="*").partition(".")[2]
    return f"{_part({'alg': 'HS512', 'typ': 'JWT'})}.{rest}"


def _changed_claims(target: Target) -> str:
    head, _, signature = target.token(sessions="mine").split(".")
    return (
        f"{head}.{_part({'exp': 2**40, 'sessions': '*', 'scope': 'operator patient'})}.{signature}"
    )


def _flipped(target: Target) -> str:
    token = target.token(sessions="*")
    return token[:-5] + ("A" if token[-5] != "A" else "B") + token[-4:]


FORGED: dict[str, Forge] = {
    "expired": lambda target: target.token(seconds=-3600, sessions="*", scope="operator patient"),
    "without an end": lambda target: target.token(exp=None, sessions="*"),
    "with an end that is no number": lambda target: target.token(exp="soon", sessions="*"),
    "not yet good": lambda target: target.token(nbf=2**40, sessions="*"),
    "of another secret": lambda target: target.token(secret=OTHER_SECRET, sessions="*"),
    "alg none": _unsigned,
    "alg None": lambda target: _unsigned(target).replace(
        _part({"alg": "none", "typ": "JWT"}), _part({"alg": "None", "typ": "JWT"})
    ),
    "without a signature": _signed_with_nothing,
    "with another algorithm's name": _other_algorithm,
    "with other claims": _changed_claims,
    "with a bit flipped": _flipped,
    "with a key of its own": lambda target: _put_together(
        {"alg": "HS256", "jwk": {"kty": "oct", "k": "AA"}, "jku": "http://evil.example/"},
        {"exp": 2**40, "sessions": "*"},
        b"x" * 32,
    ),
    "with a path for a key": lambda target: _put_together(
        {"alg": "HS256", "kid": "../../dev/null"}, {"exp": 2**40, "sessions": "*"}, b"x" * 32
    ),
    "with a deep head": lambda target: f"{_encode(b'[' * 5000)}.e30.AA",
    "of three dots": lambda target: "...",
    "of nothing but letters": lambda target: "x" * 200,
    "too long": lambda target: "x" * 20_000,
    "not ASCII": lambda target: "\xff\xfe.\xff.\xff",
}
"""Tokens that are no tokens of ours: 401 at every door."""

FOREIGN: dict[str, Forge] = {
    "for another session": lambda target: target.token(sessions="somebody-else"),
    "for a list of others": lambda target: target.token(sessions=["a", "b", "c*"]),
    "for the beginning of another": lambda target: target.token(sessions="other-*"),
    "for the session's first letters": lambda target: target.token(sessions=target.victim[:-1]),
    "for the session in capitals": lambda target: target.token(sessions=target.victim.upper()),
    "for a pattern": lambda target: target.token(sessions="?*"),
    "for nothing": lambda target: target.token(),
    "for an object": lambda target: target.token(sessions={target.victim: True}),
    "with the claim in other letters": lambda target: target.token(Sessions=target.victim),
    "with a scope in a list": lambda target: target.token(scope=["operator", "patient"]),
}
"""Good tokens that do not name the victim and have no scope: 403 at every door."""


def _doors(target: Target, told: Header) -> dict[str, bytes]:
    """Every way to a session, or to what a scope opens, with these headers."""
    victim = target.victim.encode()
    own = (told, (b"Content-Type", b"application/json"))
    return {
        "socket": upgrade(b"session_id=" + victim, (told,)),
        "resume": upgrade(b"session_id=" + victim + b"&last_event_id=1-1", (told,)),
        "ticket": request(b"POST", b"/tickets", own, b'{"session_id":"%s"}' % victim),
        "delete": request(b"DELETE", b"/sessions/" + victim, (told,)),
        "patient": request(b"POST", b"/patient", own, PATIENT),
        "metrics": request(b"GET", b"/metrics", (told,)),
        "openapi": request(b"GET", b"/openapi.json", (told,)),
    }


def _told(token: str, way: int) -> Header:
    """A token in a header: as bearer, or as the cookie that is read."""
    value = token.encode("latin-1")
    return (
        (b"Authorization", b"Bearer " + value)
        if way == 0
        else (b"Cookie", b"fanline_token=" + value)
    )


async def forge(target: Target, times: int) -> Tally:
    """Each token that is none, at each door, as bearer and as cookie."""
    return await _try(target, times, FORGED, {"401"})


async def use_for_others(target: Target, times: int) -> Tally:
    """Each good token that does not name the session, at each door. A cookie opens no socket."""
    return await _try(target, times, FOREIGN, {"403"})


async def _try(target: Target, times: int, tokens: dict[str, Forge], due: set[str]) -> Tally:
    names = list(tokens)
    doors = len(_doors(target, (b"A", b"b")))

    async def one(number: int) -> str:
        name = names[number % len(names)]
        way, number = number // len(names) % 2, number // len(names) // 2
        header = _told(tokens[name](target), way)
        door, data = list(_doors(target, header).items())[number % doors]
        data = _forwarded(data, number)
        allowed = {"401"} if way and door in ("socket", "resume") else due
        if name == "too long" and door in ("socket", "resume"):
            allowed = {"431"}  # a WebSocket's parser takes no such line
        return judged(f"{name}, {door}", f"{(await target.ask(data)).status}", allowed)

    return await many(times, 50, one)


def _forwarded(data: bytes, number: int) -> bytes:
    """The request as it comes from one of many addresses: so no limit answers for the token."""
    line, _, rest = data.partition(b"\r\n")
    name, value = came_from(address_of(number))
    return line + b"\r\n" + name + b": " + value + b"\r\n" + rest


async def guess_tickets(target: Target, times: int) -> Tally:
    """Tickets that nobody was given: of the right shape, of others, many, and none."""
    random = target.random("tickets")

    async def one(number: int) -> str:
        queries = (
            f"&ticket={token_urlsafe(32)}",
            f"&ticket={random.randbytes(16).hex()}",
            "&ticket=",
            "&ticket=%00%0d%0aGET%20x",
            "&ticket=*&ticket=?",
            f"&ticket={'A' * 43}&ticket={'B' * 43}",
            f"&ticket={'x' * 5000}",
            "",
        )
        query = f"session_id={target.victim}{queries[number % len(queries)]}"
        answer = await target.ask(upgrade(query.encode(), (came_from(address_of(number)),)))
        return judged(queries[number % len(queries)][:20], f"{answer.status}", {"401"})

    return await many(times, 50, one)


async def use_tickets_again(target: Target, times: int) -> Tally:
    """Tickets that were given: used once, used again, and used for somebody else's session."""

    async def one(number: int) -> Tally:
        session = f"ticket-{number}"
        told: Headers = (
            target.bearer(sessions=session),
            (b"Content-Type", b"application/json"),
            came_from(address_of(number)),
        )
        body = json.dumps({"session_id": session}).encode()
        given = await target.ask(request(b"POST", b"/tickets", told, body))
        ticket = str(json.loads(given.body)["ticket"])
        other = number % 2 == 1
        first = await _use(target, target.victim if other else session, ticket, number)
        again = await _use(target, session, ticket, number)
        return Tally(
            [
                judged("a ticket", f"{given.status}", {"200"}),
                judged("its use", f"{first.status}", {"403"} if other else {"101"}),
                judged("its second use", f"{again.status}", {"401"}),
            ]
        )

    return await many(times // 3, 50, one)


async def _use(target: Target, session: str, ticket: str, number: int) -> Answer:
    query = f"session_id={session}&ticket={ticket}"
    return await target.ask(upgrade(query.encode(), (came_from(address_of(number)),)))


def _part(fields: object) -> str:
    return _encode(json.dumps(fields, separators=(",", ":")).encode())


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _put_together(head: object, claims: object, signature: bytes) -> str:
    return f"{_part(head)}.{_part(claims)}.{_encode(signature)}"
