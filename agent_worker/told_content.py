"""What of a call's content may be told, in frames or in spans.

`full` tells all of it, or what the function that `TELEMETRY_REDACT` names makes of it; `structure`
tells the keys that the tool declares and the types of the values. Where it is not certain what a
value is, or the function fails, its structure is told.
"""

import logging
from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeVar, cast

from agent_worker.named import load_named
from agent_worker.settings import WorkerSettings
from agent_worker.structure import Schema, declare, structure_of_object
from agent_worker.translate import bound_object, cut_text, parse_arguments
from shared.protocol import AgentCustomEvent
from shared.settings import Content
from shared.span_content import is_without_content, mode_of_spans
from shared.tracing import otlp_endpoint

_log = logging.getLogger(__name__)

UNKNOWN_TOOL = "unknown_tool"
"""The name of a tool that does not exist: the model has made its name up, of whatever."""

Redact = Callable[[str, Any], Any]
"""`TELEMETRY_REDACT`: from a tool's name and its arguments (an object) or its result (a text), or a
custom event's name and its data (an object), to what of them may be told, of the same type."""
Told = TypeVar("Told", dict[str, Any], str)


class ToldContent:
    """The rule for frames, or that for spans. What is told has at most `most_bytes`."""

    def __init__(self, mode: Content, most_bytes: int, redact: Redact | None = None) -> None:
        self._is_full = mode == "full"
        self._most_bytes = most_bytes
        self._redact = redact

    def tool_name(self, name: str, schema: Schema | None) -> str:
        """`schema` is that of the tool's parameters; `None` when there is no such tool."""
        return name if self._is_full or schema is not None else UNKNOWN_TOOL

    def arguments(self, name: str, arguments: object, schema: Schema | None) -> dict[str, Any]:
        """Arguments as the model wrote them, as an object."""
        parsed = parse_arguments(arguments)
        told = self._full(name, parsed)
        if told is None:
            told = structure_of_object(parsed, schema or {})
        return bound_object(told, self._most_bytes)

    def result(self, name: str, result: str) -> tuple[str, int | None]:
        """A tool's result, and how many bytes of it were cut off: all of them in `structure`."""
        told = self._full(name, result)
        return cut_text(result, 0) if told is None else cut_text(told, self._most_bytes)

    def custom(self, event: AgentCustomEvent) -> AgentCustomEvent:
        """A custom event. The keys of its data are those that its class declares."""
        told = self._full(event.name, event.data)
        if told is None:
            told = structure_of_object(event.data, declare(event.data))
        return event.model_copy(update={"data": bound_object(told, self._most_bytes)})

    def _full(self, name: str, value: Told) -> Told | None:
        """The value, as far as it may be told in full; `None` when only its structure may."""
        if not self._is_full:
            return None
        if self._redact is None:
            return value
        try:
            told = self._redact(name, value)
            if not isinstance(told, type(value)):
                raise TypeError(f"the function returned {type(told).__name__}")
            # What JSON cannot hold is replaced, as in every frame.
            return cast(Told, parse_arguments(told) if isinstance(told, dict) else told)
        except Exception as error:  # whatever a function that is not ours does
            _log.error("TELEMETRY_REDACT failed; the structure is told", exc_info=error)
            return None


def content_of_frames(settings: WorkerSettings) -> ToldContent:
    """The rule for frames. Raises `ValueError` when `TELEMETRY_REDACT` names no function."""
    redact = _load_redact(settings.telemetry_redact)
    return ToldContent(settings.telemetry_content, settings.max_result_bytes, redact)


def content_of_spans(settings: WorkerSettings) -> ToldContent | None:
    """The rule for calls in spans; `None` when spans leave as they are. Raises `ValueError` as
    above."""
    endpoint = otlp_endpoint()
    if not is_without_content(settings, endpoint):
        return None
    mode, redact = mode_of_spans(settings, endpoint), _load_redact(settings.telemetry_redact)
    return ToldContent(mode, settings.max_result_bytes, redact)


@lru_cache(maxsize=1)
def _load_redact(name: str) -> Redact | None:
    """Loaded once per process."""
    if not name:
        return None
    redact = load_named(name, "TELEMETRY_REDACT")
    if not callable(redact):
        raise ValueError(f"TELEMETRY_REDACT: {name!r} is not a function")
    return redact
