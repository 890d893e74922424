"""What a handshake says about itself: its session, its origin, its query, its addresses."""

from random import Random
from urllib.parse import quote, quote_from_bytes

from tests.abuse.peer import Header, Headers, Peer, request, upgrade
from tests.abuse.target import Tally, Target, address_of, came_from, judged, many

UNTRUSTED = "127.0.0.2"
"""An address of this machine that is no proxy's."""

INVALID = (
    "", " ", "*", "?", "[]", "a*", "a b", "a\r\nSET x y", "a\x00", "\x00", "/", "a/b", "../a", "..",
    "a:b", ":log", "{a}", "a}", "session:{a}", "a'b", 'a"b', "a;b", "a,b", "a|b", "a%", "a%00",
    "%2e", "a\\b", "a\tb", "a\x7f", "\ufeffa", "a\u200b", "\u202ea", "é", "\uff41", "\u0430",
    "😀", "a" * 129, "a" * 5000, "a=b", "a#b", "<script>", "$(id)", "`id`", "a\n",
    "\na", "a ", " a", "a+b", "~", "@",
)  # fmt: skip


async def name_invalid_sessions(target: Target, times: int) -> Tally:
    """Ids that are none, with a token for everything: the list of REQUIREMENTS C9 to C12, then
    random Unicode; for a socket and for a deletion."""
    random = target.random("sessions")
    texts = [INVALID[n] if n < len(INVALID) else _random_text(random) for n in range(times)]

    async def one(number: int) -> str:
        name = quote(texts[number], safe="")
        told = (target.bearer(sessions="*"), came_from(address_of(number)))
        if number % 4 == 3 and "%2F" not in name and name.strip("."):
            answer = await target.ask(request(b"DELETE", f"/sessions/{name}".encode(), told))
        else:
            answer = await target.ask(upgrade(f"session_id={name}".encode(), told))
        return judged(repr(texts[number])[:40], f"{answer.status}", {"400"})

    return await many(times, 50, one)


def _random_text(random: Random) -> str:
    """Some letters of any script, at least one of which is in no id."""
    letters = [chr(random.choice((random.randrange(0x20, 0x7F), random.randrange(0xA0, 0xD7FF))))
               for _ in range(random.randrange(1, 40))]  # fmt: skip
    return "".join(letters) + random.choice("!*?[]{}/ é:")


ORIGINS = (
    "null", "NULL", "Null", "", " ", "http://", "://", "http:///", "file://", "data:,",
    "about:blank",
    "http://evil.example", "https://evil.example", "http://evil.example:8000", "evil.example",
    "http://app.example.evil.example", "http://evilapp.example", "http://app.example@evil.example",
    "http://evil.example/app.example", "http://evil.example#https://app.example",
    "https://app.example.", "https://app.example:443", "https://app.example:8443",
    "http://app.example", "HTTPS://app.example", "https://APP.example", "https://app.example/",
    "https://app.example https://evil.example", "https://app.example,https://evil.example",
    "https://app.example\thttps://evil.example", "https://\u0430pp.example",
    "https://app\u3002example", "https://app.example%00.evil.example",
    "https://user:secret@app.example", "https://xn--pp-8ma.example",
    "http://gateway.evil.example", "http://evil.example:gateway", "http://gateway:80",
    "http://user@gateway", "http://gateway.", "http://GATEWAY", "http://gateway/", "http://[::1]",
    "http://127.0.0.1", "http://localhost", "http://0.0.0.0", "http://2130706433",
    "moz-extension://0000", "chrome-extension://abcdef", "javascript://gateway",
)  # fmt: skip
"""Of the allowed one (`https://app.example`), of the gateway's own (`http://gateway`), and of none:
each is another than these."""
OWN_SCHEMES = ("javascript://gateway",)
"""The scheme is not looked at: a page with the gateway's own name is the gateway's."""


