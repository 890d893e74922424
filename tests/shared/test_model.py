"""The rules of the log, the inbox, the lease and the work stream, as one machine over the real
scripts: whatever is interleaved, lost, doubled, late, frozen, killed, expired or restored.

`World` judges every single command (positions dense, no stale token lands, the log is what was
published but for removed deltas, attempts within bounds, no entry acknowledged whose message still
waits). At the end a healthy worker comes, and every promise must be kept.
"""

from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from dev.embedded_redis import EmbeddedRedis
from shared.ids import EntryId, SessionId
from shared.inbox import SubmittedMessage
from tests.shared.model.gateway import Fate, GatewayTask, Wire, cancel
from tests.shared.model.truth import BOUNDS, SESSIONS, Command, Snapshot
from tests.shared.model.worker import Choice, Worker
from tests.shared.model.world import World

MOST_COPIES = 30
MOST_ROUNDS = 300
FAULTS = [
    "a worker dies",
    "a snapshot is taken",
    "a snapshot is restored",
    "a session is deleted",
    "a session expires",
]

sessions = st.sampled_from([*SESSIONS[:1] * 4, *SESSIONS])
fates: st.SearchStrategy[Fate] = st.sampled_from(
    ["answered", "answered", "reply lost", "comes late"]
)
choices: st.SearchStrategy[Choice] = st.sampled_from(
    ["say", "say", "finish", "end message", "renew", "hand back"]
)
which_worker = st.integers(0, 1)
several = st.integers(1, 8)
any_number = st.integers(0, 999)
"""Picks one of what there is, modulo."""


