"""The peers of the benchmark: what is published to them is in their own wire format."""

import json
from collections.abc import Iterator
from pathlib import Path

import hiredis
import pytest

from benchmarks.systems.installing import NotInstalledError, install, run
from benchmarks.systems.nchan import Nchan
from benchmarks.systems.node_ws import NodeWs
from benchmarks.systems.python_socketio import PythonSocketIO
from benchmarks.systems.socket_io import SocketIO, to_msgpack
from benchmarks.systems.system import System
from benchmarks.systems.tutorial import Tutorial

EVENTS = [
    b'{"id":"1-1","type":"assistant","session_id":"s1","content":"\xc3\xa9t\xc3\xa9"}',
    b'{"id":"1-2","type":"tool_result","session_id":"s1","result":"","is_error":false}',
]


def commands(data: bytes) -> Iterator[list[bytes]]:
    """The Redis commands in a stream of bytes."""
    reader = hiredis.Reader()
    reader.feed(data)
    while (command := reader.gets()) is not False:
        yield command


@pytest.mark.parametrize("system", [Tutorial(), NodeWs()], ids=lambda system: system.name)
def test_events_are_published_as_they_are(system: System) -> None:
    """One PUBLISH an event, on the session's channel."""
    published = list(commands(system.publish("s1", EVENTS)))
    assert published == [[b"PUBLISH", b"session:{s1}", event] for event in EVENTS]


def test_python_socketio_is_told_to_emit_to_the_room_of_the_session() -> None:
    """The JSON of its write-only manager, on its one channel."""
    for event, (word, channel, text) in zip(
        EVENTS, commands(PythonSocketIO().publish("s1", EVENTS)), strict=True
    ):
        message = json.loads(text)
        assert (word, channel) == (b"PUBLISH", b"socketio")
        assert (message["method"], message["event"], message["room"]) == ("emit", "event", "s1")
        assert message["data"] == [json.loads(event)]


def test_socket_io_is_told_to_broadcast_to_the_room_of_the_session() -> None:
    """The emitter's packet in MessagePack, on the channel of the room."""
    published = list(commands(SocketIO().publish("s1", EVENTS)))
    assert [channel for _, channel, _ in published] == [b"socket.io#/#s1#"] * len(EVENTS)
    assert all(to_msgpack("emitter") in text for *_, text in published)
    for event, (*_, text) in zip(EVENTS, published, strict=True):
        assert to_msgpack(["event", json.loads(event)]) in text
        assert to_msgpack({"rooms": ["s1"], "flags": {}, "except": []}) in text


def test_nchan_gets_one_request_an_event() -> None:
    """Pipelined on one connection, each with its length."""
    rest = Nchan().publish("s1", EVENTS)
    for event in EVENTS:
        head, _, rest = rest.partition(b"\r\n\r\n")
        assert head.startswith(b"POST /pub?session_id=s1 HTTP/1.1\r\n")
        assert head.endswith(b"\r\nContent-Length: %d" % len(event))
        assert rest.startswith(event)
        rest = rest.removeprefix(event)
    assert rest == b""


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        ([None, True, False], b"\x93\xc0\xc3\xc2"),
        ([0, 127], b"\x92\x00\x7f"),
        (128, b"\xd3" + b"\x00" * 7 + b"\x80"),
        (-1, b"\xd3" + b"\xff" * 8),
        (1.5, b"\xcb\x3f\xf8" + b"\x00" * 6),
        ("é", b"\xa2\xc3\xa9"),
        ("x" * 31, b"\xbf" + b"x" * 31),
        ("x" * 32, b"\xd9\x20" + b"x" * 32),
        ("x" * 256, b"\xda\x01\x00" + b"x" * 256),
        ("x" * 65_536, b"\xdb\x00\x01\x00\x00" + b"x" * 65_536),
        ([0] * 16, b"\xdc\x00\x10" + b"\x00" * 16),
        ({"a": {}}, b"\x81\xa1a\x80"),
    ],
    ids=lambda value: repr(value)[:12],
)
def test_messagepack_is_that_of_the_specification(value: object, encoded: bytes) -> None:
    assert to_msgpack(value) == encoded


def test_a_recipe_is_followed_once(tmp_path: Path) -> None:
    """The same is not installed again; another one replaces what was there."""
    folder = tmp_path / "peer"
    followed: list[str] = []

    def follow(recipe: str) -> str:
        def fill(folder: Path) -> None:
            followed.append(recipe)
            (folder / recipe).touch()

        return install(folder, recipe, fill)

    assert [follow(recipe) for recipe in ("one", "one", "two")] == ["", "", ""]
    assert followed == ["one", "two"]
    assert not (folder / "one").exists()


def test_what_could_not_be_installed_is_said_and_tried_again(tmp_path: Path) -> None:
    """A command's last line is the reason; a folder that was left half filled does not count."""
    folder = tmp_path / "peer"

    def fail(folder: Path) -> None:
        (folder / "half").touch()
        run("The peer", ["sh", "-c", "echo trying; echo no such thing; exit 3"], folder)

    assert install(folder, "recipe", fail) == "The peer could not be installed: no such thing."
    assert install(folder, "recipe", lambda _: None) == ""
    assert not (folder / "half").exists()


def test_a_command_that_is_not_there_is_a_reason(tmp_path: Path) -> None:
    with pytest.raises(NotInstalledError, match=r"The peer could not be installed: .*no-such"):
        run("The peer", ["no-such-command"], tmp_path)
