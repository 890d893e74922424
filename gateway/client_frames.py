"""What a tab may say: parsing and checking, pure. Anything else is refused with a code and a
sentence.

The socket lives on after every refusal. Parser texts are not echoed: they can quote the input.
"""

import json
from typing import Any, Literal, NoReturn, cast

from pydantic import TypeAdapter, ValidationError

from shared.ids import SessionId, parse_turn_id
from shared.protocol import (
    MAX_CONTENT_CODE_POINTS,
    CancelTurn,
    ClientMessage,
    ErrorCode,
    ErrorMessage,
    UserMessage,
)

CLIENT_TYPES = ("message", "cancel")
MAX_MESSAGE_BYTES = 12 * MAX_CONTENT_CODE_POINTS + 1024
"""Of the longest message as JSON, with each character as two escaped surrogates, and of its id."""
NO_JSON = "What was sent is not valid JSON."
_ADAPTER: TypeAdapter[UserMessage | CancelTurn] = TypeAdapter(ClientMessage)


class Refused(Exception):
    """A frame that is not accepted; `frame` is what the tab is told."""

    def __init__(self, frame: ErrorMessage, retry_after: int | None = None) -> None:
        super().__init__(frame.error)
        self.frame = frame
        self.retry_after = retry_after
        """Seconds, where it is worth trying again."""


def parse_client_frame(text: str, session_id: SessionId) -> UserMessage | CancelTurn:
    """The frame in `text`, sent on a socket of `session_id`. Raises `Refused`."""
    return _check_frame(_parse_object(text, session_id), session_id)


def parse_request(
    body: bytes, kind: Literal["message", "cancel"], session_id: SessionId
) -> UserMessage | CancelTurn:
    """The frame that a request's body stands for. Where it was sent says of which kind it is, and
    for which session: both may be left out. Raises `Refused`."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        refuse(session_id, "bad_json", NO_JSON)
    fields = {"session_id": session_id} | _parse_object(text, session_id) | {"type": kind}
    return _check_frame(fields, session_id)


def _check_frame(fields: dict[str, Any], session_id: SessionId) -> UserMessage | CancelTurn:
    kind = fields.get("type")
    if kind is None:
        refuse(session_id, "bad_frame", "The field `type` is missing.")
    if kind not in CLIENT_TYPES:
        refuse(session_id, "unknown_type", "A client sends `message` or `cancel`.")
    try:
        frame = _ADAPTER.validate_python(fields)
    except ValidationError as error:
        refuse(session_id, "bad_frame", f"The field `{_first_field(error)}` is missing or wrong.")
    if frame.session_id != session_id:
        refuse(session_id, "wrong_session", "`session_id` is not that of this place.")
    if isinstance(frame, UserMessage):
        _check_message(frame, session_id)
    else:
        _check_uuid(frame.turn_id, "turn_id", session_id)
    return frame


def refuse(
    session_id: SessionId,
    code: ErrorCode,
    sentence: str,
    *,
    retry_after: int | None = None,
    message_id: str | None = None,
    turn_id: str | None = None,
) -> NoReturn:
    """Raise `Refused` with the `error` frame that says so; `retry_after` seconds it is worth
    trying again."""
    frame = ErrorMessage(
        session_id=session_id,
        code=code,
        error=sentence,
        retryable=retry_after is not None,
        message_id=message_id,
        turn_id=turn_id,
    )
    raise Refused(frame, retry_after)


def _check_message(frame: UserMessage, session_id: SessionId) -> None:
    if frame.message_id is not None:
        _check_uuid(frame.message_id, "message_id", session_id)
    if not frame.content.isascii() and any("\ud800" <= char <= "\udfff" for char in frame.content):
        sentence = "`content` has a lone surrogate, which is not text."
        refuse(session_id, "bad_frame", sentence, message_id=frame.message_id)
    if not frame.content.strip():
        refuse(session_id, "bad_frame", "`content` is empty.", message_id=frame.message_id)
    if len(frame.content) > MAX_CONTENT_CODE_POINTS:
        sentence = f"`content` is longer than {MAX_CONTENT_CODE_POINTS} characters."
        refuse(session_id, "too_long", sentence, message_id=frame.message_id)


def _check_uuid(value: str, name: str, session_id: SessionId) -> None:
    try:
        parse_turn_id(value)
    except ValueError:
        refuse(session_id, "bad_frame", f"`{name}` must be a UUID.")


def _parse_object(text: str, session_id: SessionId) -> dict[str, Any]:
    # The standard parser: deep nesting and huge integers are errors here, not crashes, and its
    # hooks refuse duplicate keys and NaN, on which two parsers would disagree.
    try:
        value = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        refuse(session_id, "bad_json", NO_JSON)
    if not isinstance(value, dict):
        refuse(session_id, "bad_frame", "A frame is a JSON object.")
    return cast(dict[str, Any], value)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("duplicate key")
    return fields


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _first_field(error: ValidationError) -> str:
    # The location starts with the union's tag. Field names are ours, never the client's text.
    location = error.errors(include_url=False, include_input=False)[0]["loc"]
    return str(location[-1])
