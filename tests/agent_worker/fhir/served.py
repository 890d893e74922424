"""The FHIR server as a process of its own, for tests that stop it."""

import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from dev.embedded_redis import free_port
from tests.support.deployment import ROOT, START_SECONDS, Process
from tests.support.eventually import eventually
from tests.support.listening import is_listening

PATHS = {"http": "mcp", "sse": "sse"}


class FhirProcess:
    """`python -m agent_worker.fhir` on a port of its own."""

    def __init__(self, folder: Path, transport: str, *arguments: object) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/{PATHS[transport]}"
        options = ["--transport", transport, "--port", self.port, *arguments]
        self._command = ["-m", "agent_worker.fhir", *map(str, options)]
        self._log_file = folder / f"fhir-{self.port}.log"
        self.process: Process | None = None

    async def start(self) -> None:
        """Start it and wait until it listens."""
        with self._log_file.open("ab") as log:
            started = await asyncio.create_subprocess_exec(
                sys.executable, *self._command, cwd=ROOT, stdout=log, stderr=log
            )
        self.process = process = Process(started, self._log_file, self.port)

        async def listens() -> bool:
            assert process.process.returncode is None, process.log()
            return await is_listening(self.port)

        await eventually(listens, "the FHIR server listens", timeout=START_SECONDS)

    async def stop(self) -> None:
        """End it by its process id."""
        if self.process is not None:
            await self.process.stop()

    def log(self) -> str:
        return self._log_file.read_text()


@asynccontextmanager
async def serve_fhir(
    folder: Path, transport: str, *arguments: object
) -> AsyncGenerator[FhirProcess, None]:
    """The server, started with these further arguments, for the block."""
    server = FhirProcess(folder, transport, *arguments)
    try:
        await server.start()
        yield server
    finally:
        await server.stop()
