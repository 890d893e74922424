"""A cluster that wants a user, a password and TLS: for commands, the map, and subscriptions."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import cast

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from dev.embedded_redis import EmbeddedRedis, free_port
from shared.errors import Unavailable
from shared.redis_client import Redis, ask, connect_redis
from shared.slot_map import SLOTS
from shared.subscription import Subscription
from shared.subscription_line import Batch
from tests.support.clusters import ask_server
from tests.support.eventually import eventually

LOGIN = "fanline:p%40ss"


class Guarded:
    """A cluster of one node, which has all slots; the embedded server knows no TLS."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.certificate = folder / "cert.pem"
        key = folder / "key.pem"
        _write_certificate(self.certificate, key)
        options = [
            *("--cluster-enabled", "yes", "--cluster-port", str(free_port())),
            *("--tls-port", str(self.port), "--tls-cluster", "yes", "--tls-auth-clients", "no"),
            *("--tls-cert-file", str(self.certificate), "--tls-key-file", str(key)),
            *("--tls-ca-cert-file", str(self.certificate)),
            *("--user", "fanline", "on", ">p@ss", "~*", "&*", "+@all"),
        ]
        self.server = EmbeddedRedis(folder / "node", program="redis-server", options=options)

    def url(self, login: str = LOGIN) -> str:
        return f"rediss+cluster://{login}@127.0.0.1:{self.port}?ssl_ca_certs={self.certificate}"


def _write_certificate(certificate: Path, key: Path) -> None:
    """One that vouches for itself, for 127.0.0.1."""
    secret = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(secret.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .sign(secret, hashes.SHA256())
    )
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key.write_bytes(
        secret.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    own = Guarded(tmp_path_factory.mktemp("guarded"))
    own.server.start()
    ask_server(own.server.port, "CLUSTER ADDSLOTSRANGE", 0, SLOTS - 1)
    yield own
    own.server.stop()


class Heard:
    """A listener that keeps what it is given."""

    def __init__(self) -> None:
        self.batches: list[Batch] = []

    def on_batch(self, batch: Batch) -> None:
        self.batches.append(batch)

    def on_lost(self) -> None: ...

    def on_restored(self) -> None: ...


async def is_up(client: Redis) -> bool:
    """A node takes commands a moment after it was given its slots."""
    try:
        await ask(client, lambda: client.set("x", "1", ex=60))
        return True
    except Unavailable:
        return False


async def test_commands_and_texts_go_over_tls_as_the_user_of_the_url(guarded: Guarded) -> None:
    heard = Heard()
    async with connect_redis(guarded.url()) as client:
        await eventually(lambda: is_up(client), "the node takes commands")
        node = client.node_of("x")
        assert node is not None
        assert node.address == ("127.0.0.1", guarded.port)
        whoami = cast(Callable[[], Awaitable[str]], node.acl_whoami)
        assert await ask(node, whoami) == "fanline"
        subscription = Subscription(client, heard)
        running = asyncio.create_task(subscription.run())
        await subscription.subscribe("x")
        await ask(client, lambda: client.publish("x", "hello"))
        await eventually(lambda: heard.batches == [{b"x": [b"hello"]}], "the text has come")
        long = [b"%d" % number * 100_000 for number in range(5)]  # of many TLS records each
        for text in long:
            await ask(client, lambda text=text: client.publish("x", text))

        def texts() -> list[bytes]:
            return [text for batch in heard.batches for text in batch[b"x"]]

        await eventually(lambda: len(texts()) == 6, "the others have come")
        assert texts() == [b"hello", *long]
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@pytest.mark.parametrize("login", ["fanline:wrong", "nobody:p%40ss"])
async def test_who_is_not_let_in_is_told_so(guarded: Guarded, login: str) -> None:
    async with connect_redis(guarded.url(login)) as client:
        with pytest.raises(Unavailable, match="invalid username-password pair"):
            await ask(client, lambda: client.exists("x"))


async def test_a_certificate_that_nobody_vouches_for_is_refused(guarded: Guarded) -> None:
    url = guarded.url().partition("?")[0]
    async with connect_redis(url) as client:
        with pytest.raises(Unavailable, match="CERTIFICATE_VERIFY_FAILED"):
            await ask(client, lambda: client.exists("x"))
