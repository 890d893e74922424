"""nginx with nchan, published to by HTTP: it is its own broker, and no Redis takes part."""

import os
import resource
import shutil
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote

from benchmarks.systems.installing import INSTALLED, PEERS, NotInstalledError, install, run
from benchmarks.systems.system import Launch

PACKAGES = ("nginx", "libnginx-mod-nchan")
FOLDER = INSTALLED / "nchan"
NGINX = FOLDER / "usr" / "sbin" / "nginx"
MODULE = FOLDER / "usr" / "lib" / "nginx" / "modules" / "ngx_nchan_module.so"
STATE = Path("/var/lib/nginx/body")
"""Where Debian's nginx is built to have its temporary files. Only nchan can be told no other place:
its `nchan_message_temp_path` is refused as a duplicate of its own default."""
WORKER = "www-data"
"""Who the worker is where nginx is started by root, as in Debian's own configuration."""
MOST_FILES = 16_384
"""Sockets of the one worker; 10,000 tabs are the most that a run has."""


class Nchan:
    """`benchmarks/peers/nchan/nginx.conf`."""

    name = "nginx with nchan"
    publishes_over = "gateway"
    hello = b""
    base = 0
    most_tabs = 10_000

    def missing(self) -> str:
        return install(FOLDER, "\n".join(PACKAGES), _unpack_packages)

    def versions(self) -> str:
        return ", ".join(f"{package} {_version(package)}" for package in PACKAGES)

    def launch(self, port: int, redis_port: int) -> Launch:
        prefix = FOLDER / "prefix"
        prefix.mkdir(exist_ok=True)
        (prefix / "nginx.conf").write_text(_configuration(port))
        return Launch([str(NGINX), "-p", str(prefix), "-c", "nginx.conf", "-e", "stderr"])

    def tab_path(self, session_id: str) -> str:
        return f"/sub?session_id={session_id}"

    async def prepare(self, redis_port: int, session_ids: Sequence[str]) -> None:
        pass

    def publish(self, session_id: str, events: Sequence[bytes]) -> bytes:
        front = f"POST /pub?session_id={session_id} HTTP/1.1\r\nHost: localhost\r\n".encode()
        return b"".join(
            b"%sContent-Length: %d\r\n\r\n%s" % (front, len(event), event) for event in events
        )


def _unpack_packages(folder: Path) -> None:
    """Debian's packages, unpacked and not installed: so no service is started, and only the folder
    that nchan insists on is made in the system."""
    if not shutil.which("apt-get"):
        raise NotInstalledError("nginx and nchan are Debian's packages, and there is no apt-get.")
    if os.geteuid() == 0:
        run("Debian's package lists", ["apt-get", "update", "-qq"], folder)
        STATE.parent.mkdir(exist_ok=True)
    elif not STATE.is_dir():
        raise NotInstalledError(f"nchan cannot run without {STATE}, which only root can make.")
    run("nginx with nchan", ["apt-get", "download", "-qq", *PACKAGES], folder)
    for package in folder.glob("*.deb"):
        run("nginx with nchan", ["dpkg-deb", "-x", package.name, "."], folder)
    # Whether the system has the libraries that it needs.
    run("nginx with nchan", [str(NGINX), "-V"], folder)


def _version(package: str) -> str:
    """Such as `1.22.1-9+deb12u11`: what stands in the name of the package's file."""
    file = next(FOLDER.glob(f"{package}_*.deb"))
    return unquote(file.name.split("_")[1])


def _configuration(port: int) -> str:
    files = min(MOST_FILES, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    values = {
        "MODULE": str(MODULE),
        "USER": f"user {WORKER};" if os.geteuid() == 0 else "",
        "FILES": str(files),
        "PORT": str(port),
    }
    text = (PEERS / "nchan" / "nginx.conf").read_text()
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    return text
