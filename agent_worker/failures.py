"""Why a turn failed: exceptions to stable codes and sentences for a person.

Exception texts never travel: they can hold keys, paths and patients. They are logged where the turn
ran.
"""

from pydantic_ai.exceptions import (
    AgentRunError,
    ContentFilterError,
    ModelAPIError,
    ModelAuthenticationError,
    ModelConnectionError,
    ModelContextWindowExceededError,
    ModelHTTPError,
    ModelNotFoundError,
    ModelQuotaExceededError,
    ModelRateLimitError,
    ModelRequestTimeout,
    ModelTimeoutError,
    ModelUnavailableError,
    OutputTokenLimitExceeded,
    RunTimedOut,
    UsageLimitExceeded,
    UserError,
)

from agent_worker.mcp_connection import McpServerLost
from agent_worker.translate import TextTooLong
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
FILTERED = Failure(
    code="model_error",
    error="The language model's content filter refused the question or the answer.",
)
_TOO_LONG = Failure(
    code="model_error",
    error="The answer is longer than this service may keep. Please ask for less.",
)
_TOOL = Failure(code="tool_error", error="A tool that the answer needs has failed.")
_MODEL_TIMEOUT = Failure(code="model_timeout", error="The language model did not answer in time.")
_OTHER_MODEL_FAILURE = Failure(code="model_error", error="The language model could not answer.")
INTERNAL = Failure(code="internal", error="Something went wrong while answering.")

_OF_MODEL = (
    (ModelTimeoutError | ModelRequestTimeout, _MODEL_TIMEOUT),
    (ContentFilterError, FILTERED),
    (
        ModelContextWindowExceededError,
        Failure(
            code="model_error",
            error="This conversation is too long for the language model. Please begin another one.",
        ),
    ),
    (
        OutputTokenLimitExceeded,
        Failure(code="model_error", error="The answer is longer than the language model may give."),
    ),
    (
        UsageLimitExceeded,
        Failure(
            code="model_error",
            error="The answer was stopped: it needs more of the language model than one turn may "
            "use.",
        ),
    ),
    (
        ModelRateLimitError | ModelUnavailableError,
        Failure(
            code="model_error",
            error="The language model is too busy at the moment. Please ask again later.",
        ),
    ),
    (
        ModelAuthenticationError | ModelQuotaExceededError | ModelNotFoundError,
        Failure(
            code="model_error",
            error="The language model does not accept this service's requests. Its key, quota or "
            "model name must be put right.",
        ),
    ),
    (
        ModelConnectionError,
        Failure(code="model_error", error="The connection to the language model was lost."),
    ),
)
"""What is known of a model's failures; the first that fits. All else is `_OTHER_MODEL_FAILURE`."""

_FILTER_CODES = ("content_filter", "content_policy_violation")
_TIMEOUT_STATUSES = (408, 504)


def explain(error: BaseException, tool_error: BaseException | None) -> Failure:
    """The failure that a run's exception stands for. `tool_error` is what a tool raised last."""
    if tool_error is not None and tool_error in _causes(error):
        return _TOOL
    match error:
        case McpServerLost():
            return _TOOL
        case TextTooLong():
            return _TOO_LONG
        case RunTimedOut():
            return TIMED_OUT
        case AgentRunError():
            return _explain_model(error)
        case UserError() if "DeferredToolRequests" in str(error):
            return UNSUPPORTED_OUTPUT  # an approval, by an agent that did not foresee it
        case _:
            return INTERNAL


def _explain_model(error: AgentRunError) -> Failure:
    match error:
        case ModelAPIError(provider_error_code=code) if code in _FILTER_CODES:
            return FILTERED
        case ModelHTTPError(status_code=status) if status in _TIMEOUT_STATUSES:
            return _MODEL_TIMEOUT
        case _:
            known = (failure for kinds, failure in _OF_MODEL if isinstance(error, kinds))
            return next(known, _OTHER_MODEL_FAILURE)


def _causes(error: BaseException) -> list[BaseException]:
    found = [error]
    while (cause := found[-1].__cause__) is not None and cause not in found:
        found.append(cause)
    return found
