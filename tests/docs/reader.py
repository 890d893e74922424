"""Somebody who does what our pages say: in a fresh clone, one command after the other, as printed.

Only this is another on the page and in the test:

| on the page | in the test |
|---|---|
| ports: `PORTS` | free ones |
| a word in capitals, such as `TURN_ID` | what an earlier command printed in its place |
| names of servers that a step needs, such as `redis.example` | those that the step has started |
| `make` | `make`, but what `make test` has built is not built again (`BUILT`) |
| Ctrl-C | a signal, at the end |
"""

import asyncio
import os
import re
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

import httpx2 as httpx

from dev.embedded_redis import free_port
from tests.docs.markdown import ROOT
from tests.docs.steps import Place, Step
from tests.support.eventually import eventually

GATEWAY_PORT = "8000"
OWN_PORT = "own"
"""Where a gateway listens that is started without a port, beside the one that runs already."""
PORTS = (GATEWAY_PORT, "8001", "8002", "8443", OWN_PORT)
"""What processes listen on."""
BUILT = (".venv/.ready", "frontend/node_modules/.ready", "frontend/dist/index.html")
ANSWER_SECONDS = 45.0
STOP_SECONDS = 20.0
NOT_CLONED = {".git", ".env", "var"}
FORGOTTEN = re.compile(
    "AGENT|AIDBOX_|AUTH_|AZURE_|CI$|FHIR_|FORCE_COLOR|LOG_|MAKE|MCP_|MFLAGS|MODEL|NAMESPACE|OPENAI_"
    "|OTEL_|REDIS_URL|TELEMETRY_|https?_proxy",
    re.IGNORECASE,
)
"""Beginnings of variables that whoever has just cloned it does not have. With CI or FORCE_COLOR
Vite prints in colours, and what it says no longer reads as the page has it."""


def make_clone(folder: Path) -> None:
    """The folder that a page's commands find themselves in: every file of ours is at its place, and
    what a command writes is not among them."""
    for path in ROOT.iterdir():
        if path.name not in NOT_CLONED and not path.name.startswith(".venv"):
            folder.joinpath(path.name).symlink_to(path)
    folder.joinpath(".venv").symlink_to(sys.prefix)


@dataclass
class Running:
    """A command that was started, with what it has printed so far."""

    process: asyncio.subprocess.Process
    log: Path

    def output(self) -> str:
        return self.log.read_text()

    async def interrupt(self) -> None:
        """Ctrl-C: everything that the command has started gets it."""
        for number in (signal.SIGINT, signal.SIGKILL):
            if self.process.returncode is None:
                os.killpg(self.process.pid, number)
                try:
                    async with asyncio.timeout(STOP_SECONDS):
                        await self.process.wait()
                except TimeoutError:
                    continue


