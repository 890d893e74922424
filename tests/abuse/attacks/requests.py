"""HTTP as no client writes it: what is smuggled, doubled, cut short, or of another age."""

from collections.abc import Sequence
from itertools import product

from tests.abuse.peer import Cut, Header, Peer, request, upgrade
from tests.abuse.target import Tally, Target, judged, many

NOWHERE = ("400", "404")
GET = b"GET /healthz HTTP/1.1\r\nHost: a\r\n"
POST = b"POST /tickets HTTP/1.1\r\nHost: a\r\n"
SMUGGLED = b"GET /healthz HTTP/1.1\r\nHost: b\r\nX-Smuggled: yes\r\n\r\n"

Case = tuple[str, bytes, Sequence[str]]

SMUGGLING: tuple[Case, ...] = (
    ("two lengths", POST + b"Content-Length: 0\r\nContent-Length: 60\r\n\r\n", ("400",)),
    ("the same length twice", POST + b"Content-Length: 0\r\nContent-Length: 0\r\n\r\n", ("400",)),
    ("a list of lengths", POST + b"Content-Length: 0, 60\r\n\r\n", ("400",)),
    ("a length with a sign", POST + b"Content-Length: +0\r\n\r\n", ("400",)),
    ("a negative length", POST + b"Content-Length: -1\r\n\r\n", ("400",)),
    ("a length in hexadecimal", POST + b"Content-Length: 0x10\r\n\r\n", ("400",)),
    ("a length of 30 digits", POST + b"Content-Length: " + b"9" * 30 + b"\r\n\r\n", ("400",)),
    (
        "a length and chunks",
        POST + b"Content-Length: 60\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        ("400",),
    ),
    (
        "chunks and a length",
        POST + b"Transfer-Encoding: chunked\r\nContent-Length: 60\r\n\r\n0\r\n\r\n",
        ("400",),
    ),
    (
        "chunked twice",
        POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
        ("400", "401"),
    ),
    ("not chunked last", POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", ("400",)),
    ("another coding", POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", ("400",)),
    ("a space before the colon", POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", ("400",)),
    ("a tab in the name", POST + b"Transfer-\tEncoding: chunked\r\n\r\n0\r\n\r\n", ("400",)),
    ("a folded line", POST + b"X: a\r\n b\r\nContent-Length: 0\r\n\r\n", ("400", "401", "422")),
    (
        "a chunk's length that is none",
        POST + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n",
        ("400",),
    ),
    (
        "a chunk of 2^64 bytes",
        POST + b"Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n",
        ("400",),
    ),
    ("line ends without CR", GET.replace(b"\r\n", b"\n") + b"\n", ("400", "200")),
    ("CR alone", GET.replace(b"\r\n", b"\r") + b"\r", ("400",)),
    ("NUL in a value", GET + b"X: a\x00b\r\n\r\n", ("400",)),
    ("NUL in the target", b"GET /\x00 HTTP/1.1\r\nHost: a\r\n\r\n", ("400",)),
)
"""What two servers could read differently. In each a second request lies behind the first, which is
answered only where the first has certainly ended."""

CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n"
TRAILERS: tuple[Case, ...] = (
    ("one", CHUNKED + b"X: y\r\n\r\n", ("400",)),
    ("a thousand", CHUNKED + b"X: y\r\n" * 1000 + b"\r\n", ("400",)),
    ("a long one", CHUNKED + b"X: " + b"y" * 100_000 + b"\r\n\r\n", ("400", "431")),
    ("a token", CHUNKED + b"Authorization: Bearer x\r\n\r\n", ("400",)),
    ("another length", CHUNKED + b"Content-Length: 60\r\n\r\n", ("400",)),
    ("another host", CHUNKED + b"Host: evil.example\r\n\r\n", ("400",)),
    ("an upgrade", CHUNKED + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n", ("400",)),
    ("no name", CHUNKED + b": y\r\n\r\n", ("400",)),
)
"""Headers behind a body. Nobody here takes one; a second request lies behind each."""

LENGTH = b"Content-Length: 2\r\n\r\n"
BESIDE = b"GET /sessions/a HTTP/1.1\r\nHost: a\r\n\r\n"
PIPELINED: tuple[tuple[str, bytes, str], ...] = (
    ("two", GET + b"\r\n" + BESIDE, "200 401"),
    ("the other way round", BESIDE + GET + b"\r\n", "401 200"),
    ("a body and one", POST + LENGTH + b"{}" + GET + b"\r\n", "422 200"),
    ("two bodies", POST + LENGTH + b"{}" + POST + LENGTH + b"[]", "422 422"),
    ("one that is none", GET + b"\r\n" + b"\x00\r\n\r\n", "400 cut"),
    ("three", (GET + b"\r\n") * 3, "400 cut"),
    ("a handshake", GET + b"\r\n" + upgrade(b"session_id=a"), "200 401 cut"),
    ("behind a handshake", upgrade(b"session_id=a") + GET + b"\r\n", "401 cut"),
    ("behind the last", GET + b"Connection: close\r\n\r\n" + BESIDE, "200 cut"),
)
"""Requests behind requests, in one breath, and how they are answered."""

ODD: tuple[Case, ...] = (
    ("no such method", b"BREW /healthz HTTP/1.1\r\nHost: a\r\n\r\n", ("400",)),
    ("a method in small letters", b"get /healthz HTTP/1.1\r\nHost: a\r\n\r\n", ("400",)),
    ("a method for elsewhere", b"PROPFIND /healthz HTTP/1.1\r\nHost: a\r\n\r\n", ("405",)),
    ("TRACE", b"TRACE /healthz HTTP/1.1\r\nHost: a\r\n\r\n", ("405",)),
    ("CONNECT", b"CONNECT evil.example:443 HTTP/1.1\r\nHost: a\r\n\r\n", ("400", "404", "405")),
    ("an asterisk", b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", ("400", "404", "405")),
    ("an absolute URL", b"GET http://evil.example/healthz HTTP/1.1\r\nHost: a\r\n\r\n", ("200",)),
    ("an absolute URL without a path", b"GET http://evil HTTP/1.1\r\nHost: a\r\n\r\n", NOWHERE),
    ("a URL of a file", b"GET file:///etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n", NOWHERE),
    ("a way out of the folder", b"GET /../../etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n", ("404",)),
    ("an encoded way out", b"GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n", ("404",)),
    ("assets and a way out", b"GET /assets/..%5c..%5c.env HTTP/1.1\r\nHost: a\r\n\r\n", ("404",)),
    ("two slashes", b"GET //healthz HTTP/1.1\r\nHost: a\r\n\r\n", NOWHERE),
    ("a percent sign", b"GET /%zz%00%ff HTTP/1.1\r\nHost: a\r\n\r\n", ("404",)),
    ("bytes above 127", b"GET /\xff\xfe HTTP/1.1\r\nHost: a\r\n\r\n", NOWHERE),
    ("HTTP/1.0", b"GET /healthz HTTP/1.0\r\n\r\n", ("200",)),
    ("HTTP/0.9", b"GET /healthz\r\n\r\n", ("200", "400")),
    ("HTTP/2's preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", ("400", "cut")),
    ("HTTP/9.9", b"GET /healthz HTTP/9.9\r\nHost: a\r\n\r\n", ("400",)),
    ("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 40, ("400",)),
    ("no Host", b"GET /healthz HTTP/1.1\r\n\r\n", ("200", "400")),
    ("two Hosts", b"GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", ("200", "400")),
    ("a Host that is none", b"GET /healthz HTTP/1.1\r\nHost: a/b?c\r\n\r\n", ("200", "400")),
    (
        "100-continue, and then nothing is brought",
        b"POST /tickets HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n",
        ("401", "422", "400"),
    ),
    ("an expectation of something else", GET + b"Expect: a-miracle\r\n\r\n", ("200", "417")),
    ("an upgrade to another", GET + b"Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n", ("200",)),
    ("200 headers", GET + b"X: y\r\n" * 200 + b"\r\n", ("200",)),
    ("an Origin that is none", GET + b"Origin: ://\r\n\r\n", ("200",)),
    ("a preflight", b"OPTIONS /tickets HTTP/1.1\r\nHost: a\r\nOrigin: http://evil.example\r\n"
     b"Access-Control-Request-Method: POST\r\n\r\n", ("400",)),
)  # fmt: skip

JSON: tuple[tuple[str, bytes], ...] = (
    ("no JSON", b"{"),
    ("deep", b"[" * 60_000),
    ("deep objects", b'{"a":' * 10_000),
    ("a long number", b'{"session_id":' + b"9" * 60_000 + b"}"),
    ("NaN", b'{"session_id":NaN,"patient_id":NaN}'),
    ("infinite", b'{"session_id":1e999,"patient_id":-1e999}'),
    ("a lone surrogate", rb'{"session_id":"\ud800","patient_id":"\ud800"}'),
    ("a surrogate as a name", rb'{"\ud800":1}'),
    ("twice", b'{"session_id":"a","session_id":"b","patient_id":"a","patient_id":"b"}'),
    ("a list", b"[]"),
    ("null", b"null"),
    ("of other types", b'{"session_id":{"a":[1]},"patient_id":[[]]}'),
    ("not UTF-8", b'{"session_id":"\xff\xfe","patient_id":"\xff"}'),
    ("UTF-16", '{"session_id":"a"}'.encode("utf-16")),
    ("a BOM", b'\xef\xbb\xbf{"session_id":"a"}'),
    ("NUL", b"\x00" * 100),
    ("many names", b"{" + b",".join(b'"k%d":1' % n for n in range(6000)) + b"}"),
)
"""Bodies; the answer is a refusal of the request, never of the gateway's."""
TYPES = (b"application/json", b"text/plain", b"application/x-www-form-urlencoded", b"\xff", b"")
PATHS = (b"/tickets", b"/patient", b"/sessions/odd/messages", b"/sessions/odd/cancel")
REFUSED = {"400", "422"}
GOOD = ("twice", "UTF-16", "a BOM")
"""Bodies that may be taken: of two the last counts, and JSON may be in any UTF."""


async def smuggle(target: Target, times: int) -> Tally:
    """Never two answers to what one server calls one request."""
    return await _say(target, times, SMUGGLING, behind=SMUGGLED)


async def send_trailers(target: Target, times: int) -> Tally:
    """What comes behind a body is refused, and what comes behind that is not looked at."""
    return await _say(target, times, TRAILERS, behind=SMUGGLED)


async def pipeline_all_kinds(target: Target, times: int) -> Tally:
    """Two or three requests in one breath, of every kind."""

    async def one(number: int) -> str:
        name, data, due = PIPELINED[number % len(PIPELINED)]
        peer = await target.connect()
        peer.say(_from_elsewhere(data, number))
        told: list[str] = []
        try:
            while len(told) < len(due.split()):
                told.append(f"{(await peer.answer()).status}")
        except Cut:
            told.append("cut")
        peer.drop()
        # A refusal that is followed by the end may be lost on its way (TCP reset).
        return judged(name, " ".join(told), {due, "cut"})

    return await many(times, 50, one)


async def ask_oddly(target: Target, times: int) -> Tally:
    """Methods, targets, versions and headers as no client sends them."""
    return await _say(target, times, ODD)


async def bring_odd_bodies(target: Target, times: int) -> Tally:
    """JSON that two parsers read differently or that costs one of them dear, in all content
    types, with a good token."""
    cases = list(product(PATHS, JSON, TYPES))

    async def one(number: int) -> str:
        path, (name, body), kind = cases[number % len(cases)]
        told: list[Header] = [target.bearer(sessions="*", scope="patient")]
        told += [(b"Content-Type", kind)] if kind else []
        told.append((b"X-Forwarded-For", b"10.70.%d.%d" % (number >> 8 & 255, number & 255)))
        answer = await target.ask(request(b"POST", path, told, body))
        takes = name in GOOD and path in PATHS[:2]
        allowed = REFUSED | {"200"} if takes else REFUSED
        return judged(f"{path.decode()} {name} {kind!r}", f"{answer.status}", allowed)

    return await many(times, 20, one)


async def _say(target: Target, times: int, cases: Sequence[Case], behind: bytes = b"") -> Tally:
    async def one(number: int) -> str:
        name, data, allowed = cases[number % len(cases)]
        peer = await target.connect()
        peer.say(_from_elsewhere(data, number) + behind)
        first = f"{(await peer.answer()).status}"
        told = judged(name, first, {*allowed, "cut"})
        if behind and first == "400" and (more := await _second(peer)):
            told = judged(name, f"and {more}", set())
        peer.drop()
        return told

    return await many(times, 50, one)


def _from_elsewhere(data: bytes, number: int) -> bytes:
    """As if from an address that has not asked before: else it has asked too often some day."""
    address = b"X-Forwarded-For: 10.71.%d.%d\r\n" % (number >> 8 & 255, number & 255)
    return data.replace(b"Host: a\r\n", b"Host: a\r\n" + address)


async def _second(peer: Peer) -> bytes:
    """Whatever is answered after a refusal: nothing, and the connection ends."""
    return await peer.until_cut()
