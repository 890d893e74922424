"""Values that are not ours under the keys of single sessions, and entries of nobody in `turns`."""

import asyncio
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from random import Random
from typing import Any
from uuid import uuid4

import httpx2 as httpx

from shared.ids import SessionId
from shared.keys import SessionKeys
from tests.faults.stage import Stage
from tests.faults.tab import Tab
from tests.faults.traffic import Session, Traffic
from tests.gateway.signs import metric
from tests.support.processes import Process

TAKEN = "keys taken over"
ENTRIES = "entries of nobody in turns"
REMOVED = "keys removed by hand"
DELETED = "sessions deleted"

KINDS = ("log", "meta", "inbox", "accepted", "history", "lease", "cancel", "deleted")
EXPECTED = (
    "left pending", "not a log", "Redis refused", "is no work of ours", "ends as failed",
)  # fmt: skip
_LOGGER = re.compile(r" ((?:ERROR|WARNING) \S+): ")


@dataclass
class Poisoned:
    """A session, beside those of the traffic, of which one key holds what is not ours."""

    kind: str
    session: Session
    keys: SessionKeys

    @property
    def key(self) -> str:
        return getattr(self.keys, self.kind)

    @property
    def mark(self) -> str:
        """What log lines about it contain."""
        return self.session.session_id[:8]

    async def poison(self, client: Any) -> None:
        """Put a value of another type under the key; what was there is gone."""
        await client.delete(self.key)
        if await client.type(self.key) == "none" and self.kind in ("history", "lease", "deleted"):
            await client.rpush(self.key, "not ours")
        else:
            await client.set(self.key, "not ours")
        await client.expire(self.key, 600)


async def take_keys_over(stage: Stage) -> None:
    """Each key of a session in turn holds a value of another type: in half of the sessions before a
    message comes, until somebody removes the key; in the others while a turn runs, until the
    session is deleted. Nobody else notices, and afterwards the session works again."""
    row = stage.row
    row.expect(TAKEN, ENTRIES, REMOVED, DELETED)
    await stage.start()
    async with (
        stage.traffic() as traffic,
        stage.deployment.client() as client,
        _poisoned(stage, "idle") as idle,
        _poisoned(stage, "busy") as busy,
    ):
        everybody = [*idle, *busy]
        await traffic.until(lambda: all(_is_open(p) for p in everybody), "the tabs are open")
        await _ask_all(traffic, everybody)
        await asyncio.gather(*(_poison_in_mid_turn(traffic, one, client) for one in busy))
        for one in idle:
            await one.poison(client)
            traffic.ask(one.session)
        row.happened(TAKEN, len(everybody))
        row.happened(ENTRIES, await _add_entries(stage, client))
        await asyncio.sleep(stage.times(short=3, long=6))

        for one in idle:
            row.happened(REMOVED, await client.delete(one.key))
        async with httpx.AsyncClient() as http:
            for one in busy:
                url = f"{stage.gateways[0].http}/sessions/{one.session.session_id}"
                row.happened(DELETED, (await http.delete(url)).status_code == 204)
        await _check_that_they_work(stage, traffic, everybody)
    await _check_what_was_said(stage, everybody)


@asynccontextmanager
async def _poisoned(stage: Stage, name: str) -> AsyncGenerator[list[Poisoned], None]:
    made: list[Poisoned] = []
    for number, kind in enumerate(KINDS):
        session_id = f"{name}{number}-{kind}-{stage.random.getrandbits(32):08x}"
        tabs = [
            Tab(session_id, stage.any_gateway(tab), stage.row, Random(stage.random.random()))
            for tab in range(2)
        ]
        keys = stage.deployment.keys.session(SessionId(session_id))
        made.append(Poisoned(kind, Session(session_id, tabs), keys))
    running = [asyncio.create_task(tab.run()) for one in made for tab in one.session.tabs]
    try:
        yield made
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


def _is_open(one: Poisoned) -> bool:
    return all(tab.is_up_to_date for tab in one.session.tabs)


async def _ask_all(traffic: Traffic, everybody: list[Poisoned]) -> None:
    for one in everybody:
        traffic.ask(one.session)
    await traffic.until(lambda: not any(one.session.unfinished for one in everybody), "all answer")


async def _poison_in_mid_turn(traffic: Traffic, one: Poisoned, client: Any) -> None:
    turn_id, view = traffic.ask(one.session).message_id, one.session.tabs[0].view
    await traffic.until(lambda: view.has("assistant", turn_id), "it speaks")
    await one.poison(client)


async def _add_entries(stage: Stage, client: Any) -> int:
    """Entries in the work stream that no gateway has written."""
    ids = {"session_id": "stranger", "message_id": str(uuid4())}
    rest = {"content": "hi", "timestamp": "2026-01-01T00:00:00.000Z", "traceparent": ""}
    strange: list[dict[str, Any]] = [
        {"hello": "world"},
        ids,
        rest,
        ids | rest | {"session_id": "no/session"},
        ids | rest | {"message_id": "no-uuid"},
        ids | rest | {"content": b"\xff"},
        ids | rest | {"timestamp": "never", "traceparent": "none"},
        {"request_id": "r", "patient_id": "nobody", "traceparent": ""},
    ]
    for fields in strange:
        await client.xadd(stage.deployment.keys.turns(), fields)
    return len(strange)


async def _check_that_they_work(stage: Stage, traffic: Traffic, everybody: list[Poisoned]) -> None:
    answers = {one.session.session_id: traffic.ask(one.session) for one in everybody}

    def works(one: Poisoned) -> bool:
        turn = answers[one.session.session_id].message_id
        return all(tab.view.has("turn_finished", turn) for tab in one.session.tabs)

    try:
        await traffic.until(lambda: all(map(works, everybody)), "they work again", timeout=20)
    except AssertionError:
        broken = [one.session.session_id for one in everybody if not works(one)]
        stage.row.problems.append(f"these do not work again: {broken}")
    for one in everybody:
        answer = answers[one.session.session_id]
        for tab in one.session.tabs:
            told = [event for event in tab.view.events if event.get("turn_id") == answer.message_id]
            ends = [event["status"] for event in told if event["type"] == "turn_finished"]
            if works(one) and ends != ["completed"]:
                stage.row.problems.append(f"{one.session.session_id} ends with {ends}")
            stage.row.problems += [
                f"{one.session.session_id}: {breach.kind}: {breach.what}"
                for breach in tab.view.breaches
            ]


async def _check_what_was_said(stage: Stage, everybody: list[Poisoned]) -> None:
    """One clear line of each part of a process that met it, however often it met it; counted."""
    for process in stage.deployment.processes:
        process.expected_errors += EXPECTED
        for one in everybody:
            for logger, lines in _lines_by_logger(process, one.mark).items():
                if lines > 1:
                    said = f"{lines} lines by {logger} in {process.log_file.name}"
                    stage.row.problems.append(f"{one.session.session_id}: {said}")
    counted = [await metric(gateway, "fanline_broken_logs_total") for gateway in stage.gateways]
    stage.row.notes.append(f"{sum(counted):.0f} reads of what is no log, counted by the gateways")
    if not any(counted):
        stage.row.problems.append("no metric counted what is no log")


def _lines_by_logger(process: Process, mark: str) -> dict[str, int]:
    found = [_LOGGER.search(line) for line in process.log().splitlines() if mark in line]
    loggers = [match[1] for match in found if match is not None]
    return {logger: loggers.count(logger) for logger in set(loggers)}
