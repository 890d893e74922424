"""The emitter: the agent never waits, and nothing is lost, doubled or reordered."""

import pytest

from shared.errors import Fenced, Unavailable
from shared.protocol import ReasoningMessage
from tests.support.emitter_scene import a_scene


async def test_the_agent_goes_on_while_redis_does_not_answer() -> None:
    """A thousand events are emitted without one await, and all come, in order."""
    async with a_scene() as scene:
        for number in range(1000):
            scene.custom(str(number))
        assert not scene.emitter.overflowed.is_set()
        log = await scene.written()
    assert [frame["name"] for frame in log] == [str(number) for number in range(1000)]


async def test_the_first_event_goes_at_once_and_batches_form_only_while_a_write_is_in_flight() -> (
    None
):
    async with a_scene() as scene:
        scene.custom("a")
        assert len((await scene.asked(1)).events) == 1
        scene.custom("b")
        scene.custom("c")
        assert len(scene.lease.asked) == 1, "one writer, one write at a time"
        scene.lease.open.set()
        assert len((await scene.asked(2)).events) == 2
        await scene.emitter.drain()
        scene.custom("d")
        assert len((await scene.asked(3)).events) == 1
        assert [write.batch for write in scene.lease.asked] == [1, 2, 3]


async def test_waiting_pieces_of_one_text_become_one_frame() -> None:
    """The merged frame is the last of them but for its content; other texts stay apart."""
    async with a_scene() as scene:
        scene.custom()
        await scene.asked(1)
        for content in ("o", "n", "e"):
            scene.piece(content, "first")
        scene.piece("two", "second")
        scene.emitter.emit(
            scene.story.make(ReasoningMessage, message_id="second", streaming=True, content="hm")
        )
        scene.piece("three", "first")
        await scene.written()
    assert scene.lease.asked[1].told() == [
        ("assistant", "one"),
        ("assistant", "two"),
        ("reasoning", "hm"),
        ("assistant", "three"),
    ]


async def test_telemetry_is_never_merged_and_keeps_its_place_among_the_pieces() -> None:
    async with a_scene() as scene:
        scene.piece("0")
        await scene.asked(1)
        for _ in range(2):
            scene.piece("a")
            scene.custom()
            scene.custom()
            scene.piece("b")
        await scene.written()
    kinds = [kind for kind, _ in scene.lease.asked[1].told()]
    text, custom = "assistant", "custom"
    assert kinds == [text, custom, custom, text, custom, custom, text]
    assert scene.lease.asked[1].told()[3] == (text, "ba")


async def test_a_write_that_was_not_answered_is_repeated_with_its_number_and_its_bytes() -> None:
    """Whatever was emitted meanwhile; the lease is renewed first, and nothing comes twice."""
    async with a_scene() as scene:
        scene.lease.failures.extend([Unavailable("gone"), Unavailable("gone")])
        scene.piece("a")
        await scene.asked(1)
        scene.piece("b")
        scene.lease.open.set()
        await scene.written()
        first, second, third, fourth = scene.lease.asked
        assert first == second == third
        assert (fourth.batch, fourth.told()) == (2, [("assistant", "b")])
        assert scene.lease.renewals == 2


async def test_who_is_fenced_writes_nothing_more() -> None:
    async with a_scene() as scene:
        scene.lease.failures.append(Fenced("another worker"))
        scene.lease.open.set()
        scene.custom("a")
        scene.custom("b")
        with pytest.raises(Fenced):
            await scene.sending
        scene.custom("c")
        assert scene.lease.log == {}
        assert len(scene.lease.asked) == 1


async def test_at_the_bound_the_turn_is_told_to_end_and_nothing_more_is_queued() -> None:
    """But a call that was told gets its end: no open call is left behind."""
    async with a_scene(max_bytes=5000) as scene:
        scene.emitter.emit_openai_call("call", "m-x", "openai")
        await scene.asked(1)
        while not scene.emitter.overflowed.is_set():
            scene.piece("x" * 100)
        scene.piece("never told")
        scene.emitter.emit_tool_call("late", "never told", {})
        scene.emitter.emit_tool_result("late", "never told", 1)
        scene.emitter.close_open_calls()
        log = await scene.written()
    assert [frame["type"] for frame in log] == ["openai_call", "assistant", "openai_response"]
    assert set(log[1]["content"]) == {"x"}
    assert (log[2]["call_id"], log[2]["is_error"]) == ("call", True)


async def test_the_bound_counts_bytes_and_not_characters() -> None:
    async with a_scene(max_bytes=5000) as scene:
        scene.custom()
        await scene.asked(1)
        for _ in range(10):
            scene.piece("😀" * 100)
        assert not scene.emitter.overflowed.is_set()
        scene.piece("😀" * 100)
        scene.piece("😀" * 100)
        assert scene.emitter.overflowed.is_set()


async def test_what_has_been_written_does_not_count_towards_the_bound() -> None:
    async with a_scene(max_bytes=5000) as scene:
        for number in range(50):
            scene.piece("x" * 1000, f"m{number}")
            scene.whole("x" * 1000, f"m{number}")
            await scene.written()
        assert not scene.emitter.overflowed.is_set()


async def test_a_call_has_one_end_with_the_ids_of_its_beginning() -> None:
    async with a_scene() as scene:
        emitter = scene.emitter
        emitter.emit_tool_call("c", "tool", {"a": 1}, span_id="1", parent_span_id="0")
        emitter.emit_tool_result("c", "€" * 50, 12)
        emitter.emit_tool_result("c", "again", 12)
        emitter.emit_tool_result("unknown", "?", 12)
        emitter.emit_openai_response("unknown", 12)
        log = await scene.written()
    call, result = log
    assert (call["arguments"], call["span_id"], call["parent_span_id"]) == ({"a": 1}, "1", "0")
    assert (result["span_id"], result["parent_span_id"]) == ("1", "0")
    assert (result["tool_name"], result["duration_ms"]) == ("tool", 12)
    assert (result["result"], result["truncated_bytes"]) == ("€" * 33, 51)


async def test_arguments_beyond_their_bound_are_left_out() -> None:
    async with a_scene() as scene:
        scene.emitter.emit_tool_call("c1", "tool", {"text": "x" * 80})
        scene.emitter.emit_tool_call("c2", "tool", {"text": "x" * 100})
        told = [event["arguments"] for event in await scene.written()]
    assert told == [{"text": "x" * 80}, {"truncated": True}]


async def test_calls_that_a_run_was_cut_off_in_are_closed_as_errors() -> None:
    async with a_scene() as scene:
        scene.emitter.emit_openai_call("m", "m-x", "openai")
        scene.emitter.emit_tool_call("c", "tool", {})
        scene.emitter.close_open_calls()
        scene.emitter.close_open_calls()
        log = await scene.written()
    ends = [(frame["type"], frame["is_error"]) for frame in log[2:]]
    assert ends == [("openai_response", True), ("tool_result", True)]
