"""The world of the model: a real server on which commands run one at a time, and beside it what
must be true of it. Every run of a script is judged here."""

import copy
import json
from collections import Counter
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import redis

from shared.ids import EntryId, Position, SessionId, TurnId, parse_position
from shared.inbox import SubmittedMessage
from shared.keys import WORK_GROUP, Keys, SessionKeys
from shared.redis_client import SCRIPT_NAMES, read_script
from tests.shared.model.truth import ANOTHER_LIFE, MOST_ATTEMPTS, SESSIONS, Command, Snapshot, Truth

TURN_WRITES = ("start", "append", "finish")


class World:
    """One deployment on the server at `port`."""

    def __init__(self, port: int) -> None:
        self.redis: Any = redis.Redis(port=port)
        self.keys = Keys(f"m{uuid4().hex[:12]}")
        self.truths = {session: Truth() for session in SESSIONS}
        self.last: dict[SessionId, Position] = {}
        """The last position that was ever published; no restored snapshot takes that back."""
        self.promised: set[SubmittedMessage] = set()
        """Accepted, of a session that was neither deleted nor expired, and not forgotten."""
        self.tokens: dict[int, str] = {}
        self.done: dict[Command, str] = {}
        """Numbered commands that have been written, with what they were told."""
        self.on_published: Callable[[SessionId, str], None] = lambda session, place: None
        self.ever: dict[tuple[SessionId, str], str] = {}
        """Everything that was ever published, by its place."""
        prelude = read_script("prelude")
        self._scripts = {
            name: self.redis.register_script(prelude + read_script(name)) for name in SCRIPT_NAMES
        }
        self._listener = self.redis.pubsub()
        self._marker = f"{self.keys.namespace}:marker"
        channels = [self._marker, *map(self.keys.channel, SESSIONS)]
        self._listener.subscribe(*channels)
        for _ in channels:
            self._listener.get_message(timeout=5)  # the confirmation
        self.redis.xgroup_create(self.keys.turns(), WORK_GROUP, "0", mkstream=True)

    def close(self) -> None:
        names = self.redis.keys(f"{self.keys.namespace}:*")
        self.redis.delete(*names)
        self._listener.close()
        self.redis.close()

    def of(self, session: SessionId) -> SessionKeys:
        return self.keys.session(session)

    # scripts

    def run(self, command: Command) -> str:
        """Run a command and judge what it did; returns what it was told."""
        truth = self.truths[command.session]
        stale = command.token is not None and command.token < truth.newest
        over = command.script in TURN_WRITES and self._head(command.session) != command.turn
        taken = command.script == "acquire" and self._is_taken_by_another(command)
        try:
            reply = self._evaluate(command)
        except redis.ResponseError as error:
            if not str(error).startswith("attempt"):
                raise
            reply = "refused"  # it counted on an attempt that a restored Redis has forgotten
        texts = self._published(command.session)
        written = command in self.done
        if stale:
            assert reply == "fenced", f"a stale token was told {reply}: {command}"
        assert not (taken and reply.startswith("ok")), "the lease was taken away from its holder"
        if stale or over or written or reply.split()[0] in ("fenced", "late", "over", "refused"):
            assert not texts, f"{command} published {texts}, told {reply}"
        if command.token is not None and reply.startswith("ok") and not written:
            self._note_write(command, truth, reply)
        if command.script == "acquire" and reply.startswith("ok"):
            self._note_token(int(reply.split()[1]), str(command.arguments[2]), truth)
        if command.script != "delete":
            self._check_log(command.session)
        return reply

    def retry(self, command: Command) -> str:
        """As `run`, by the command's own writer: it is told what it was told at first."""
        first = self.done.get(command)
        reply = self.run(command)
        assert first is None or reply in (first, "fenced"), f"{command}: {first}, then {reply}"
        return reply

    def look(self, script: str, session: SessionId, *arguments: str | int) -> list[Any]:
        """Run a script that only reads."""
        return self._scripts[script](keys=self.of(session).in_script_order(), args=arguments)

    def _evaluate(self, command: Command) -> str:
        keys = self.of(command.session).in_script_order()
        return self._scripts[command.script](keys=keys, args=command.arguments).decode()

    def _note_write(self, command: Command, truth: Truth, reply: str) -> None:
        assert command.token is not None
        truth.newest = max(truth.newest, command.token)
        if command.script == "renew":
            return
        self.done[command] = reply
        for place in command.removes:
            truth.log.pop(place, None)
        turn = command.turn
        assert turn is not None
        if command.script == "start":
            truth.begun[turn] += 1
            truth.attempt_of[turn] = command.token
            lost = truth.begun[turn] - truth.handed_back[turn]
            assert lost <= MOST_ATTEMPTS, f"{turn} runs for the {lost}th time"
        if command.script == "hand_back" and truth.attempt_of.get(turn) == command.token:
            truth.handed_back[turn] += 1
            del truth.attempt_of[turn]

    def _note_token(self, token: int, acquisition: str, truth: Truth) -> None:
        assert self.tokens.setdefault(token, acquisition) == acquisition, "a token came twice"
        assert token >= truth.newest
        truth.newest = token

    # what is published, and what the log holds

    def _published(self, session: SessionId) -> list[str]:
        self.redis.publish(self._marker, "")
        texts: list[str] = []
        while (told := self._listener.get_message(timeout=5))["channel"] != self._marker.encode():
            assert told["channel"].decode() == self.keys.channel(session), "another session's"
            event = json.loads(told["data"])
            place = event.pop("id")
            self.on_published(session, place)
            if event["type"] != "deleted":
                self._note_event(session, place, json.dumps(event))
                texts.append(told["data"].decode())
        return texts

    def _note_event(self, session: SessionId, place: str, stored: str) -> None:
        position, last = parse_position(place), self.last.get(session)
        if last is not None and position.epoch == last.epoch:
            assert position.is_next_after(last), f"{position} after {last}"
        else:
            assert position.seq == 1
            assert last is None or position > last, f"{position} after {last}"
        self.last[session] = position
        self.ever[session, place] = stored
        self.truths[session].log[place] = stored

    def _check_log(self, session: SessionId) -> None:
        rows = self.redis.xrange(self.of(session).log)
        held = {place.decode(): json.dumps(json.loads(row[b"event"])) for place, row in rows}
        assert held == self.truths[session].log
        ends = self.ends(session)
        assert all(number == 1 for number in ends.values()), ends

    def ends(self, session: SessionId) -> Counter[str]:
        """How often each turn has ended."""
        return Counter(e["turn_id"] for e in self.events(session) if e["type"] == "turn_finished")

    def events(self, session: SessionId) -> list[dict[str, Any]]:
        return [json.loads(stored) for stored in self.truths[session].log.values()]

    def deltas(self, session: SessionId, turn: TurnId) -> list[str]:
        """Where the turn's deltas are in the log."""
        log = self.truths[session].log
        delta = json.dumps({"type": "delta", "turn_id": turn})
        return [place for place, stored in log.items() if stored == delta]

    def _head(self, session: SessionId) -> str | None:
        waiting = self.waiting(session)
        return waiting[0]["message_id"] if waiting else None

    def _is_taken_by_another(self, command: Command) -> bool:
        holder = self.redis.get(self.of(command.session).lease)
        return holder is not None and self.tokens[int(holder)] != command.arguments[2]

    def waiting(self, session: SessionId) -> list[dict[str, Any]]:
        return [json.loads(item) for item in self.redis.lrange(self.of(session).inbox, 0, -1)]

    # the work stream

    def submit(self, message: SubmittedMessage) -> EntryId:
        fields = {"session": message.session_id, "message": message.message_id}
        self.promised.add(message)
        return EntryId(self.redis.xadd(self.keys.turns(), fields).decode())

    def entries(self) -> list[tuple[EntryId, str]]:
        """Entry and message id of all that is in the work stream."""
        rows = self.redis.xrange(self.keys.turns())
        return [(EntryId(place.decode()), row[b"message"].decode()) for place, row in rows]

    def acknowledge(self, entry_id: EntryId) -> None:
        for session in SESSIONS:
            for item in self.waiting(session):
                assert item["entry"] != entry_id, f"{entry_id} is acknowledged and waits: {item}"
        self.redis.xack(self.keys.turns(), WORK_GROUP, entry_id)
        self.redis.xdel(self.keys.turns(), entry_id)

    def claim(self, worker: str, *, idle: bool) -> list[EntryId]:
        """One entry that is new, or that any worker has had."""
        turns = self.keys.turns()
        if idle:
            rows: Any = self.redis.xautoclaim(turns, WORK_GROUP, worker, 0, "0-0", count=100)[1]
        else:
            reply = self.redis.xreadgroup(WORK_GROUP, worker, {turns: ">"}, count=1)
            rows = reply[0][1] if reply else []
        return [EntryId(place.decode()) for place, _ in rows]

    # time and faults

    def delete(self, session: SessionId, ttl: int) -> Command:
        begun = self.redis.time()  # entry ids of one millisecond are neither before nor after it
        while (now := self.redis.time()) < (begun[0], begun[1] - begun[1] % 1000 + 1000):
            pass
        command = Command("delete", session, (ttl, session, now[0] * 1_000_000 + now[1]))
        self.run(command)
        self.forget(session, newest=max(self.tokens, default=0) + 0.5)
        self._check_log(session)
        return command

    def forget(self, session: SessionId, newest: float) -> None:
        """The session was deleted or has expired: nothing is promised for it any more."""
        self.truths[session] = Truth(newest=newest)
        self.promised = {one for one in self.promised if one.session_id != session}
        self.done = {one: told for one, told in self.done.items() if one.session != session}

    def snapshot(self) -> Snapshot:
        names = self.redis.keys(f"{self.keys.namespace}:*")
        dumps = {name: (self.redis.dump(name), max(self.redis.pttl(name), 0)) for name in names}
        return Snapshot(dumps, copy.deepcopy(self.truths), set(self.promised))

    def restore(self, snapshot: Snapshot) -> None:
        """Another server takes over, with what there was at that moment."""
        names = self.redis.keys(f"{self.keys.namespace}:*")
        self.redis.delete(*names)
        for name, (dump, ttl) in snapshot.keys.items():
            self.redis.restore(name, ttl, dump)
        for session in SESSIONS:
            if self.redis.exists(self.of(session).meta):
                self.redis.hset(self.of(session).meta, "life", ANOTHER_LIFE)
        self.truths = copy.deepcopy(snapshot.truths)
        self.promised = set(snapshot.promised)
        self.done.clear()