@dataclass
class Reader:
    """One person at one clone, beside a system that runs. What goes on (`Step.stays`) goes on until
    `leave`."""

    clone: Path
    ports: Mapping[str, int] = field(default_factory=lambda: {port: free_port() for port in PORTS})
    words: dict[str, str] = field(default_factory=lambda: {})
    """What commands have printed in the place of a word in capitals."""
    _exported: dict[str, str] = field(default_factory=lambda: {})
    _staying: list[tuple[Step, Running]] = field(default_factory=lambda: [])
    _started: int = 0

    def on_this_machine(self, text: str, names: Mapping[str, str]) -> str:
        """A command, or a file, as the table above has it. `names`: of a step's own servers."""
        for name, here in {**names, **self.words}.items():
            text = re.sub(rf"(?<![\w-]){re.escape(name)}(?![\w=-])", lambda _, to=here: to, text)
        for port, free in self.ports.items():
            text = re.sub(rf"(?<=[:= ]){port}\b", str(free), text)
        return re.sub(r"\bmake (?=[a-z])", " ".join(["make", *_not_again(), ""]), text)

    def write(self, name: str, text: str) -> None:
        """The file that a block is."""
        (self.clone / name).write_text(self.on_this_machine(text, {}))

    async def do(self, step: Step, command: str) -> None:
        """Run it, and look at what it says. One that stays has said it when this returns."""
        if step.stage is None:
            await self._do(step, command, {})
            return
        folder = self.clone / f"stage-{self._started}"
        folder.mkdir()
        redis_port = int(self.words["REDIS_PORT"])
        async with step.stage(Place(folder, self.ports[GATEWAY_PORT], redis_port)) as names:
            await self._do(step, command, names)
            if step.stays:
                await self._stop(*self._staying.pop())

    async def leave(self) -> None:
        """Ctrl-C wherever something goes on, and see what it has said in the end."""
        while self._staying:
            await self._stop(*self._staying.pop())

    async def _stop(self, step: Step, running: Running) -> None:
        output = running.output()
        assert running.process.returncode is None, f"{step.command} has ended:\n{output}"
        await running.interrupt()
        assert re.search(step.at_last, output, re.S), f"{step.command}\n{output}"
        assert "Traceback" not in output, f"{step.command}\n{output}"

    async def _do(self, step: Step, command: str, names: Mapping[str, str]) -> None:
        running = await self._start(step, self.on_this_machine(command, names))
        if step.stays:
            self._staying.append((step, running))
            found = await _until_said(step, running)
            if step.ready:
                port = self.ports[step.ready]
                await eventually(lambda: _is_ready(port), f"{command} is ready", ANSWER_SECONDS)
        else:
            found = await _end_of(step, running)
        self.words |= {name: text for name, text in found.groupdict().items() if text}
        if command.startswith("export "):
            pairs = (pair.partition("=") for pair in running.output().split("\0"))
            self._exported |= {name: text for name, _, text in pairs if name}

    async def _start(self, step: Step, command: str) -> Running:
        self._started += 1
        log = self.clone / f"said-{self._started}.log"
        if step.dry:
            command = re.sub(r"\bmake ", "make --dry-run ", command)
        if command.startswith("export "):
            command += "\nenv -0"  # what is exported here holds for what comes after it, too
        words = ["sh", "-c", command]
        if step.is_program:
            words = [str(self.clone / ".venv/bin/python"), "-c", command]
        with log.open("wb") as file:
            process = await asyncio.create_subprocess_exec(
                *words,
                cwd=self.clone,
                env={**self._environment(), **self._exported, **step.environment},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=file,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,
            )
        return Running(process, log)

    def _environment(self) -> dict[str, str]:
        kept = {name: text for name, text in os.environ.items() if not FORGOTTEN.match(name)}
        path = os.pathsep.join((f"{self.clone}/.venv/bin", kept["PATH"], "/usr/sbin"))
        here = {
            "PATH": path,  # as in an environment that was activated
            "PYTHONPATH": f"{self.clone}/clients/python/src",  # as `make setup` has it
            "PORT": str(self.ports[OWN_PORT]),
            "GATEWAY_URL": f"http://localhost:{self.ports[GATEWAY_PORT]}",
        }
        return kept | here


async def _until_said(step: Step, running: Running) -> re.Match[str]:
    def said() -> re.Match[str] | None:
        if running.process.returncode is not None:
            raise AssertionError(f"{step.command} has ended:\n{running.output()}")
        return re.search(step.says, running.output(), re.S)

    return await eventually(said, f"`{step.command}` says {step.says}", timeout=ANSWER_SECONDS)


async def _is_ready(port: int) -> bool:
    try:
        async with httpx.AsyncClient() as http:
            answer = await http.get(f"http://127.0.0.1:{port}/readyz")
            return answer.status_code != HTTPStatus.SERVICE_UNAVAILABLE
    except httpx.TransportError:
        return False


async def _end_of(step: Step, running: Running) -> re.Match[str]:
    """What it said, once it has ended as it should."""
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            status = await running.process.wait()
    finally:
        await running.interrupt()
    found = re.search(step.says, running.output(), re.S)
    said = f"{step.command}: status {status}\n{running.output()}"
    assert found is not None, said
    assert status == step.status, said
    return found


def _not_again() -> list[str]:
    return [word for file in BUILT for word in ("-o", file)]
