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
}
"""Program to Debian package. Redis proper runs the same tests as the embedded server; Chromium is
the browser of `tests/browser`; the benchmarks' load generator is written in C."""


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
    return [package for program, package in PACKAGES.items() if shutil.which(program) is None]


if __name__ == "__main__":
    sys.exit(main())
