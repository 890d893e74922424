"""What becomes of an emitted text: its pieces leave the log when it is whole, and the last one of a
turn waits for the turn's end."""

import asyncio
from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shared.errors import Unavailable
from shared.protocol import AssistantMessage, Event
from tests.support.emitter_scene import a_scene


async def test_the_pieces_of_a_text_leave_the_log_with_its_end() -> None:
    async with a_scene() as scene:
        for content in ("a", "b", "c"):
            scene.piece(content)
            await scene.written()
        assert len(scene.lease.log) == 3
        scene.whole("abc")
        scene.custom()
        log = await scene.written()
        assert [frame["type"] for frame in log] == ["assistant", "custom"]
        assert (log[0]["content"], log[0]["streaming"]) == ("abc", False)
        assert scene.emitter.left_in_log() == []


async def test_no_piece_stays_in_the_log_without_the_pieces_before_it() -> None:
    """A tab that has to read is shown the whole text, or its beginning: never one with a hole. So a
    piece that would be written together with its end is not written at all."""
    async with a_scene() as scene:
        scene.piece("a", "done")
        await scene.written()
        scene.lease.open.clear()
        scene.custom()
        await scene.asked(2)
        scene.piece("b", "done")
        scene.custom()
        scene.whole("ab", "done")
        scene.piece("cut o", "cut off")
        log = await scene.written()
        texts = [(frame["content"], frame["streaming"]) for frame in log if "content" in frame]
        assert texts == [("ab", False), ("cut o", True)]
        assert scene.lease.log[scene.emitter.left_in_log()[0]]["content"] == "cut o"


async def test_a_waiting_piece_gives_way_to_the_whole_text() -> None:
    async with a_scene() as scene:
        scene.piece("a")
        await scene.asked(1)
        scene.piece("b")
        scene.whole("ab")
        scene.custom()
        log = await scene.written()
    assert [(frame["type"], frame.get("content")) for frame in log] == [
        ("assistant", "ab"),
        ("custom", None),
    ]


async def test_the_last_text_of_a_turn_is_kept_for_its_end() -> None:
    """It goes into the log in one step with `turn_finished`; only the end of the model call that
    wrote it passes it."""
    async with a_scene() as scene:
        scene.emitter.emit_openai_call("call", "m-x", "openai")
        scene.piece("answer")
        scene.whole("answer")
        scene.emitter.emit_openai_response("call", 7)
        log = await scene.written()
        assert [frame["type"] for frame in log] == ["openai_call", "assistant", "openai_response"]
        (held,) = scene.emitter.take_held()
        assert isinstance(held, AssistantMessage)
        assert (held.streaming, held.content) == (False, "answer")
        assert len(scene.emitter.left_in_log()) == 1
        assert scene.emitter.take_held() == []


async def test_a_text_before_a_tool_call_is_whole_before_the_call() -> None:
    async with a_scene() as scene:
        scene.whole("let me look")
        scene.emitter.emit_tool_call("c", "tool", {})
        log = await scene.written()
        assert [frame["type"] for frame in log] == ["assistant", "tool_call"]
        assert scene.emitter.take_held() == []


STEPS = ("piece 1", "whole 1", "piece 2", "whole 2", "custom", "write", "away")


@given(st.lists(st.sampled_from(STEPS), max_size=30))
def test_any_story_is_in_the_log_as_it_was_told(steps: list[str]) -> None:
    """However the sender was interleaved with it, and Redis away once."""
    asyncio.run(_tell(steps))


async def _tell(steps: Sequence[str]) -> None:
    async with a_scene() as scene:
        told: list[str] = []
        spoken = {"1": "", "2": ""}
        texts = {"1": 0, "2": 0}
        ended: list[str] = []
        for step in steps:
            kind, _, which = step.partition(" ")
            if kind == "piece":
                spoken[which] += "x"
                scene.piece("x", f"{which}.{texts[which]}")
            elif kind == "whole":
                ended.append(spoken[which])
                scene.whole(spoken[which], f"{which}.{texts[which]}")
                spoken[which], texts[which] = "", texts[which] + 1
            elif kind == "custom":
                told.append(str(len(told)))
                scene.custom(told[-1])
            elif kind == "write":
                await scene.written()
                scene.lease.open.clear()
            elif not scene.lease.renewals and not scene.lease.failures:
                scene.lease.failures.append(Unavailable("gone"))
        log = await scene.written()
        held = scene.emitter.take_held()
        for place in scene.emitter.left_in_log():
            del scene.lease.log[place]
        log = [*scene.lease.log.values(), *map(_as_frame, held)]
    assert [frame["name"] for frame in log if frame["type"] == "custom"] == told
    assert [frame["content"] for frame in log if frame["type"] == "assistant"] == ended
    assert len(log) == len(told) + len(ended), "no piece is left"


def _as_frame(event: Event) -> dict[str, Any]:
    return event.model_dump()
