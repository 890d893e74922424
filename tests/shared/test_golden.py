"""The golden sequences, which the page's tests read too, as the models and the Python client see
them."""

import json
from pathlib import Path
from typing import Any

import pytest
from fanline import Conversation
from fanline.conversation import Turn
from fanline.events import parse_event
from pydantic import TypeAdapter

from shared.protocol import ServerFrame

FOLDER = Path(__file__).parent.parent / "golden"
NAMES = sorted(file.stem for file in FOLDER.glob("*.jsonl"))
ADAPTER: TypeAdapter[Any] = TypeAdapter(ServerFrame)
FUTURE = ("hologram", "weather")


def frames_of(name: str) -> list[str]:
    return (FOLDER / f"{name}.jsonl").read_text().splitlines()


def shown(turn: Turn) -> dict[str, Any]:
    return {
        "turn_id": turn.turn_id,
        "question": turn.question,
        "status": turn.status,
        "attempt": turn.attempt,
        "answer": turn.answer,
        "calls": {call_id: state_of(call) for call_id, call in turn.calls.items()},
    }


def state_of(call: dict[str, Any]) -> str:
    if "end" not in call:
        return "open"
    return "failed" if call["end"]["is_error"] else "ended"


@pytest.mark.parametrize("name", NAMES)
def test_the_python_client_shows_what_the_sequence_means(name: str) -> None:
    """Applied in order, the frames are the conversation that was written by hand."""
    conversation = Conversation()
    for text in frames_of(name):
        conversation.apply(parse_event(text))
    expected = json.loads((FOLDER / f"{name}.expected.json").read_text())
    assert [shown(turn) for turn in conversation.turns.values()] == expected["turns"]


@pytest.mark.parametrize("name", NAMES)
def test_every_frame_is_one_of_the_models(name: str) -> None:
    """All but those that are there to be unknown."""
    for text in frames_of(name):
        if json.loads(text)["type"] not in FUTURE:
            frame = ADAPTER.validate_json(text)
            assert json.loads(frame.model_dump_json()) == json.loads(text)


def test_every_type_of_frame_is_in_a_sequence() -> None:
    """A type that is added gets its place here."""
    used = {json.loads(text)["type"] for name in NAMES for text in frames_of(name)}
    known = set(ADAPTER.json_schema()["discriminator"]["mapping"])
    assert known <= used
