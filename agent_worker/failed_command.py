"""`python -m agent_worker --failed`: failed turns on standard output, one a line.

What was said in a turn is shown only when it is asked for. Everything else that is printed is ids,
times and codes of ours, and safe for a terminal; content is quoted.
"""

import json
import sys
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Literal

from agent_worker.failed_turns import FailedTurn, FailedTurns
from agent_worker.settings import WorkerSettings
from shared.errors import NotALog, Unavailable
from shared.ids import SessionId, TurnId
from shared.redis_client import RefusedByRedis, connect_redis

MOST_TURNS = 1000
"""Listed, or tried again, at once."""


@dataclass(frozen=True)
class Wanted:
    """What the operator asks for."""

    retry: Literal["all"] | tuple[SessionId, TurnId] | None = None
    """None: a list; a turn of a session, or all: these are tried again."""
    code: str = ""
    """Only turns that failed with this code; empty: with any."""
    as_json: bool = False
    with_content: bool = False


async def serve_operator(settings: WorkerSettings, wanted: Wanted) -> int:
    """Print the failed turns, or try them again and print which; returns the exit status: 1 where
    one could not be tried again. Raises `SystemExit`, with a sentence, where nothing can be
    done."""
    try:
        client = connect_redis(settings.redis_url.get_secret_value())
    except ValueError as error:
        raise SystemExit(f"settings: {error}") from error
    try:
        async with client:
            failed = FailedTurns(client, settings)
            return await (_retry if wanted.retry else _list)(failed, wanted)
    except Unavailable as error:
        raise SystemExit(f"Redis cannot be asked: {error}") from error
    except (RefusedByRedis, NotALog) as error:
        raise SystemExit(f"Redis refuses: {error}") from error


async def _list(failed: FailedTurns, wanted: Wanted) -> int:
    turns: dict[tuple[str, str], FailedTurn] = {}
    async for turn in failed.find(wanted.code):
        if len(turns) == MOST_TURNS:
            _say(f"There are more than these {MOST_TURNS}.")
            break
        turns[turn.session_id, turn.turn_id] = turn
    for turn in sorted(turns.values(), key=lambda turn: turn.time):
        print(_describe(turn, wanted))
    return 0


async def _retry(failed: FailedTurns, wanted: Wanted) -> int:
    """Each at once when it is found: its session may be deleted at any time."""
    tried = lost = 0
    async for turn in _choose(failed, wanted):
        if tried == MOST_TURNS:
            _say(f"There are more than these {MOST_TURNS}: call it again.")
            break
        if await failed.try_again(turn):
            tried += 1
            print(_describe(turn, wanted), flush=True)
        else:
            lost += 1
            _say(f"session {turn.session_id}: the message of turn {turn.turn_id} is gone")
    return int(lost > 0)


async def _choose(failed: FailedTurns, wanted: Wanted) -> AsyncGenerator[FailedTurn, None]:
    if not isinstance(wanted.retry, tuple):
        async for turn in failed.find(wanted.code):
            yield turn
        return
    session_id, turn_id = wanted.retry
    turns = await failed.find_in(session_id)
    chosen = next((turn for turn in turns if turn.turn_id == turn_id), None)
    if chosen is None:
        raise SystemExit(
            f"session {session_id} has no failed turn {turn_id}: it was tried again before, did"
            " not fail, or has gone with its session"
        )
    yield chosen


def _describe(turn: FailedTurn, wanted: Wanted) -> str:
    """One line. `retry_id` is the turn that tries it again, where that was asked for."""
    fields: dict[str, object] = {
        "time": turn.time,
        "session_id": turn.session_id,
        "turn_id": turn.turn_id,
        "code": turn.code,
        "attempts": turn.attempts,
    }
    if wanted.retry:
        fields["retry_id"] = turn.retry_id
    if wanted.with_content:
        fields["content"] = turn.content
    if wanted.as_json:
        return json.dumps(fields)
    if wanted.with_content:
        fields["content"] = repr(turn.content)
    return " ".join(map(str, fields.values()))


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr)
