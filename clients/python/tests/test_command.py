"""The command line, against a gateway that plays its part."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from fake_gateway import FakeGateway

SOURCES = Path(__file__).parent.parent / "src"


@asynccontextmanager
async def command(
    *arguments: str, **environment: str
) -> AsyncGenerator[asyncio.subprocess.Process, None]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "fanline",
        *arguments,
        env=os.environ | {"PYTHONPATH": str(SOURCES)} | environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def test_a_question_prints_the_calls_and_the_whole_answer_once(gateway: FakeGateway) -> None:
    """Also the part of the answer of which no pieces came."""
    async with command(gateway.url, "s", "why") as process:
        socket = await gateway.next_socket()
        turn = (await socket.next())["message_id"]
        await socket.greet()
        await socket.send("turn_started", "7-1", turn_id=turn, attempt=1, worker="w")
        await socket.send("openai_call", "7-2", turn_id=turn, model="m")
        fields = {"model": "m", "total_tokens": None, "duration_ms": 5}
        await socket.send("openai_response", "7-3", turn_id=turn, **fields)
        await socket.send("tool_call", "7-4", turn_id=turn, tool_name="f", arguments={"a": 1})
        fields = {"tool_name": "f", "is_error": True, "duration_ms": 6}
        await socket.send("tool_result", "7-5", turn_id=turn, **fields)
        await socket.say("7-6", turn, "1", "beca")
        await socket.say("7-7", turn, "1", "because", streaming=False)
        await socket.say("7-8", turn, "2", "whole", streaming=False)
        await socket.finish("7-9", turn, duration_ms=9)
        out, _ = await process.communicate()
    assert process.returncode == 0
    assert out.decode().splitlines() == [
        "[turn_started] attempt 1 by w",
        "[openai_call] m",
        "[openai_response] m, tokens: unknown, in 5 ms",
        '[tool_call] f {"a": 1}',
        "[tool_result] f failed in 6 ms",
        "because",
        "whole",
        "[turn_finished] completed in 9 ms",
    ]


async def test_a_failed_turn_and_a_refused_message_are_exit_statuses(gateway: FakeGateway) -> None:
    async with command(gateway.url, "s", "why") as process:
        socket = await gateway.next_socket()
        turn = (await socket.next())["message_id"]
        await socket.send("error", "7-1", turn_id=turn, code="model_error", error="No model.")
        await socket.finish("7-2", turn, "failed", duration_ms=1)
        out, _ = await process.communicate()
        assert (process.returncode, "[error] No model." in out.decode()) == (1, True)

    async with command(gateway.url, "s", "why") as process:
        socket = await gateway.next_socket()
        turn = (await socket.next())["message_id"]
        await socket.send("error", code="too_many", message_id=turn, error="Too many.")
        _, err = await process.communicate()
        assert (process.returncode, err.decode().strip()) == (1, "Too many.")


async def test_a_refused_socket_is_said_in_one_line(gateway: FakeGateway) -> None:
    gateway.refusals = [400]
    async with command(gateway.url, "s", "why") as process:
        _, err = await process.communicate()
    assert (process.returncode, err.decode().strip()) == (1, "the gateway answered 400")


async def test_an_address_or_an_id_that_cannot_be_is_said_in_one_line(gateway: FakeGateway) -> None:
    for arguments in (("http://localhost:8000", "s"), (gateway.url, "s", "--after", "yesterday")):
        async with command(*arguments) as process:
            _, err = await process.communicate()
        assert (process.returncode, len(err.decode().splitlines())) == (1, 1)
    assert gateway.has_no_other_socket()


async def test_without_a_question_every_frame_is_a_line(gateway: FakeGateway) -> None:
    async with command(gateway.url, "s", "--after", "7-1") as process:
        socket = await gateway.next_socket()
        assert socket.last_event_id == "7-1"
        await socket.greet("7-2")
        await socket.show("7-2", "t", "grüß dich")
        assert process.stdout is not None
        lines = [json.loads(await process.stdout.readline()) for _ in range(2)]
    assert [line["type"] for line in lines] == ["connection", "message"]
    assert (lines[1]["id"], lines[1]["content"]) == ("7-2", "grüß dich")


async def test_the_token_comes_from_the_environment_or_anew_from_a_file(
    gateway: FakeGateway, tmp_path: Path
) -> None:
    """The file wins, and is read for every connection."""
    async with command(gateway.url, "s", FANLINE_TOKEN="from-outside"):
        socket = await gateway.next_socket()
        assert socket.headers["Authorization"] == "Bearer from-outside"

    file = tmp_path / "token"
    file.write_text("first\n")
    options = ("--token-file", str(file))
    async with command(gateway.url, "s", *options, FANLINE_TOKEN="from-outside"):
        socket = await gateway.next_socket()
        assert socket.headers["Authorization"] == "Bearer first"
        file.write_text("second\n")
        await socket.close(4401)
        socket = await gateway.next_socket()
        assert socket.headers["Authorization"] == "Bearer second"


async def test_a_token_that_is_not_there_or_not_good_is_said_in_one_line(
    gateway: FakeGateway, tmp_path: Path
) -> None:
    async with command(gateway.url, "s", "--token-file", str(tmp_path / "none")) as process:
        _, err = await process.communicate()
    assert (process.returncode, len(err.decode().splitlines())) == (1, 1)

    gateway.refusals, gateway.refusal = [401], '{"detail": "The token has expired."}'
    async with command(gateway.url, "s", FANLINE_TOKEN="over") as process:
        _, err = await process.communicate()
    assert process.returncode == 1
    assert err.decode().strip() == "the gateway answered 401: The token has expired."
