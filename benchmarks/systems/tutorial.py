"""How the tutorials do it: FastAPI, and one redis-py pub/sub for each socket."""

from benchmarks.systems.installing import PEERS, PYTHON, install_python, python_versions
from benchmarks.systems.system import Launch, OnSessionChannels

PONG_SECONDS = 600
"""How long a client may leave a WebSocket ping unanswered. The ping is sent as in production; a
generator that is too busy to answer within the usual 20 s is not to be cut."""


def uvicorn(application: str, port: int, redis_port: int) -> Launch:
    """An application of `benchmarks/peers/python` on uvicorn, with what its documentation offers
    for speed ("Settings"): uvloop and httptools. One worker, neither compression nor a log of each
    socket, as everybody here."""
    command = [str(PYTHON / "bin" / "uvicorn"), application]
    command += ["--app-dir", str(PEERS / "python"), "--host", "127.0.0.1", "--port", str(port)]
    command += ["--loop", "uvloop", "--http", "httptools", "--workers", "1"]
    command += ["--no-access-log", "--log-level", "warning"]
    command += ["--ws-per-message-deflate", "false", "--ws-ping-timeout", str(PONG_SECONDS)]
    return Launch(command, {"REDIS_URL": f"redis://127.0.0.1:{redis_port}/0"})


class Tutorial(OnSessionChannels):
    """`benchmarks/peers/python/tutorial.py`."""

    name = "tutorial FastAPI"
    most_tabs = 4_000  # each takes two sockets here, and a connection of Redis

    def missing(self) -> str:
        return install_python()

    def versions(self) -> str:
        return python_versions("fastapi", "uvicorn", "uvloop", "websockets", "redis", "hiredis")

    def launch(self, port: int, redis_port: int) -> Launch:
        return uvicorn("tutorial:app", port, redis_port)
