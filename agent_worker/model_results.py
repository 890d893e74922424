"""What the model is given of a tool's result: at most so many bytes, and told what is missing.

An answer of a megabyte would fill the model's context, or cost what nobody wants to pay. Frame and
span are told what the tool returned, whatever the model is given of it.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from pydantic_ai import RunContext
from pydantic_ai.capabilities import AgentCapability, Hooks

from agent_worker.translate import cut_text, json_text


def cut_for_model(most_bytes: int) -> AgentCapability[Any]:
    """For the agents that ship with Fanline, whichever toolset the result comes from. To be given
    to the agent, not to a run: an agent's hooks are around those of a run."""
    hooks: Hooks[Any] = Hooks()

    @hooks.on.tool_execute
    async def cut(  # pyright: ignore[reportUnusedFunction]
        ctx: RunContext[Any],
        *,
        call: Any,
        tool_def: Any,
        args: dict[str, Any],
        handler: Callable[[dict[str, Any]], Awaitable[Any]],
    ) -> Any:
        return cut_result(await handler(args), most_bytes)

    return hooks


def cut_result(result: Any, most_bytes: int) -> Any:
    """`result` as it is, or, when its text takes more than `most_bytes` of UTF-8, the beginning of
    that text and a sentence about the rest. Pure."""
    value = getattr(result, "return_value", result)  # a ToolReturn wraps what the model gets
    text = value if isinstance(value, str) else json_text(value)
    kept, cut_bytes = cut_text(text, most_bytes)
    if cut_bytes is None:
        return result
    return (
        f"{kept}\n[The result was cut here: {cut_bytes} of its {len(text.encode())} bytes are "
        "missing. Ask for less at once, such as a narrower search or the next page.]"
    )
