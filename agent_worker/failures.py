"""Why a turn failed: exceptions to stable codes and sentences for a person.

Exception texts never travel: they can hold keys, paths and patients. They are logged where the turn
ran.
"""

from pydantic_ai.exceptions import (
    AgentRunError,
    ModelAPIError,
    ModelRequestTimeout,
    ModelTimeoutError,
    RunTimedOut,
    UserError,
)

from agent_worker.mcp_connection import McpServerLost
from shared.protocol import Failure

WORKER_LOST = Failure(
    code="worker_lost", error="Every worker that ran this turn was lost. Please ask again."
)
OVERFLOWED = Failure(
    code="unavailable", error="The answer could not be stored while the service was away."
)
TIMED_OUT = Failure(code="turn_timeout", error="The answer took too long and was stopped.")
UNSUPPORTED_OUTPUT = Failure(
    code="unsupported_output", error="The agent asked for something that nobody here can answer."
)
_TOOL = Failure(code="tool_error", error="A tool that the answer needs has failed.")
_MODEL = Failure(code="model_error", error="The language model could not answer.")
_MODEL_TIMEOUT = Failure(code="model_timeout", error="The language model did not answer in time.")
_INTERNAL = Failure(code="internal", error="Something went wrong while answering.")


def explain(error: BaseException, tool_error: BaseException | None) -> Failure:
    """The failure that a run's exception stands for. `tool_error` is what a tool raised last."""
    if tool_error is not None and tool_error in _causes(error):
        return _TOOL
    match error:
        case McpServerLost():
            return _TOOL
        case RunTimedOut():
            return TIMED_OUT
        case ModelTimeoutError() | ModelRequestTimeout():
            return _MODEL_TIMEOUT
        case ModelAPIError() | AgentRunError():
            return _MODEL
        case UserError() if "DeferredToolRequests" in str(error):
            return UNSUPPORTED_OUTPUT  # an approval, by an agent that did not foresee it
        case _:
            return _INTERNAL


def _causes(error: BaseException) -> list[BaseException]:
    found = [error]
    while (cause := found[-1].__cause__) is not None and cause not in found:
        found.append(cause)
    return found
