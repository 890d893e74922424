"""What the tests need from the system, installed where that is possible: `make test` alone uses it.

A Debian machine with root rights gets the missing packages; any other is asked for them, by name.
"""

import os
import shutil
import subprocess
import sys

PACKAGES = {
    "redis-server": "redis-server",
    "redis-cli": "redis-tools",
    "chromium": "chromium",
    "cc": "build-essential",
    "nginx": "nginx",
    "curl": "curl",
    "openssl": "openssl",
}
"""Program to Debian package. Redis proper runs the same tests as the embedded server; Chromium is
the browser of `tests/browser`; the benchmarks' load generator is written in C; nginx is the front
proxy of docker-compose.yml; curl and openssl are in commands of our pages."""
SEARCHED = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin"))
"""Where programs are looked for: Debian has servers where only root looks."""


def main() -> int:
    """Install what is missing; returns the exit status."""
    missing = _missing()
    if missing and shutil.which("apt-get") and os.geteuid() == 0:
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing]
        for command in (["apt-get", "update", "-qq"], install):
            subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=False)
        missing = _missing()
    if missing:
        print(f"The tests need these system packages: {', '.join(missing)}. Please install them.")
    return int(bool(missing))


def _missing() -> list[str]:
    found = {program: shutil.which(program, path=SEARCHED) for program in PACKAGES}
    return [package for program, package in PACKAGES.items() if found[program] is None]


if __name__ == "__main__":
    sys.exit(main())
