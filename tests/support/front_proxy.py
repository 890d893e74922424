"""The front proxy of the compose file as a process: Debian's nginx with `deploy/nginx.conf`.

Each gateway has an address of its own, as a container has, and all have one port. nginx looks their
name up as it does in Docker, and finds those that run at that moment.
"""

import asyncio
import re
import resource
import shutil
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from dev.embedded_redis import free_port
from dev.system_packages import SEARCHED
from tests.support.deployment import Deployment
from tests.support.eventually import eventually
from tests.support.listening import is_listening
from tests.support.name_server import name_server
from tests.support.processes import ROOT

CONFIG = (ROOT / "deploy/nginx.conf").read_text()
SERVICE = "gateway"
"""The name under which the configuration knows the gateways."""
SERVED_BY = "Served-By"
"""Names the gateway to who has come through the proxy; the tests' own addition."""
STOP_SECONDS = 20.0
FILES = 65536
"""A container may have so many open; this process perhaps not."""
NOTE_OF_GATEWAY = f"""
    map $upstream_addr $served_by {{
        "~(?<last>[^, ]+)$" "ws://$last/ws";
    }}
    add_header {SERVED_BY} $served_by always;

    server {{
"""
"""Of several that were tried, the last one."""


@dataclass
class FrontProxy:
    """nginx, which runs."""

    port: int
    process: asyncio.subprocess.Process

    @property
    def http(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/ws"


@asynccontextmanager
async def front_proxy(deployment: Deployment) -> AsyncGenerator[FrontProxy, None]:
    """The proxy before the gateways of the deployment, those that it starts from here on."""
    port, numbers = free_port(), count(2)
    deployment.next_address = lambda: (f"127.0.0.{next(numbers)}", port)

    def running() -> list[str]:
        return [p.host for p in deployment.processes if p.port and not p.has_ended]

    async with proxy_before(deployment.folder / "proxy", port, running) as proxy:
        yield proxy


@asynccontextmanager
async def proxy_before(
    folder: Path, gateway_port: int, gateways: Callable[[], Sequence[str]]
) -> AsyncGenerator[FrontProxy, None]:
    """The proxy before what listens at this port of these addresses. It must end well when it is
    told to stop, and have said nothing: its lines would quote requests."""
    async with name_server(lambda name: gateways() if name == SERVICE else ()) as name_port:
        port = free_port()
        config = write_config(folder, port, name_port, gateway_port)
        proxy = FrontProxy(port, await start_nginx(config))
        try:
            await eventually(lambda: _listens(proxy), "nginx listens")
            yield proxy
        finally:
            with suppress(ProcessLookupError):
                proxy.process.terminate()  # and with it its children: killed, it would leave them
            _, said = await asyncio.wait_for(proxy.process.communicate(), STOP_SECONDS)
        assert (proxy.process.returncode, said) == (0, b""), said.decode()


async def start_nginx(config: Path, *options: str) -> asyncio.subprocess.Process:
    """Debian's nginx, in the foreground, with this configuration."""
    program = shutil.which("nginx", path=SEARCHED)
    assert program is not None, "nginx is not installed: python -m dev.system_packages"
    # Debian's would give its rights up for a user who may not look into a folder of the tests.
    words = ("-c", str(config), "-e", "stderr", "-g", "daemon off; user root;", *options)
    return await asyncio.create_subprocess_exec(program, *words, stderr=asyncio.subprocess.PIPE)


def write_config(folder: Path, port: int, name_port: int, gateway_port: int) -> Path:
    """The shipped configuration with this machine's places: where it listens and writes, whom it
    asks for names, and at which port gateways are. Beside that it says who has served."""
    text = CONFIG
    _, most_files = resource.getrlimit(resource.RLIMIT_NOFILE)
    for old, new in {
        "listen 8000;": f"listen 127.0.0.1:{port};",
        "resolver 127.0.0.11 ": f"resolver 127.0.0.1:{name_port} ",
        f"{SERVICE}:8000;": f"{SERVICE}:{gateway_port};",
        f"worker_rlimit_nofile {FILES};": f"worker_rlimit_nofile {min(FILES, most_files)};",
        "\n    server {\n": NOTE_OF_GATEWAY,
    }.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    folder.mkdir()
    config = folder / "nginx.conf"
    config.write_text(re.sub(r"(?<= )/tmp/", f"{folder}/", text))
    return config


async def _listens(proxy: FrontProxy) -> bool:
    if proxy.process.returncode is not None:
        raise AssertionError("nginx has ended")
    return await is_listening(proxy.port)
