"""The commands of every page, run as they are printed, by `Reader`, beside one running system."""

from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.docs.blocks import FATES, blocks_of, commands_of, fate_of
from tests.docs.reader import GATEWAY_PORT, Reader, make_clone
from tests.docs.scripts import RUN, SCRIPTS


@pytest.fixture(scope="module")
async def started(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Reader, None]:
    """Somebody who has typed `make run` in a terminal, and leaves it open."""
    clone = tmp_path_factory.mktemp("running")
    make_clone(clone)
    reader = Reader(clone)
    settings = {"PORT": str(reader.ports[GATEWAY_PORT]), "LEASE_SECONDS": "1"}
    await reader.do(replace(RUN, environment=settings), RUN.command)
    yield reader
    await reader.leave()


@pytest.mark.timeout(180)
@pytest.mark.parametrize("page", [page for page, script in SCRIPTS.items() if script])
async def test_every_command_of_the_page_does_what_the_page_says(
    page: str, started: Reader, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """In the order of the page, each in a terminal of its own where it goes on."""
    make_clone(tmp_path)
    reader = Reader(tmp_path, started.ports, dict(started.words))
    steps = iter(SCRIPTS[page])
    try:
        for block in blocks_of(page):
            if block.file and not block.reason:
                reader.write(block.file, block.text)
            commands = commands_of(block)
            due = [next(steps) for _ in commands]
            for step, command in zip(due, commands, strict=True):
                if step is not RUN and not step.elsewhere:  # the first runs already
                    await reader.do(step, command)
            if fate := fate_of(block, due):
                request.config.stash[FATES][block] = fate
    finally:
        await reader.leave()


def test_only_ports_words_and_make_are_others_here_than_on_the_page(tmp_path: Path) -> None:
    """Values of variables of these names are none of them."""
    reader = Reader(
        tmp_path, {"8000": 1111, "8001": 2222}, {"TURN_ID": "t-1", "REDIS_PORT": "3333"}
    )
    for printed, run in {
        "PORT=8001 python -m gateway": "PORT=2222 python -m gateway",
        "export REDIS_URL=redis://127.0.0.1:REDIS_PORT/0": "export REDIS_URL=redis://127.0.0.1:3333/0",
        "curl localhost:8000/x -d 80001": "curl localhost:1111/x -d 80001",
        "--retry TURN_ID MY_TURN_ID": "--retry t-1 MY_TURN_ID",
        "TURN_ID=8 make-nothing": "TURN_ID=8 make-nothing",
    }.items():
        assert reader.on_this_machine(printed, {}) == run
    assert reader.on_this_machine("A=1 make run", {}) == (
        "A=1 make -o .venv/.ready -o frontend/node_modules/.ready -o frontend/dist/index.html run"
    )
    assert (
        reader.on_this_machine("//redis.example:6379/", {"redis.example:6379": "h:1"}) == "//h:1/"
    )
