"""What a model is told when a tool cannot answer: one sentence, and no traceback in anybody's log.

The framework's own text about a wrong argument is several lines with a link. A call that a model
got wrong is no fault of the server, so it is logged as information.
"""

import logging

from fastmcp.exceptions import ToolError, ValidationError
from fastmcp.server.middleware import CallNext, Middleware, MiddlewareContext
from fastmcp.tools import ToolResult
from mcp.types import CallToolRequestParams
from pydantic import ValidationError as PydanticValidationError


class PlainErrors(Middleware):
    """Words wrong arguments as one sentence that names each of them."""

    async def on_call_tool(
        self,
        context: MiddlewareContext[CallToolRequestParams],
        call_next: CallNext[CallToolRequestParams, ToolResult],
    ) -> ToolResult:
        try:
            return await call_next(context)
        except ValidationError as error:
            if not isinstance(error.__cause__, PydanticValidationError):
                raise
            raise cannot_answer(_word(error.__cause__)) from None


def cannot_answer(sentence: str) -> ToolError:
    """The error to raise from a tool, for the model to read."""
    return ToolError(sentence, log_level=logging.INFO)


def _word(error: PydanticValidationError) -> str:
    wrong: list[str] = []
    for detail in error.errors(include_url=False, include_context=False, include_input=False):
        name = ".".join(str(step) for step in detail["loc"])
        said = detail["msg"].removeprefix("Value error, ")
        wrong.append(f"`{name}`: {said[:1].lower()}{said[1:]}")
    return f"Wrong arguments: {'; '.join(wrong)}."
