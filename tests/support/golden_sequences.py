"""The golden sequences themselves (see `tests.support.golden`)."""

from typing import Any

from shared.protocol import (
    AgentCustomEvent,
    AssistantMessage,
    ErrorMessage,
    Failure,
    Heartbeat,
    OpenAIEvent,
    OpenAIResponseEvent,
    ReasoningMessage,
    ToolCallEvent,
    ToolResultEvent,
    TurnFinished,
    TurnStarted,
    Usage,
    UserMessageEvent,
)
from tests.support.golden import SESSION, Expected, Golden, Script, golden

ONE = "11111111-1111-4111-8111-111111111111"
TWO = "22222222-2222-4222-8222-222222222222"
QUESTION = "Which patients have diabetes?"
USAGE = Usage(prompt_tokens=31, completion_tokens=12, total_tokens=43, requests=2)
MODEL = {"span_id": "5fe9ea6cec338a1d", "parent_span_id": "0f2a6e1d7c3b4a59"}
TOOL = {"span_id": "3089ec5532e1d161", "parent_span_id": "0f2a6e1d7c3b4a59"}


def ask(script: Script, turn_id: str = ONE, content: str = QUESTION) -> None:
    script.add(UserMessageEvent, turn_id=turn_id, message_id=turn_id, content=content)


def start(script: Script, attempt: int = 1, turn_id: str = ONE) -> None:
    script.add(TurnStarted, turn_id=turn_id, attempt=attempt, worker=f"host-{attempt}")


def say(script: Script, content: str, text: str = "t1", **fields: Any) -> None:
    common = {"turn_id": ONE, "attempt": 1, "streaming": True} | fields
    script.add(AssistantMessage, message_id=text, content=content, **common)


def whole(script: Script, content: str, text: str = "t1", **fields: Any) -> None:
    say(script, content, text, **({"streaming": False} | fields))


def call_model(script: Script, call_id: str = "m1", **fields: Any) -> None:
    common = {"turn_id": ONE, "attempt": 1, "provider": "openai", "model": "gpt-5-mini"}
    script.add(OpenAIEvent, call_id=call_id, **(common | MODEL | fields))


def end_model(script: Script, call_id: str = "m1", **fields: Any) -> None:
    common = {
        "turn_id": ONE,
        "attempt": 1,
        "model": "gpt-5-mini",
        "prompt_tokens": 20,
        "completion_tokens": 5,
        "total_tokens": 25,
        "duration_ms": 40,
        "time_to_first_token_ms": 12,
        "finish_reason": "tool_calls",
    }
    script.add(OpenAIResponseEvent, call_id=call_id, **(common | MODEL | fields))


def call_tool(script: Script, call_id: str = "c1", **fields: Any) -> None:
    common = {"turn_id": ONE, "attempt": 1, "tool_name": "fhir_search"}
    arguments = {"resource": "Condition", "code": "44054006"}
    script.add(ToolCallEvent, tool_call_id=call_id, arguments=arguments, **(common | TOOL | fields))


def end_tool(script: Script, call_id: str = "c1", **fields: Any) -> None:
    common = {"turn_id": ONE, "attempt": 1, "tool_name": "fhir_search", "duration_ms": 30}
    result = {"result": '{"total": 2}'}
    script.add(ToolResultEvent, tool_call_id=call_id, **(common | TOOL | result | fields))


def finish(script: Script, status: str = "completed", **fields: Any) -> None:
    common = {"turn_id": ONE, "attempt": 1, "duration_ms": 150, "usage": USAGE}
    script.add(TurnFinished, status=status, **(common | fields))


def every_type(script: Script) -> None:
    script.connect(head=None)
    ask(script)
    start(script)
    call_model(script)
    think: dict[str, Any] = {"turn_id": ONE, "attempt": 1, "message_id": "r1"}
    script.add(ReasoningMessage, streaming=True, content="I have to ", **think)
    script.add(ReasoningMessage, streaming=False, content="I have to search.", **think)
    say(script, "Let me ")
    say(script, "look. ")
    whole(script, "Let me look. ")
    end_model(script)
    call_tool(script)
    script.add(AgentCustomEvent, turn_id=ONE, attempt=1, name="progress", data={"percent": 50})
    end_tool(script)
    call_model(script, "m2")
    say(script, "Ada 👩🏽‍⚕️ and ", "t2")
    script.say(Heartbeat(session_id=SESSION, head=script.head))
    say(script, "Ben.\n", "t2")
    end_model(script, "m2", finish_reason="stop", prompt_tokens=None, total_tokens=None)
    whole(script, "Ada 👩🏽‍⚕️ and Ben.\n", "t2")
    finish(script)


