"""The files of the deployment as data: what the tests of this folder compare with the code."""

import re
from typing import Any

import yaml

from agent_worker.settings import WorkerSettings
from gateway.settings import GatewaySettings
from tests.docs.markdown import read_page

Document = dict[str, Any]

COMPOSE: Document = yaml.safe_load(read_page("docker-compose.yml"))
SERVICES: dict[str, Document] = COMPOSE["services"]
DOCKERFILE = read_page("Dockerfile")
OURS = {"gateway": GatewaySettings, "agent_worker": WorkerSettings}
"""The services that are processes of ours."""


def image_environment() -> dict[str, str]:
    """What the Dockerfile sets for every process."""
    lines = re.findall(r"^ENV (.*)$", DOCKERFILE, re.MULTILINE)
    return dict(pair.split("=") for line in lines for pair in line.split())


def image_copies() -> list[tuple[list[str], str]]:
    """What each COPY takes from the build's context, and where to; nothing of another stage."""
    copies = re.findall(r"^COPY (?!--)(.*)$", DOCKERFILE, re.MULTILINE)
    return [(words[:-1], words[-1]) for words in map(str.split, copies)]


def seconds_of(duration: str) -> int:
    """A duration of the compose file that is written in whole seconds."""
    return int(duration.removesuffix("s"))
