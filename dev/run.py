"""`make run`: an embedded server, one gateway and one worker, until Ctrl-C. Needs nothing
installed.

With `REDIS_URL` set, that server is used and none is embedded.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from http import HTTPStatus
from pathlib import Path
from types import FrameType

from dotenv import load_dotenv

from dev.embedded_redis import EmbeddedRedis

STOP_SECONDS = 15.0


def main() -> int:
    """Run everything; ends when told to, or when any part has ended. Returns the exit status."""
    signal.signal(signal.SIGTERM, _exit)
    with tempfile.TemporaryDirectory(prefix="fanline-") as folder:
        server: EmbeddedRedis | None = None
        parts: list[subprocess.Popen[bytes]] = []
        try:
            load_dotenv(".env")
            environment = dict(os.environ)
            if not environment.get("REDIS_URL"):
                server = EmbeddedRedis(Path(folder))
                server.start()
                environment["REDIS_URL"] = server.url
            for package in ("gateway", "agent_worker"):
                parts.append(subprocess.Popen([sys.executable, "-m", package], env=environment))
            greeted = False
            while all(part.poll() is None for part in parts):
                if not greeted and _is_ready(environment):
                    print(_greeting(environment), flush=True)
                    greeted = True
                time.sleep(0.2)
            return 1
        except (KeyboardInterrupt, SystemExit):
            return 0
        finally:
            _stop(parts)
            if server is not None:
                server.stop()


def _exit(number: int, frame: FrameType | None) -> None:
    sys.exit(0)


def _stop(parts: list[subprocess.Popen[bytes]]) -> None:
    for part in parts:
        part.terminate()
    for part in parts:
        try:
            part.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            part.kill()


def _is_ready(environment: dict[str, str]) -> bool:
    url = f"http://127.0.0.1:{environment.get('PORT', '8000')}/readyz"
    try:
        with urllib.request.urlopen(url, timeout=1) as answer:
            return answer.status == HTTPStatus.OK
    except OSError:
        return False


def _greeting(environment: dict[str, str]) -> str:
    port = environment.get("PORT", "8000")
    namespace = environment.get("NAMESPACE", "")
    channel = f"{namespace}:session:{{demo}}" if namespace else "session:{demo}"
    return (
        f"\nFanline is ready.\n"
        f"  socket   ws://localhost:{port}/ws?session_id=demo\n"
        f"  channel  redis-cli -u {environment['REDIS_URL']} SUBSCRIBE '{channel}'\n"
        f"  stop     Ctrl-C\n"
    )


if __name__ == "__main__":
    sys.exit(main())
