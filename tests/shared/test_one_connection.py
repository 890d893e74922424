"""A pair of steps runs over one connection, every step of it: one that has broken ends the pair."""

import pytest

from shared.errors import Unavailable
from shared.ids import EntryId
from shared.inbox import Enqueued, Inbox, SubmittedMessage
from shared.promise import Promises
from shared.redis_client import Redis
from tests.shared.one_session import OneSession


class CutAfterEnqueue(Inbox):
    """The connection of the pair is lost just after its step at the inbox."""

    async def enqueue(
        self, message: SubmittedMessage, entry_id: EntryId, client: Redis | None = None
    ) -> Enqueued:
        state = await super().enqueue(message, entry_id, client)
        assert client is not None
        number = await client.client_id()
        await self._client.client_kill_filter(_id=str(number))
        return state


async def test_an_entry_is_not_acknowledged_over_another_connection(session: OneSession) -> None:
    """Redis may be another one by then, in whose inbox the message waits."""
    item = await session.submit()
    await session.work_stream.create_group("w")
    lease = await session.acquire()
    await session.start(lease, item.message.message_id)
    await session.finish(lease, item.message.message_id)
    inbox = CutAfterEnqueue(session.client, session.deployment, session_ttl=600, log_max_events=99)
    with pytest.raises(Unavailable):
        await Promises(session.client, inbox, session.work_stream).settle(
            item.message, item.entry_id
        )
    assert await session.client.xlen(session.deployment.turns()) == 1
    promises = Promises(session.client, session.inbox, session.work_stream)
    assert await promises.settle(item.message, item.entry_id) is Enqueued.LEFT
    assert await session.client.xlen(session.deployment.turns()) == 0
