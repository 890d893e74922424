"""`make run`: an embedded server, one gateway and one worker, until Ctrl-C. Nothing to install.

With `REDIS_URL` set, that server is used and none is embedded. A worker that is killed is replaced,
so that taking one away can be tried; a part that ends by itself ends everything, having said why.
"""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from http import HTTPStatus
from pathlib import Path
from types import FrameType
from typing import cast

import redis
from dotenv import load_dotenv

from dev.agent_requirements import install_requirements
from dev.embedded_redis import EmbeddedRedis
from shared.keys import WORK_GROUP, Keys

STOP_SECONDS = 15.0
LOOK_SECONDS = 0.2

Part = subprocess.Popen[bytes]


def main() -> int:
    """Run everything; ends when told to, or when a part has ended. Returns the exit status."""
    signal.signal(signal.SIGTERM, _exit)
    load_dotenv(".env")
    environment = dict(os.environ)
    requirements = environment.get("AGENT_REQUIREMENTS")
    if requirements and not install_requirements(Path(requirements)):
        return 1
    if not _port_is_free(environment):
        print(f"Port {_port(environment)} is in use: choose another with PORT=8001 make run.")
        return 1
    with tempfile.TemporaryDirectory(prefix="fanline-") as folder:
        server: EmbeddedRedis | None = None
        parts: list[Part] = []
        try:
            if not environment.get("REDIS_URL"):
                server = EmbeddedRedis(Path(folder))
                server.start()
                environment["REDIS_URL"] = server.url
            gateway = _start("gateway", environment)
            worker = _start("agent_worker", environment)
            parts += [gateway, worker]
            if _is_up(gateway, worker, environment):
                print(_greeting(environment, worker), flush=True)
            while gateway.poll() is None:
                if (status := worker.poll()) is not None:
                    if status >= 0:
                        break  # it has said why
                    worker = _start("agent_worker", environment)
                    parts.append(worker)
                    print(f"The worker was killed; process {worker.pid} takes over.", flush=True)
                time.sleep(LOOK_SECONDS)
            return 1
        except (KeyboardInterrupt, SystemExit):
            return 0
        finally:
            _stop(parts)
            if server is not None:
                server.stop()


def _exit(number: int, frame: FrameType | None) -> None:
    sys.exit(0)


def _start(package: str, environment: dict[str, str]) -> Part:
    return subprocess.Popen([sys.executable, "-m", package], env=environment)


def _stop(parts: list[Part]) -> None:
    for part in parts:
        part.terminate()
    for part in parts:
        try:
            part.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            part.kill()


def _port(environment: dict[str, str]) -> int:
    return int(environment.get("PORT") or 8000)


def _host(environment: dict[str, str]) -> str:
    return environment.get("HOST") or "127.0.0.1"


def _port_is_free(environment: dict[str, str]) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_host(environment), _port(environment)))
        except OSError:
            return False
        return True


def _is_up(gateway: Part, worker: Part, environment: dict[str, str]) -> bool:
    """Wait until both can be used; `False` when one has ended instead."""
    while gateway.poll() is None and worker.poll() is None:
        if _gateway_is_ready(environment) and _worker_reads(worker, environment):
            return True
        time.sleep(LOOK_SECONDS)
    return False


def _gateway_is_ready(environment: dict[str, str]) -> bool:
    url = f"http://{_host(environment)}:{_port(environment)}/readyz"
    try:
        with urllib.request.urlopen(url, timeout=1) as answer:
            return answer.status == HTTPStatus.OK
    except OSError:
        return False


def _worker_reads(worker: Part, environment: dict[str, str]) -> bool:
    """Whether the worker has joined its group."""
    turns = Keys(environment.get("NAMESPACE", "")).turns()
    try:
        with redis.Redis.from_url(environment["REDIS_URL"], decode_responses=True) as client:
            consumers = cast(list[dict[str, str]], client.xinfo_consumers(turns, WORK_GROUP))
    except redis.RedisError:
        return False
    return any(consumer["name"].endswith(f"-{worker.pid}") for consumer in consumers)


def _greeting(environment: dict[str, str], worker: Part) -> str:
    port = _port(environment)
    namespace = environment.get("NAMESPACE", "")
    channel = f"{namespace}:session:{{demo}}" if namespace else "session:{demo}"
    return (
        f"\nFanline is ready.\n"
        f"  page     http://localhost:{port}\n"
        f"  socket   ws://localhost:{port}/ws?session_id=demo\n"
        f"  channel  redis-cli -u {environment['REDIS_URL']} SUBSCRIBE '{channel}'\n"
        f"  workers  process {worker.pid} (kill -9 it: another takes over)\n"
        f"  stop     Ctrl-C\n"
    )


if __name__ == "__main__":
    sys.exit(main())
