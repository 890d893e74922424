"""The page's session core in plain Node: no page, no React, a real gateway."""

import asyncio
import os
import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from dev.node import find_node
from tests.gateway.signing_in import OTHER_SECRET, WITH_TOKENS, a_token
from tests.support.chat import Chat
from tests.support.deployment import ROOT, Deployment
from tests.support.proxy import proxy_before
from tests.support.stub_model import Call, Reply, StubModel


@pytest.fixture(scope="module")
async def ask_js(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example, its package installed and the core built, in a folder of the same shape."""
    folder = tmp_path_factory.mktemp("node")
    example = folder / "examples" / "node_session"
    shutil.copytree(
        ROOT / "examples" / "node_session", example, ignore=shutil.ignore_patterns("node_modules")
    )
    build = ("run", "--silent", "build:session", "--", "--outDir", str(folder / "frontend/build"))
    await npm("--prefix", str(ROOT / "frontend"), *build)
    await npm("--prefix", str(example), "ci", "--silent")
    return example / "ask.js"


async def npm(*arguments: str) -> None:
    node = find_node()
    process = await asyncio.create_subprocess_exec(
        *(*node.npm, *arguments),
        env=node.environment(os.environ),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await process.communicate()
    assert process.returncode == 0, out.decode()


@asynccontextmanager
async def asking(
    ask_js: Path, gateway: str, session_id: str, question: str, token: str = ""
) -> AsyncGenerator[asyncio.subprocess.Process, None]:
    """The example, for the block."""
    process = await asyncio.create_subprocess_exec(
        *(find_node().node, str(ask_js), gateway, session_id, question),
        env=os.environ | {"FANLINE_TOKEN": token},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def test_node_asks_and_reads_the_state_that_a_page_would_show(
    ask_js: Path, system_of_examples: Deployment, stub: StubModel
) -> None:
    """In a session that has been followed before; and the process ends by itself."""
    chat = Chat(system_of_examples, stub)
    question = f"how many {chat.session_id}"
    stub.script(question, Reply(calls=[Call("count_patients", {})]), Reply(["Not ", "many."]))
    async with chat.tab() as tab:
        await tab.ask("said before")
        gateway = chat.gateways[0].http
        async with asking(ask_js, gateway, chat.session_id, question) as process:
            out, err = await process.communicate()
        assert (process.returncode, out.decode()) == (0, "Not many.\n"), err.decode()
        assert "count_patients {}" in err.decode()
        finished = await tab.until("turn_finished")
        assert tab.conversation.turns[finished["turn_id"]].question == question


async def test_node_goes_on_from_where_it_was_when_the_connection_was_lost(
    ask_js: Path, system_of_examples: Deployment, stub: StubModel
) -> None:
    """Nobody is there for a while: the handshakes that fail meanwhile end no process."""
    chat = Chat(system_of_examples, stub)
    held = Reply(["Before, ", "between, ", "after."], hold_after=1)
    stub.script(chat.session_id, held)
    async with proxy_before(chat.gateways[0].port) as proxy:
        gateway = f"http://127.0.0.1:{proxy.port}"
        async with asking(ask_js, gateway, chat.session_id, f"go {chat.session_id}") as process:
            assert process.stderr is not None
            assert await process.stderr.readline() == b"[connected]\n"
            await held.reached_hold.wait()
            proxy.shut(True)
            held.release()
            assert await process.stderr.readline() == b"[reconnecting]\n"
            assert await process.stderr.readline() == b"[reconnecting: unreachable]\n"
            async with chat.tab() as tab:
                await tab.until("turn_finished")
            proxy.shut(False)
            out, err = await process.communicate()
    assert (process.returncode, out.decode()) == (0, "Before, between, after.\n")
    assert "[connected]" in err.decode()


async def test_node_signs_in_with_a_token(
    ask_js: Path, system_of_examples: Deployment, stub: StubModel
) -> None:
    """It gets a ticket for its socket with it; one that is not good ends it, and says why."""
    settings = {name.lower(): value for name, value in WITH_TOKENS.items()}
    gateway = await system_of_examples.start_gateway(**settings)
    chat = Chat(system_of_examples, stub)
    token = a_token(sessions=[chat.session_id])
    async with asking(ask_js, gateway.http, chat.session_id, "hi", token) as process:
        out, err = await process.communicate()
    assert (process.returncode, out.decode()) == (0, "echo: hi\n"), err.decode()
    bad = a_token(sessions=[chat.session_id], secret=OTHER_SECRET)
    async with asking(ask_js, gateway.http, chat.session_id, "hi", bad) as process:
        out, err = await process.communicate()
    assert (process.returncode, out) == (1, b"")
    assert err.decode() == "[disconnected: unauthorized]\n"


async def test_node_is_told_when_its_question_is_refused(
    ask_js: Path, system_of_examples: Deployment
) -> None:
    gateway = system_of_examples.processes[0].http
    for question, word in (("x" * 40_000, "characters"), (" ", "empty")):
        async with asking(ask_js, gateway, "refused", question) as process:
            out, err = await process.communicate()
        assert (process.returncode, out) == (1, b"")
        connected, sentence = err.decode().splitlines()
        assert connected == "[connected]"
        assert word in sentence
