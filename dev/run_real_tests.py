"""`make test-real`: the fundamentals against those real services that the environment names.

Each service has a switch, `REAL_…=1`, and variables that say where it is. Without any switch, or
with a variable missing, nothing is run: exit status 2, and a sentence for each thing that is
missing.
"""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from shared.settings import read_env_file

ROOT = Path(__file__).parent.parent
NOTHING_TO_RUN = 2


@dataclass(frozen=True)
class Service:
    """A real service, and what the environment has to say about it."""

    switch: str
    needs: tuple[tuple[str, ...], ...]
    """Each by its name, then the older ones."""
    file: str


SERVICES = (
    Service("REAL_OPENAI", (("OPENAI_API_KEY",),), "tests/real/models.py"),
    Service(
        "REAL_AZURE",
        (
            ("AZURE_OPENAI_ENDPOINT", "FHIR_CHAT_OPENAI_ENDPOINT"),
            ("AZURE_OPENAI_API_KEY", "FHIR_CHAT_OPENAI_API_KEY"),
        ),
        "tests/real/models.py",
    ),
    Service("REAL_AIDBOX", (("MCP_URL",),), "tests/real/aidbox.py"),
    Service(
        "REAL_JAEGER",
        (("OTEL_EXPORTER_OTLP_ENDPOINT",), ("JAEGER_UI_URL",)),
        "tests/real/jaeger.py",
    ),
)


def is_asked_for(switch: str, environment: Mapping[str, str]) -> bool:
    return environment.get(switch, "") not in ("", "0")


def find_missing(environment: Mapping[str, str]) -> list[str]:
    """One line for each thing that keeps the tests from running. Pure."""
    asked = [service for service in SERVICES if is_asked_for(service.switch, environment)]
    if not asked:
        return [
            f"{service.switch}=1 is not set; it needs {', '.join(n[0] for n in service.needs)}"
            for service in SERVICES
        ]
    return [
        f"{service.switch}=1 is set, but {' or '.join(names)} is not"
        for service in asked
        for names in service.needs
        if not any(environment.get(name) for name in names)
    ]


def main() -> int:
    """Run them; returns the exit status."""
    read_env_file()
    missing = find_missing(os.environ)
    if missing:
        print("make test-real: nothing was run.", *missing, sep="\n  ", file=sys.stderr)
        return NOTHING_TO_RUN
    asked = [service for service in SERVICES if is_asked_for(service.switch, os.environ)]
    files = list(dict.fromkeys(service.file for service in asked))
    command = [sys.executable, "-m", "pytest", "-v", "--timeout=300", *files]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