def taken_over(script: Script) -> None:
    script.connect(head=None)
    ask(script)
    start(script)
    call_model(script)
    whole(script, "I look. ")
    end_model(script)
    call_tool(script)
    say(script, "Half of wh", "t2")
    end_tool(script, is_error=True, result="The worker was lost.", duration_ms=5012)
    start(script, attempt=2)
    call_model(script, "m2", attempt=2)
    say(script, "Nobody", "t3", attempt=2)
    say(script, ".", "t3", attempt=2)
    end_model(script, "m2", attempt=2)
    whole(script, "Nobody.", "t3", attempt=2)
    finish(script, attempt=2)


def stopped(script: Script) -> None:
    script.connect(head=None)
    ask(script)
    ask(script, TWO, "And asthma?")
    start(script)
    say(script, "Ada, B")
    script.add(TurnFinished, turn_id=TWO, status="cancelled")
    whole(script, "Ada, B")
    finish(script, status="cancelled", usage=None)


def failed(script: Script) -> None:
    script.connect(head=None)
    ask(script)
    start(script)
    call_model(script)
    say(script, "The ans")
    end_model(script, is_error=True, total_tokens=None, finish_reason=None)
    error = {"code": "model_error", "error": "The model answered with an error."}
    script.add(ErrorMessage, turn_id=ONE, attempt=1, retryable=True, **error)
    finish(script, status="failed", error=Failure.model_validate(error))


def another_life(script: Script) -> None:
    """A log that lived through a restart of Redis, read from its beginning after a reset."""
    script.connect(head=f"{script.epoch + 1_000_000}-6", reset=True)
    ask(script)
    start(script)
    whole(script, "Ada.")
    finish(script)
    script.begin_epoch()
    ask(script, TWO, "And asthma?")
    start(script, turn_id=TWO)
    script.pass_over(2)  # its pieces have left the log
    whole(script, "Nobody.", "t9", turn_id=TWO)
    finish(script, turn_id=TWO)


def from_the_future(script: Script) -> None:
    script.connect(head=None)
    ask(script)
    start(script)
    script.add_from_the_future("hologram", turn_id=ONE, attempt=1, shape={"sides": 6})
    script.add_from_the_future("weather", mood="fair")
    whole(script, "Yes.")
    finish(script)


GOLDEN: tuple[Golden, ...] = (
    golden(
        "every_type",
        "one turn with every type of frame, and counts that the provider did not give",
        every_type,
        Expected(
            ONE,
            QUESTION,
            "completed",
            1,
            "Let me look. Ada 👩🏽‍⚕️ and Ben.\n",
            {"m1": "ended", "c1": "ended", "m2": "ended"},
        ),
    ),
    golden(
        "taken_over",
        "a worker dies in a tool call: its texts go, its calls stay, the answer is the second's",
        taken_over,
        Expected(
            ONE,
            QUESTION,
            "completed",
            2,
            "Nobody.",
            {"m1": "ended", "c1": "failed", "m2": "ended"},
        ),
    ),
    golden(
        "stopped",
        "a running turn keeps what it had said; a waiting one never had an attempt",
        stopped,
        Expected(ONE, QUESTION, "cancelled", 1, "Ada, B", {}),
        Expected(TWO, "And asthma?", "cancelled", 0, "", {}),
    ),
    golden(
        "failed",
        "pieces that got no final go with the turn's end",
        failed,
        Expected(ONE, QUESTION, "failed", 1, "", {"m1": "failed"}),
    ),
    golden(
        "another_life",
        "one replay with two epochs and a hole",
        another_life,
        Expected(ONE, QUESTION, "completed", 1, "Ada.", {}),
        Expected(TWO, "And asthma?", "completed", 1, "Nobody.", {}),
    ),
    golden(
        "from_the_future",
        "types that nobody knows yet disturb nothing",
        from_the_future,
        Expected(ONE, QUESTION, "completed", 1, "Yes.", {}),
    ),
)
