"""The load generator judges what tabs are given: each kind of fault is seen, and none is invented.

A gateway of the test's plays one story to each tab, known in advance.
"""

import asyncio
import json
import shutil
import struct
import subprocess
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve

SOURCE = Path(__file__).parents[2] / "benchmarks" / "load" / "generator.c"
PIECE = "0123456789"
EVENTS = 6
"""Published to each session, at the positions 1 to 6; before them is 0."""


def delta(seq: int, *, pieces: int = 1, session: str = "s0") -> str:
    front = f'{{"id":"7-{seq}","type":"assistant","session_id":"{session}"'
    return f'{front},"streaming":true,"content":"{PIECE * pieces}"}}'


@pytest.fixture(scope="module")
def generator(tmp_path_factory: pytest.TempPathFactory) -> Path:
    compiler = shutil.which("cc")
    assert compiler is not None, "the load generator needs a C compiler: please install gcc"
    program = tmp_path_factory.mktemp("load") / "generator"
    flags = ["-O2", "-Wall", "-Wextra", "-Werror"]
    subprocess.run([compiler, *flags, "-o", str(program), str(SOURCE)], check=True)
    return program


@asynccontextmanager
async def gateway(stories: Sequence[Sequence[str]]) -> AsyncGenerator[int, None]:
    """Plays `stories[n]` to the tab whose target is `/n`."""

    async def play(tab: ServerConnection) -> None:
        assert tab.request is not None
        for frame in stories[int(tab.request.path[1:])]:
            await tab.send(frame)
        await tab.wait_closed()

    async with serve(play, "127.0.0.1", 0, compression=None) as server:
        yield next(iter(server.sockets)).getsockname()[1]


@asynccontextmanager
async def redis_that_says(reply: bytes) -> AsyncGenerator[int, None]:
    """Takes whatever is published, and answers each read with `reply`."""

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(65_536):
            writer.write(reply)
        writer.close()

    async with await asyncio.start_server(take, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


async def judge(
    generator: Path, folder: Path, stories: Sequence[Sequence[str]], reply: bytes = b":1\r\n"
) -> dict[str, Any]:
    """What the generator says of one tab for each story, all of the session `s0`."""
    tabs, plan = folder / "tabs", folder / "plan"
    tabs.write_text("".join(f"0 s0 /{number}\n" for number in range(len(stories))))
    record = struct.pack("<QIIII", 0, 0, EVENTS, 4, 0) + b"PING"
    plan.write_bytes(record)
    async with gateway(stories) as port, redis_that_says(reply) as redis_port:
        arguments = [port, redis_port, tabs, plan, "flood", 0, len(PIECE), "greeted"]
        process = await asyncio.create_subprocess_exec(
            str(generator),
            *map(str, arguments),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        opened = json.loads(await process.stdout.readline())
        assert opened["open"] == len(stories)
        process.stdin.write(b"\n")
        said = json.loads(await process.stdout.readline())
        process.stdin.close()
        await process.wait()
        return said


async def test_what_comes_whole_and_in_order_has_no_fault(generator: Path, tmp_path: Path) -> None:
    all_of_it = [delta(seq) for seq in range(EVENTS + 1)]
    merged = [delta(0), delta(1), delta(4, pieces=3), delta(5), delta(6)]
    said = await judge(generator, tmp_path, [all_of_it, merged])
    assert (said["covered"], said["frames"], said["merged"]) == (12, 10, 1)
    for fault in ("lost", "reordered", "foreign", "bad", "closed", "publish_errors"):
        assert said[fault] == 0, fault


@pytest.mark.parametrize(
    ("story", "fault", "count"),
    [
        ([delta(seq) for seq in (0, 1, 2, 4, 5, 6)], "lost", 1),
        ([delta(seq) for seq in (0, 1, 2, 3)], "lost", 3),
        ([delta(0), delta(4, pieces=3), delta(5), delta(6)], "lost", 3),
        ([delta(seq) for seq in (0, 1, 2, 3, 3, 4, 5, 6)], "reordered", 1),
        ([delta(seq) for seq in (0, 1, 3, 2, 4, 5, 6)], "reordered", 1),
        ([delta(seq) for seq in (0, 1, 2, 3, 4, 5, 6, 7)], "reordered", 1),
        ([delta(0), delta(1, session="s1"), *map(delta, range(1, 7))], "foreign", 1),
        ([delta(0), delta(1, session="s00"), *map(delta, range(1, 7))], "foreign", 1),
    ],
    ids=["hole", "end", "short merge", "twice", "late", "beyond", "foreign", "longer name"],
)
async def test_each_fault_is_seen(
    generator: Path, tmp_path: Path, story: Sequence[str], fault: str, count: int
) -> None:
    said = await judge(generator, tmp_path, [story])
    assert said[fault] == count


@pytest.mark.parametrize("reply", [b"-ERR no\r\n", b"HTTP/1.1 500 No\r\n\r\nbody"])
async def test_a_refused_publish_is_counted(generator: Path, tmp_path: Path, reply: bytes) -> None:
    said = await judge(generator, tmp_path, [[delta(seq) for seq in range(EVENTS + 1)]], reply)
    assert said["publish_errors"] == 1