async def play_origins(target: Target, times: int) -> Tally:
    """Foreign origins that look like ours, for a socket, a ticket and a deletion, with a good
    token. 403 each."""

    async def one(number: int) -> str:
        origin = ORIGINS[number % len(ORIGINS)]
        value = origin.encode("utf-8")
        told: Headers = (
            target.bearer(sessions="*"),
            (b"Origin", value),
            (b"Content-Type", b"application/json"),
            came_from(address_of(number)),
        )
        data = (
            upgrade(b"session_id=origins", told),
            request(b"POST", b"/tickets", told, b'{"session_id":"origins"}'),
            request(b"DELETE", b"/sessions/origins", told),
        )[number // len(ORIGINS) % 3]
        allowed = {"101", "200", "204"} if origin in OWN_SCHEMES else {"403"}
        return judged(f"origin {origin!r}", f"{(await target.ask(data)).status}", allowed)

    return await many(times, 50, one)


def _queries(session: str) -> list[tuple[str, set[str]]]:
    good, once = f"session_id={session}", {"101"}
    return [
        (f"{good}&{good}", {"400"}),
        (f"{good}&session_id=other", {"400"}),
        (f"session_id=other&{good}", {"400"}),
        (f"session_id[]={session}", {"400"}),
        (f"SESSION_ID={session}", {"400"}),
        (f"session%5fid={session}", once),
        (f"session_id={quote(session).replace('q', '%71')}", once),
        (f"session_id=%2571{session}", {"400"}),
        (f"x=1;{good}", {"400"}),
        (f"{good};x=1", {"400"}),
        (f"{good}%00", {"400"}),
        (f"{good}%0d%0aX-Injected:%20yes", {"400"}),
        (f"{good}&token=x", {"400"}),
        (f"{good}&Access_Token=x", {"400"}),
        (f"{good}&&&=&=x&%00=%00", once),
        (f"{good}&last_event_id={'9' * 10_000}-1", {"414", "101"}),
        (f"{good}&last_event_id={'9' * 5_000}-1", once),
        (f"{good}&last_event_id=-1", once),
        (f"{good}&last_event_id=1e9-1", once),
        (f"{good}&last_event_id=9007199254740993-9007199254740993", once),
        (f"{good}&last_event_id=%D9%A1-%D9%A1", once),
        (f"{good}&last_event_id=1-1&last_event_id=*", once),
        (f"{good}&last_event_id=%2b", once),
        (f"{good}&last_event_id=", once),
        ("&".join([good, *(f"p{n}={n}" for n in range(900))]), once),
        (f"?{good}", {"400"}),
        (f"{good}#session_id=other", {"101", "400"}),
        ("%", {"400"}),
        ("session_id=%ff%fe", {"400"}),
        (quote_from_bytes(bytes(range(256)), safe=""), {"400"}),
    ]


async def play_with_queries(target: Target, times: int) -> Tally:
    """Doubled, encoded, shouted, cut, overlong: 400, or the one session that was meant."""
    told = target.bearer(sessions="*")

    async def one(number: int) -> str:
        cases = _queries(f"q-{number}")
        query, allowed = cases[number % len(cases)]
        data = upgrade(query.encode(), (told, came_from(address_of(number))))
        return judged(query[:40], f"{(await target.ask(data)).status}", allowed)

    return await many(times, 50, one)


def _shadows(good: bytes, bad: bytes) -> list[tuple[str, Headers, set[str]]]:
    """Headers of `GET /metrics`: with a good token somewhere, and a bad one somewhere else."""
    auth, jar = b"Authorization", b"Cookie"
    many_cookies: Header = jar, b"; ".join(b"c%d=v" % n for n in range(900))
    good_or_not, no = {"200", "401"}, {"401"}
    bearer: Header = auth, b"Bearer " + good
    return [
        ("two Authorizations", ((auth, b"Bearer " + bad), bearer), good_or_not),
        ("a list of Authorizations", ((auth, b"Bearer " + bad + b", Bearer " + good),), no),
        ("Basic", ((auth, b"Basic " + good),), no),
        ("no scheme", ((auth, good),), no),
        ("Bearer twice", ((auth, b"Bearer Bearer " + good),), no),
        ("a scheme of NBSP", ((auth, b"Bearer\xa0" + good),), no),
        ("two cookies of the name", ((jar, b"fanline_token=" + bad + b"; fanline_token=" + good),),
         good_or_not),
        ("two Cookie lines", ((jar, b"fanline_token=" + bad), (jar, b"fanline_token=" + good)), no),
        ("a cookie's name in capitals", ((jar, b"FANLINE_TOKEN=" + good),), no),
        ("a cookie of a host's prefix", ((jar, b"__Host-fanline_token=" + good),), no),
        ("a cookie in a cookie", ((jar, b'a="; fanline_token=' + bad + b'"'),), no),
        ("nine hundred cookies", (many_cookies,), no),
        ("a cookie of backslashes", ((jar, b'fanline_token="' + b"\\" * 20_000 + b'"'),), no),
        ("a cookie of quoted octals", ((jar, b'fanline_token="' + b"\\012" * 5_000 + b'"'),), no),
        ("a forwarded scheme", (bearer, (b"X-Forwarded-Proto", b"gopher")), {"200"}),
        ("a forwarded host", (bearer, (b"X-Forwarded-Host", b"evil")), {"200"}),
        ("another path", (bearer, (b"X-Original-URL", b"/patient")), {"200"}),
        ("another method", (bearer, (b"X-HTTP-Method-Override", b"DELETE")), {"200"}),
    ]  # fmt: skip


async def shadow_headers(target: Target, times: int) -> Tally:
    """Headers and cookies that come twice, nest, shout or hide: the one that counts, or 401."""
    good = target.token(scope="operator").encode()
    bad = target.token(secret="x" * 40, scope="operator").encode()
    cases = _shadows(good, bad)

    async def one(number: int) -> str:
        name, headers, allowed = cases[number % len(cases)]
        answer = await target.ask(request(b"GET", b"/metrics", headers))
        return judged(name, f"{answer.status}", allowed)

    return await many(times, 20, one)


NO_ADDRESSES = (
    "", "-", "unknown", "localhost", "1.2.3", "1.2.3.4.5", "999.1.1.1", "[::1", "::1%eth0",
    "' OR 1=1", "*", "{a}", "\xff\xfe", "1.2.3.4:" + "9" * 5000, "_hidden", "0x7f.1",
)  # fmt: skip


def _chain(number: int, random: Random) -> str:
    """What a trusted proxy might be made to forward: the last address is the one that it saw."""
    thousand = ", ".join(address_of(random.randrange(2**24)) for _ in range(1000))
    word = NO_ADDRESSES[number % len(NO_ADDRESSES)]
    return (f"{thousand}, 10.66.0.9", f"{word}, 10.66.0.9", f"10.66.0.9:{number}", word)[number % 4]


async def forge_addresses(target: Target, times: int) -> Tally:
    """`X-Forwarded-For` by a peer that no proxy is, which counts as itself; and chains and garbage
    that a trusted one forwards, of which the last counts. All tabs stay open: so the limit of one
    address answers."""
    random = target.random("addresses")
    inside: list[Peer] = []

    async def one(number: int) -> str:
        direct = number % 2 == 0
        told = address_of(number) if direct else _chain(number // 2, random)
        peer, answer = await target.open(
            f"forged-{number}", told, source=UNTRUSTED if direct else ""
        )
        inside.append(peer)
        name = "from elsewhere" if direct else "forwarded"
        return judged(name, f"{answer.status}", {"101", "429"} if direct else {"101", "429", "431"})

    tally = await many(times, 20, one)
    for peer in inside:
        peer.drop()
    return tally
