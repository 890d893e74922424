"""`ask`: one call from question to answer, or to the reason why there is none."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from fake_gateway import QUICK, FakeGateway, FakeSocket
from fanline import Closed, Event, Session, TurnFailed, connect


@dataclass
class Asked:
    """A question that is under way."""

    session: Session
    socket: FakeSocket
    turn_id: str
    answering: asyncio.Task[str]


@asynccontextmanager
async def asking(gateway: FakeGateway) -> AsyncGenerator[Asked, None]:
    async with connect(gateway.url, "s", backoff=QUICK) as session:
        socket = await gateway.next_socket()
        answering = asyncio.create_task(session.ask("why"))
        turn_id = (await socket.next())["message_id"]
        await socket.greet()
        yield Asked(session, socket, turn_id, answering)


async def test_the_answer_is_the_texts_of_the_last_attempt(gateway: FakeGateway) -> None:
    """Other turns' texts and the lost attempt's are not in it."""
    async with asking(gateway) as asked:
        socket, turn = asked.socket, asked.turn_id
        await socket.say("7-1", "another", "0", "not this")
        await socket.show("7-2", turn, "why")
        await socket.send("turn_started", "7-3", turn_id=turn, attempt=1, worker="w")
        await socket.say("7-4", turn, "1", "lost")
        await socket.send("turn_started", "7-5", turn_id=turn, attempt=2, worker="v")
        await socket.say("7-6", turn, "2", "beca", attempt=2)
        await socket.say("7-7", turn, "2", "because.", attempt=2, streaming=False)
        await socket.finish("7-8", turn)
        assert await asked.answering == "because."


async def test_the_events_of_the_turn_are_shown_as_they_come(gateway: FakeGateway) -> None:
    """And what showing them raises ends the wait, not the session."""
    shown: list[str] = []

    def show(event: Event) -> None:
        shown.append(str(event.position))
        if event.type == "tool_call":
            raise KeyError("no such window")

    async with connect(gateway.url, "s", backoff=QUICK) as session:
        socket = await gateway.next_socket()
        answering = asyncio.create_task(session.ask("why", show))
        turn = (await socket.next())["message_id"]
        await socket.greet()
        await socket.say("7-1", "another", "0", "not this")
        await socket.show("7-2", turn, "why")
        await socket.send("tool_call", "7-3", turn_id=turn, tool_call_id="a", tool_name="f")
        with pytest.raises(KeyError, match="no such window"):
            await answering
        assert shown == ["7-2", "7-3"]
        await socket.finish("7-4", turn)
        assert (await anext(session)).position == (7, 4)


async def test_a_failed_turn_raises_its_code_and_sentence(gateway: FakeGateway) -> None:
    async with asking(gateway) as asked:
        error = {"code": "model_error", "error": "The language model could not answer."}
        await asked.socket.finish("7-1", asked.turn_id, "failed", error=error)
        with pytest.raises(TurnFailed, match="could not answer") as failed:
            await asked.answering
        assert failed.value.code == "model_error"


async def test_a_stopped_turn_raises_that_it_was_stopped(gateway: FakeGateway) -> None:
    async with asking(gateway) as asked:
        await asked.socket.finish("7-1", asked.turn_id, "cancelled")
        with pytest.raises(TurnFailed) as failed:
            await asked.answering
        assert failed.value.code == "cancelled"


async def test_a_refused_message_raises_the_refusal(gateway: FakeGateway) -> None:
    async with asking(gateway) as asked:
        await asked.socket.send(
            "error", code="too_many", retryable=True, message_id=asked.turn_id, error="Too many."
        )
        with pytest.raises(TurnFailed, match=r"Too many\.") as failed:
            await asked.answering
        assert failed.value.code == "too_many"


async def test_an_answer_that_was_begun_on_one_socket_ends_on_another(gateway: FakeGateway) -> None:
    async with asking(gateway) as asked:
        await asked.socket.show("7-1", asked.turn_id)
        await asked.socket.say("7-2", asked.turn_id, "1", "be")
        await asked.socket.close(1012, "1")
        socket = await gateway.next_socket()
        assert socket.last_event_id == "7-2"
        await socket.greet("7-4")
        await socket.say("7-3", asked.turn_id, "1", "because", streaming=False)
        await socket.finish("7-4", asked.turn_id)
        assert await asked.answering == "because"


async def test_a_question_that_a_reset_has_lost_is_asked_again(gateway: FakeGateway) -> None:
    """A Redis that forgot the session forgot the promise too; the id keeps a known one from
    running again."""
    async with asking(gateway) as asked:
        socket, turn = asked.socket, asked.turn_id
        await socket.show("7-1", turn)
        await socket.greet(reset=True)
        again = await socket.next()
        assert (again["content"], again["message_id"]) == ("why", turn)
        await socket.show("8-1", turn)
        await socket.say("8-2", turn, "1", "because", streaming=False)
        await socket.finish("8-3", turn)
        assert await asked.answering == "because"


async def test_closing_the_session_ends_the_question(gateway: FakeGateway) -> None:
    async with asking(gateway) as asked:
        await asked.session.close()
        with pytest.raises(Closed):
            await asked.answering
