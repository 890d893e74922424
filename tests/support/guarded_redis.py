"""Redis as it should be run: TLS, nobody in by default, and the users of the shipped file."""

import os
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import redis.asyncio as redis_asyncio

from dev.embedded_redis import EmbeddedRedis, free_port
from tests.support.certificates import Authority, Certificate
from tests.support.redis_users import FILE, LOGIN, PASSWORD

ADMIN = "admin"
USERS = ("gateway", "worker", "operator", "observer")


class GuardedRedis:
    """Debian's server (the embedded one has no TLS). `url` is its administrator's, for tests to
    look around; over a port without TLS, as what starts the server uses."""

    def __init__(self, folder: Path, namespace: str) -> None:
        self.folder = folder
        self.tls_port = free_port()
        self.authority = Authority(folder)
        identity = self.authority.vouch_for("server")
        users = folder / "users.acl"
        users.write_text(f"{_print_users(namespace)}user {ADMIN} on >{PASSWORD} ~* &* +@all\n")
        options = [
            *("--aclfile", str(users), "--tls-port", str(self.tls_port)),
            *("--tls-cert-file", str(identity.certificate), "--tls-key-file", str(identity.key)),
            *("--tls-ca-cert-file", str(self.authority.ca.certificate)),
            *("--tls-auth-clients", "optional"),
        ]
        self.server = EmbeddedRedis(folder / "redis", program="redis-server", options=options)

    @property
    def url(self) -> str:
        return f"redis://{ADMIN}:{LOGIN}@127.0.0.1:{self.server.port}/0"

    def url_of(
        self, user: str, login: str = LOGIN, ca: Path | None = None, own: Certificate | None = None
    ) -> str:
        """How this user comes over TLS; `own`: with a certificate of its own."""
        url = f"rediss://{user}:{login}@127.0.0.1:{self.tls_port}/0"
        url += f"?ssl_ca_certs={ca or self.authority.ca.certificate}"
        return url + (f"&ssl_certfile={own.certificate}&ssl_keyfile={own.key}" if own else "")

    async def ask(self, *words: str) -> Any:
        """What it answers its administrator."""
        async with redis_asyncio.from_url(self.url, decode_responses=True) as admin:
            return await cast(Any, admin).execute_command(*words)


def _print_users(namespace: str) -> str:
    """What `deploy/redis-users.sh` prints."""
    passwords = {f"{user.upper()}_PASSWORD": PASSWORD for user in USERS}
    made = subprocess.run(
        ["sh", str(FILE.with_suffix(".sh"))],
        env={**os.environ, "NAMESPACE": namespace, **passwords},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return made.stdout


@contextmanager
def guarded_redis(folder: Path, namespace: str) -> Generator[GuardedRedis, None, None]:
    """A server that runs, for the block."""
    guarded = GuardedRedis(folder, namespace)
    guarded.server.start()
    try:
        yield guarded
    finally:
        guarded.server.stop()
