"""The chat in the terminal, run in a pipe and in a terminal, with no package but its own."""

import asyncio
import os
import pty
import re
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from tests.support.chat import Chat
from tests.support.deployment import ROOT, Deployment
from tests.support.eventually import eventually
from tests.support.proxy import proxy_before
from tests.support.stub_model import Call, Reply, StubModel

CHAT = ROOT / "examples" / "terminal_chat" / "terminal_chat.py"
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
CTRL_D = b"\x04"
CTRL_C = b"\x03"


async def piped(python: Path, url: str, session_id: str, *lines: str) -> tuple[int, str, str]:
    """Ask these lines through a pipe; the status, and what was printed on the two outputs."""
    process = await asyncio.create_subprocess_exec(
        *(python, str(CHAT), session_id, "--url", url),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate("".join(f"{line}\n" for line in lines).encode())
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


class Terminal:
    """A terminal with the chat in it."""

    def __init__(self, process: asyncio.subprocess.Process, master: int) -> None:
        self.process = process
        self._master = master
        self._raw = b""
        asyncio.get_running_loop().add_reader(master, self._read)

    def type(self, keys: bytes) -> None:
        os.write(self._master, keys)

    @property
    def text(self) -> str:
        """Everything that was written on it."""
        return ESCAPES.sub("", self._raw.decode(errors="replace"))

    async def shows(self, text: str) -> None:
        await eventually(lambda: text in self.text or None, f"the terminal shows {text!r}")

    def forget(self) -> None:
        """Only what comes from here on counts."""
        self._raw = b""

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._master)
        os.close(self._master)

    def _read(self) -> None:
        try:
            self._raw += os.read(self._master, 65536)
        except OSError:  # the chat has ended, and its side is closed
            asyncio.get_running_loop().remove_reader(self._master)


@asynccontextmanager
async def terminal(python: Path, url: str, session_id: str) -> AsyncGenerator[Terminal, None]:
    """The chat in a terminal of its own, for the block."""
    master, slave = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        *(python, str(CHAT), session_id, "--url", url),
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env=os.environ | {"TERM": "xterm", "COLUMNS": "100", "LINES": "40"},
        preexec_fn=partial(os.login_tty, slave),  # so that its Ctrl-C is the chat's
    )
    os.close(slave)
    screen = Terminal(process, master)
    try:
        yield screen
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        screen.close()


async def test_a_pipe_gets_the_answers_and_beside_them_what_the_agent_did(
    example_python: Path, system_of_examples: Deployment, stub: StubModel
) -> None:
    """Two questions, in order, in a session that has said something before: that is not said
    again. A question that fails gives a status that says so."""
    chat = Chat(system_of_examples, stub)
    one, two, three = (f"{word} {chat.session_id}" for word in ("one", "two", "three"))
    stub.script(one, Reply(calls=[Call("count_patients", {})]), Reply(["There are ", "some."]))
    stub.script(two, Reply(["Second\x1b[2J answer."]))
    stub.script(three, Reply(status=400))
    async with chat.tab() as tab:
        await tab.ask("said before")
    url = chat.gateways[0].url
    status, out, err = await piped(example_python, url, chat.session_id, one, "", two)
    assert (status, out) == (0, "There are some.\nSecond[2J answer.\n")
    assert re.search(r"^count_patients \d+ ms \{\}$", err, re.M), err
    system_of_examples.processes[-1].expected_errors.append("model_error")
    status, out, err = await piped(example_python, url, chat.session_id, three)
    assert (status, out) == (1, "")
    assert len(err.splitlines()) == 2


async def test_a_gateway_that_refuses_is_told_in_one_line(
    example_python: Path, system_of_examples: Deployment, stub: StubModel
) -> None:
    url = system_of_examples.processes[0].url
    status, out, err = await piped(example_python, url, "no session!", "hi")
    assert (status, out) == (1, "")
    assert len(err.splitlines()) == 2, err
    assert "Traceback" not in err


async def test_an_answer_is_whole_though_the_connection_was_lost(
    example_python: Path, system_of_examples: Deployment, stub: StubModel
) -> None:
    """Cut in mid-answer; what was said meanwhile comes when the connection is back."""
    chat = Chat(system_of_examples, stub)
    held = Reply(["Before, ", "between, ", "after."], hold_after=1)
    stub.script(chat.session_id, held)
    async with proxy_before(chat.gateways[0].port) as proxy:
        url = f"ws://127.0.0.1:{proxy.port}/ws"
        asking = asyncio.create_task(
            piped(example_python, url, chat.session_id, f"go on {chat.session_id}")
        )
        await held.reached_hold.wait()
        proxy.shut(True)
        held.release()
        async with chat.tab() as tab:
            await tab.until("turn_finished")
        proxy.shut(False)
        status, out, err = await asking
    assert (status, out) == (0, "Before, between, after.\n")
    assert "connected again" in err


async def test_a_terminal_shows_the_answer_as_it_comes_and_what_other_tabs_say(
    example_python: Path, system_of_examples: Deployment, stub: StubModel
) -> None:
    """What was there before, a call, a text that is not whole yet, the question of another tab;
    Ctrl-C stops an answer, Ctrl-D the chat."""
    chat = Chat(system_of_examples, stub)
    held = Reply(["It begins", " and ends."], hold_after=1)
    endless = Reply(["For ever", "never"], hold_after=1)
    mine, other, stopped = (f"{word} {chat.session_id}" for word in ("mine", "other", "stopped"))
    stub.script(mine, Reply(calls=[Call("count_patients", {})]), held)
    stub.script(other, Reply(["Said elsewhere."]))
    stub.script(stopped, endless)
    async with (
        chat.tab() as tab,
        terminal(example_python, chat.gateways[0].url, chat.session_id) as screen,
    ):
        await screen.shows("> ")
        await tab.ask("said before")
        await screen.shows("echo: said before")
        screen.type(f"{mine}\n".encode())
        await screen.shows("It begins")
        await screen.shows("count_patients")
        assert "and ends." not in screen.text
        held.release()
        await screen.shows("It begins and ends.")
        await tab.until("turn_finished")

        await tab.ask(other)
        await screen.shows("Said elsewhere.")
        assert f"> {other}" in screen.text

        screen.forget()
        screen.type(f"{stopped}\n".encode())
        await screen.shows("For ever")
        screen.type(CTRL_C)
        await screen.shows("cancelled")
        await tab.until("turn_finished", status="cancelled")
        screen.type(CTRL_D)
        assert await screen.process.wait() == 1, "a question was not answered"
        assert "Traceback" not in screen.text


async def test_ctrl_c_at_the_prompt_ends_the_chat(
    example_python: Path, system_of_examples: Deployment, stub: StubModel
) -> None:
    chat = Chat(system_of_examples, stub)
    async with terminal(example_python, chat.gateways[0].url, chat.session_id) as screen:
        await screen.shows("> ")
        screen.process.send_signal(signal.SIGINT)
        assert await screen.process.wait() == 0
