"""`python -m agent_worker --failed` on logs as they may be: huge, trimmed, and not all ours."""

from uuid import uuid4

import pytest

from agent_worker.failed_command import MOST_TURNS
from agent_worker.failed_turns import PAGE_EVENTS
from dev.embedded_redis import free_port
from shared.ids import SessionId
from shared.protocol import Failure, TurnFinished, UserMessageEvent, encode_event
from tests.agent_worker.failed_command import listed, run
from tests.support.deployment import Deployment

NOON = "2026-01-01T12:00:00.000Z"


def message(session_id: str, turn_id: str, content: str = "hi") -> str:
    return encode_event(
        UserMessageEvent(
            session_id=session_id,
            timestamp=NOON,
            turn_id=turn_id,
            message_id=turn_id,
            content=content,
        )
    )


def end(session_id: str, turn_id: str, code: str = "model_error") -> str:
    failure = Failure.model_validate({"code": code, "error": "A sentence."})
    return encode_event(
        TurnFinished(
            session_id=session_id,
            timestamp=NOON,
            turn_id=turn_id,
            attempt=2,
            status="failed",
            error=failure,
        )
    )


async def write_log(deployment: Deployment, session_id: str, *events: str) -> None:
    log = deployment.keys.session(SessionId(session_id)).log
    async with deployment.client() as client, client.pipeline(transaction=False) as pipeline:
        for event in events:
            pipeline.xadd(log, {"event": event})
        pipeline.expire(log, 600)
        await pipeline.execute()


async def test_a_huge_log_is_read_to_its_beginning(deployment: Deployment) -> None:
    """The oldest and the newest are found, with much between them."""
    first, last = str(uuid4()), str(uuid4())
    much = [message("s-1", str(uuid4()), f"{n} {'x' * 1000}") for n in range(50 * PAGE_EVENTS)]
    await write_log(
        deployment,
        "s-1",
        *(message("s-1", first, "first"), end("s-1", first), *much),
        *(message("s-1", last, "last"), end("s-1", last)),
    )
    found = await listed(deployment, "--content")
    assert [(turn["turn_id"], turn["content"]) for turn in found] == [
        (first, "first"),
        (last, "last"),
    ]


@pytest.mark.parametrize("more", range(3))
async def test_no_event_is_passed_over_where_a_page_ends(deployment: Deployment, more: int) -> None:
    turns = [str(uuid4()) for _ in range(PAGE_EVENTS)]
    events = [text for turn in turns for text in (message("s-1", turn), end("s-1", turn))]
    await write_log(deployment, "s-1", *events, *[message("s-1", str(uuid4()))] * more)
    assert {turn["turn_id"] for turn in await listed(deployment)} == set(turns)


async def test_of_very_many_some_are_listed_and_that_is_said(deployment: Deployment) -> None:
    turns = [str(uuid4()) for _ in range(MOST_TURNS + 1)]
    events = [text for turn in turns for text in (message("s-1", turn), end("s-1", turn))]
    await write_log(deployment, "s-1", *events)
    status, lines = await run(deployment)
    assert status == 0
    assert sorted(lines)[-1] == f"There are more than these {MOST_TURNS}."
    assert len(lines) == MOST_TURNS + 1


async def test_keys_and_entries_of_others_are_passed_over(deployment: Deployment) -> None:
    """They match the pattern, or begin as an event of ours does."""
    turn_id = str(uuid4())
    broken = ['{"type":"turn_finished",', '{"type":"message","content":7}', "no event at all"]
    await write_log(
        deployment,
        "s-1",
        *(message("s-1", turn_id), end("elsewhere", turn_id), *broken),
        end("s-1", "no uuid \x1b[31m"),
    )
    prefix = f"{deployment.namespace}:session:"
    async with deployment.client() as client:
        await client.set(f"{prefix}{{text}}:log", "no stream", ex=600)
        for name in ("{not an id}:log", "{}:log", "{a}:{b}:log"):
            await client.xadd(prefix + name, {"event": end("s-2", turn_id)})
            await client.expire(prefix + name, 600)
        await client.xadd(f"{prefix}{{s-3}}:log", {"something": "else"})
        await client.expire(f"{prefix}{{s-3}}:log", 600)
    (turn,) = await listed(deployment)
    assert (turn["session_id"], turn["turn_id"], turn["attempts"]) == ("s-1", turn_id, 2)
    status, (sentence,) = await run(deployment, "--retry", "text", turn_id)
    assert status == 1
    assert "WRONGTYPE" in sentence


async def test_a_turn_whose_message_was_trimmed_is_listed_and_cannot_be_tried_again(
    deployment: Deployment,
) -> None:
    turn_id = str(uuid4())
    await write_log(deployment, "s-1", end("s-1", turn_id))
    assert [turn["content"] for turn in await listed(deployment, "--content")] == [None]
    for what in (("all",), ("s-1", turn_id)):
        status, (sentence,) = await run(deployment, "--retry", *what)
        assert status == 1
        assert sentence == f"session s-1: the message of turn {turn_id} is gone"


async def test_a_session_that_has_expired_is_told_in_one_sentence(deployment: Deployment) -> None:
    turn_id = str(uuid4())
    status, (sentence,) = await run(deployment, "--retry", "s-1", turn_id)
    assert status == 1
    assert sentence.startswith(f"session s-1 has no failed turn {turn_id}: ")


async def test_a_user_without_the_right_is_told_in_one_sentence(deployment: Deployment) -> None:
    user = f"nobody-{uuid4().hex[:8]}"
    async with deployment.client() as client:
        await client.acl_setuser(user, enabled=True, passwords=["+secret"])
        url = deployment.redis_url.replace("://", f"://{user}:secret@")
        status, (sentence,) = await run(deployment, REDIS_URL=url)
        await client.acl_deluser(user)
    assert status == 1
    assert sentence == (
        f"Redis cannot be asked: User {user} has no permissions to run the 'scan' command"
    )


async def test_a_redis_that_is_away_is_told_in_one_sentence(deployment: Deployment) -> None:
    url = f"redis://127.0.0.1:{free_port()}/0"
    status, (sentence,) = await run(deployment, REDIS_URL=url)
    assert status == 1
    assert sentence.startswith("Redis cannot be asked: ")


@pytest.mark.parametrize(
    "arguments",
    [
        ("--retry", "s-1"),
        ("--retry", "s-1", str(uuid4()), "more"),
        ("--retry", "s-1", str(uuid4()), "--code", "model_error"),
        ("--retry", "no session", str(uuid4())),
        ("--retry", "s-1", "no turn"),
        ("--code", "no_such_code"),
    ],
)
async def test_a_wrong_command_line_is_told_and_does_nothing(
    deployment: Deployment, arguments: tuple[str, ...]
) -> None:
    status, lines = await run(deployment, *arguments)
    assert status == 2
    assert "error: " in lines[-1]
