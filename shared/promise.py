"""An accepted message is answered: the two pairs of steps that keep this promise.

The work stream and the inbox are two keys in two slots, so no script can change both. Each pair
runs over one connection: when it breaks between the two steps, Redis may be another one that has
forgotten the first, and the pair is begun again from its first step. The client's own reconnecting,
which nobody notices, left a message in an inbox without an entry to bring it to a worker.

On a cluster the two keys are on two nodes, and the second step says nothing about the node of the
first. So that connection is asked once more (`hold`): whether it still stands, and whether a
replica has what was written.
"""

from shared.ids import EntryId
from shared.inbox import Enqueued, Inbox, SubmittedMessage
from shared.redis_client import Redis, ask, one_connection
from shared.work_stream import WorkStream


class Promises:
    """Gives promises (gateways) and finds them kept (workers). Raises `Unavailable`: call it
    again."""

    def __init__(self, client: Redis, inbox: Inbox, work_stream: WorkStream) -> None:
        self._client = client
        self._inbox = inbox
        self._work_stream = work_stream

    async def accept(self, message: SubmittedMessage) -> None:
        """Write the message to the work stream, and enqueue it. From the first step on it is
        accepted; once this has returned, every tab shows it."""
        async with one_connection(self._client) as client:
            entry_id = await self._work_stream.submit(message, client)
            await self._inbox.enqueue(message, entry_id, client)
            await ask(client, client.hold)

    async def settle(self, message: SubmittedMessage, entry_id: EntryId) -> Enqueued:
        """Enqueue the message, if that was not done, and acknowledge its entry, if it has left the
        inbox; returns which. Nothing else acknowledges."""
        async with one_connection(self._client) as client:
            state = await self._inbox.enqueue(message, entry_id, client)
            if state is Enqueued.LEFT:
                await ask(client, client.hold)
                await self._work_stream.acknowledge(entry_id, client)
            return state
