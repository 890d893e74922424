"""The machine of the model: who may do what, and what must hold at the end."""

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from shared.ids import SessionId
from shared.inbox import SubmittedMessage
from tests.shared.model.gateway import Fate, GatewayTask, Wire, a_message, cancel
from tests.shared.model.strategies import (
    FAULTS,
    any_number,
    choices,
    fates,
    sessions,
    several,
    tab_steps,
    which_worker,
)
from tests.shared.model.tab import Tab, TabStep
from tests.shared.model.truth import BOUNDS, SESSIONS, Command, Snapshot
from tests.shared.model.worker import Choice, Worker
from tests.shared.model.world import World

MOST_COPIES, MOST_ROUNDS = 30, 300


class Conversations(RuleBasedStateMachine):
    """Two sessions, gateways that may die, two workers that may die or stand still, tabs that may
    miss whatever is live."""

    port = 0

    @initialize()
    def begin(self) -> None:
        self.world = World(self.port)
        self.copies: list[Command] = []
        self.tasks: list[GatewayTask] = []
        self.messages: dict[str, SubmittedMessage] = {}
        self.workers = [Worker(f"w{number}", self.world, self.copies) for number in range(2)]
        self.snapshot: Snapshot | None = None
        self.tabs = [Tab(self.world, session) for session in (*SESSIONS, SESSIONS[0])]
        self.world.on_published = self._publish
        self.submit(SESSIONS[0], goes_on=False)

    # gateways

    @rule(session=sessions, goes_on=st.booleans())
    def submit(self, session: SessionId, goes_on: bool) -> None:
        """A gateway writes a message to the work stream; it may die before it enqueues."""
        message = a_message(session, len(self.messages))
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
            message_id = dict(self.world.entries())[entries[0]]
            worker.take(entries[0], self.messages[message_id])
        return bool(entries)

    # tabs

    def _publish(self, session: SessionId, place: str) -> None:
        for tab in self.tabs:
            if tab.session == session:
                tab.on_published(place)

    @rule(number=any_number, steps=st.lists(tab_steps, min_size=1, max_size=8))
    def tab_goes_on(self, number: int, steps: list[TabStep]) -> None:
        for step in steps:
            self.tabs[number % len(self.tabs)].go_on(step)

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
                self.copies.append(self.world.delete(session, BOUNDS[0]))
            case "a session expires":
                self._expire(session)
            case "a snapshot is taken":
                self.snapshot = self.world.snapshot()
            case _:
                self._restore()

    def _expire(self, session: SessionId) -> None:
        """Long after its last event: nobody's pair of commands is as old as that."""
        self.world.redis.delete(*self.world.of(session).in_script_order())
        self.world.forget(session, newest=0)
        self.tasks = [task for task in self.tasks if task.message.session_id != session]
        self.copies[:] = [command for command in self.copies if command.session != session]
        for worker in self.workers:
            if worker.session == session:
                worker.connection_broke()

    def _restore(self) -> None:
        """Redis restarts with what it had; every connection breaks, and what was on it is gone."""
        if self.snapshot is None:
            return
        self.world.restore(self.snapshot)
        self.copies.clear()
        for task in self.tasks:
            task.begin_again()
        for one in (*self.workers, *self.tabs):
            one.connection_broke()

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
            ends = self.world.ends(message.session_id)[message.message_id]
            assert ends == 1, f"{message.content} ended {ends} times"
        for session in SESSIONS:
            assert not [e for e in self.world.events(session) if e["type"] == "delta"]
        for tab in self.tabs:
            tab.settle()
            tab.check()

    def _recent_message(self, number: int) -> SubmittedMessage:
        return list(self.messages.values())[-1 - number % min(3, len(self.messages))]