class Conversations(RuleBasedStateMachine):
    """Two sessions, gateways that may die, two workers that may die or stand still."""

    port = 0

    @initialize()
    def begin(self) -> None:
        self.world = World(self.port)
        self.copies: list[Command] = []
        self.tasks: list[GatewayTask] = []
        self.messages: dict[str, SubmittedMessage] = {}
        self.workers = [Worker(f"w{number}", self.world, self.copies) for number in range(2)]
        self.snapshot: Snapshot | None = None
        self.submit(SESSIONS[0], goes_on=False)

    # gateways

    @rule(session=sessions, goes_on=st.booleans())
    def submit(self, session: SessionId, goes_on: bool) -> None:
        """A gateway writes a message to the work stream; it may die before it enqueues."""
        message = self.world.a_message(session)
        self.messages[message.message_id] = message
        self._submit(message, goes_on)

    @precondition(lambda self: self.messages)
    @rule(number=any_number, goes_on=st.booleans())
    def submit_again(self, number: int, goes_on: bool) -> None:
        """The client, which heard nothing, sends the same message to another gateway."""
        message = self._recent_message(number)
        self._submit(message, goes_on)

    def _submit(self, message: SubmittedMessage, goes_on: bool) -> None:
        task = GatewayTask("submit", message, Wire(self.world, self.copies))
        task.go_on("answered")
        if goes_on:
            self.tasks.append(task)

    @precondition(lambda self: self.tasks)
    @rule(number=any_number, fate=fates)
    def gateway_goes_on(self, number: int, fate: Fate) -> None:
        task = self.tasks.pop(number % len(self.tasks))
        if not task.go_on(fate):
            self.tasks.append(task)

    @precondition(lambda self: self.messages)
    @rule(number=any_number, fate=fates)
    def cancel(self, number: int, fate: Fate) -> None:
        """A tab stops a turn; the entry is acknowledged by whoever claims it."""
        message = self._recent_message(number)
        Wire(self.world, self.copies).send(lambda: cancel(message), fate)

    # workers

    @rule(steps=several, fate=fates, choice=choices)
    def first_worker_goes_on(self, steps: int, fate: Fate, choice: Choice) -> None:
        self._go_on(self.workers[0], steps, fate, choice)

    @rule(steps=several, fate=fates, choice=choices)
    def second_worker_goes_on(self, steps: int, fate: Fate, choice: Choice) -> None:
        self._go_on(self.workers[1], steps, fate, choice)

    @rule(number=which_worker, steps=several, fate=fates, choice=choices)
    def worker_takes_over(self, number: int, steps: int, fate: Fate, choice: Choice) -> None:
        """The other one's lease runs out; it does not know, and may wake at any time."""
        for session in SESSIONS:
            self._lease_runs_out(session)
        self._go_on(self.workers[number], steps, fate, choice)

    def _go_on(self, worker: Worker, steps: int, fate: Fate, choice: Choice) -> None:
        """So many commands, of which the last may not be answered."""
        for left in reversed(range(steps)):
            if worker.phase == "idle" and not self._claim(worker):
                return
            worker.go_on("answered" if left else fate, choice)

    def _claim(self, worker: Worker) -> bool:
        """A free worker claims a new entry, or else one that another may have in hand."""
        claim = self.world.claim
        entries = claim(worker.name, idle=False) or claim(worker.name, idle=True)
        if entries:
            worker.take(entries[0], self._message_of(entries[0]))
        return bool(entries)

    # time and faults

    def _lease_runs_out(self, session: SessionId) -> None:
        self.world.redis.delete(self.world.of(session).lease)

    @precondition(lambda self: self.copies)
    @rule(numbers=st.lists(any_number, min_size=1, max_size=4))
    def late_copies(self, numbers: list[int]) -> None:
        """Copies of commands arrive that their writers have long forgotten."""
        del self.copies[:-MOST_COPIES]
        for number in numbers:
            self.world.run(self.copies[-1 - number % len(self.copies)])

    @rule(fault=st.sampled_from(FAULTS), worker=which_worker, session=sessions)
    def fault(self, fault: str, worker: int, session: SessionId) -> None:
        match fault:
            case "a worker dies":
                self.workers[worker].die()
            case "a session is deleted":
                self.world.next_millisecond()
                self.world.delete(Command("delete", session, (BOUNDS[0], session)))
            case "a session expires":
                self._expire(session)
            case "a snapshot is taken":
                self.snapshot = self.world.snapshot()
            case _:
                self._restore()

    def _expire(self, session: SessionId) -> None:
        """Long after its last event: no gateway and no copy of a command is as old as that."""
        self.world.redis.delete(*self.world.of(session).in_script_order())
        self.world.forget(session, newest=0)
        self.tasks = [task for task in self.tasks if task.message.session_id != session]
        self.copies[:] = [command for command in self.copies if command.session != session]

    def _restore(self) -> None:
        """Redis restarts with what it had; every connection breaks, and what was on it is gone."""
        if self.snapshot is None:
            return
        self.world.restore(self.snapshot)
        self.copies.clear()
        for task in self.tasks:
            task.begin_again()
        for worker in self.workers:
            worker.connection_broke()

    # what always holds, and what holds at the end

    @invariant()
    def every_message_that_waits_has_an_entry(self) -> None:
        in_stream = {message_id for _, message_id in self.world.entries()}
        for session in SESSIONS:
            waiting = {item["message_id"] for item in self.world.waiting(session)}
            promised = {message.message_id for message in self.world.promised}
            assert waiting & promised <= in_stream

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        try:
            self._answer_everything()
            self._check_promises()
        finally:
            self.world.close()

    def _answer_everything(self) -> None:
        """Every other process is gone; one worker answers what it finds, and is not disturbed."""
        worker = Worker("healthy", self.world, self.copies)
        for _ in range(MOST_ROUNDS):
            for session in SESSIONS:
                self._lease_runs_out(session)
            if not self._claim(worker):
                return
            while worker.phase != "idle":
                worker.go_on("answered", "finish")
        raise AssertionError(f"entries that nobody can answer: {self.world.entries()}")

    def _check_promises(self) -> None:
        assert self.world.entries() == []
        for message in self.world.promised:
            ended = [
                event
                for event in self.world.events(message.session_id)
                if event["type"] == "turn_finished" and event["turn_id"] == message.message_id
            ]
            assert len(ended) == 1, f"{message.content} ended {len(ended)} times"
        for session in SESSIONS:
            assert not [e for e in self.world.events(session) if e["type"] == "delta"]

    def _recent_message(self, number: int) -> SubmittedMessage:
        return list(self.messages.values())[-1 - number % min(3, len(self.messages))]

    def _message_of(self, entry_id: EntryId) -> SubmittedMessage:
        return self.messages[dict(self.world.entries())[entry_id]]


def test_every_promise_is_kept_whatever_is_interleaved(redis_server: EmbeddedRedis) -> None:
    class OnThisServer(Conversations):
        port = redis_server.port

    machine: Any = OnThisServer
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=120,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        ),
    )
