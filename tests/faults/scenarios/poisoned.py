"""Values that are not ours under the keys of single sessions, and entries of nobody in `turns`."""

import asyncio
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from random import Random
from typing import Any

import httpx2 as httpx

from shared.ids import SessionId
from tests.faults.judge import finished_once, judge_session
from tests.faults.row import Row
from tests.faults.scenarios.taken_key import Poisoned
from tests.faults.script import Answer, make_message_id
from tests.faults.stage import Stage
from tests.faults.tab import Tab
from tests.faults.traffic import Session, Traffic
from tests.faults.view import View
from tests.gateway.signs import metric
from tests.support.eventually import eventually
from tests.support.processes import Process

TAKEN = "keys taken over"
ENTRIES = "entries of nobody in turns"
REMOVED = "keys removed by hand"
DELETED = "sessions deleted"

KINDS = ("log", "meta", "inbox", "accepted", "history", "lease", "cancel", "deleted")
NOBODYS = 7
"""Entries in `turns` that cannot be read as work."""
LATER = 2
"""Messages in every session when it works again."""
EXPECTED = (
    "left pending", "not a log", "Redis refused", "is no work of ours", "ends as failed",
)  # fmt: skip
_LOGGER = re.compile(r" ((?:ERROR|WARNING) \S+): ")


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
        await _add_entries(stage, client)
        await _until_it_is_noticed(stage, traffic, everybody)
        await _look_at_keys(row, everybody, client)

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
            Tab(
                session_id,
                stage.any_gateway(tab),
                stage.row,
                Random(stage.random.getrandbits(64)),
                stage.way_in,
            )
            for tab in range(2)
        ]
        keys = stage.deployment.keys.session(SessionId(session_id))
        own = Random(stage.random.getrandbits(64))
        made.append(Poisoned(kind, Session(session_id, tabs), keys, own))
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
    answer, view = traffic.ask(one.session, one.random), one.session.tabs[0].view
    turn_id = answer.message_id
    await traffic.until(lambda: view.has("assistant", turn_id), "it speaks")
    await one.poison(client)


async def _add_entries(stage: Stage, client: Any) -> None:
    """Entries in the work stream that no gateway has written."""
    message_id = make_message_id(stage.random)
    ids = {"session_id": "stranger", "message_id": message_id}
    rest = {"content": "hi", "timestamp": "2026-01-01T00:00:00.000Z", "traceparent": ""}
    strange: list[dict[str, Any]] = [
        {"hello": "world"},
        ids,
        rest,
        ids | rest | {"session_id": "no/session"},
        ids | rest | {"message_id": "no-uuid"},
        ids | rest | {"content": b"\xff"},
        {"request_id": "r", "patient_id": "nobody", "traceparent": ""},
    ]
    for fields in strange:
        await client.xadd(stage.deployment.keys.turns(), fields)
    # What looks like ours, but for its sense, is run: it must only do no harm.
    odd = ids | rest | {"timestamp": "never", "traceparent": "none"}
    await client.xadd(stage.deployment.keys.turns(), odd)


def _dropped(stage: Stage) -> int:
    return sum(worker.log().count("is no work of ours; it is dropped") for worker in stage.workers)


async def _until_it_is_noticed(stage: Stage, traffic: Traffic, everybody: list[Poisoned]) -> None:
    """Until a line is there about every session, and about every entry of nobody."""

    def silent() -> list[str]:
        return [
            one.session.session_id
            for one in everybody
            if not one.may_be_silent and not _has_line(stage, one)
        ]

    try:
        await traffic.until(
            lambda: _dropped(stage) == NOBODYS and not silent(), "everything is noticed", 15
        )
    except AssertionError:
        said = f"{_dropped(stage)} entries of {NOBODYS} dropped, no line about {silent()}"
        stage.row.problems.append(said)
    stage.row.happened(ENTRIES, _dropped(stage))

    async def is_counted() -> bool:
        counted = [await metric(gateway, "fanline_broken_logs_total") for gateway in stage.gateways]
        return any(counted)

    await eventually(is_counted, "a gateway counts what is no log", timeout=15)


async def _look_at_keys(row: Row, everybody: list[Poisoned], client: Any) -> None:
    """Count the keys that still hold the stranger's value; only where that may go without a word
    has it been replaced by ours, or left with its lease."""
    for one in everybody:
        is_poisoned = await one.is_poisoned(client)
        row.happened(TAKEN, is_poisoned)
        if not is_poisoned and not one.may_be_silent:
            row.problems.append(f"{one.session.session_id}: its value was replaced")


def _has_line(stage: Stage, one: Poisoned) -> bool:
    return any(_lines_by_logger(process, one) for process in stage.deployment.processes)


async def _check_that_they_work(stage: Stage, traffic: Traffic, everybody: list[Poisoned]) -> None:
    """What is said from here on is answered as the script says, in every tab."""
    later = [[traffic.ask(one.session) for _ in range(LATER)] for one in everybody]

    def works(one: Poisoned, answers: list[Answer]) -> bool:
        views = one.session.views
        return all(view.has("turn_finished", a.message_id) for view in views for a in answers)

    def broken() -> list[str]:
        pairs = zip(everybody, later, strict=True)
        return [one.session.session_id for one, answers in pairs if not works(one, answers)]

    try:
        await traffic.until(lambda: not broken(), "they work again", timeout=30)
    except AssertionError:
        stage.row.problems.append(f"these do not work again: {broken()}")
    for one, answers in zip(everybody, later, strict=True):
        _judge(stage.row, one.session, answers)


def _judge(row: Row, session: Session, answers: list[Answer]) -> None:
    """As everybody is judged, but for what was said before: of that a part is gone."""
    turns = {answer.message_id for answer in answers}
    views = [_of_turns(view, turns) for view in session.views]
    row.breaches += judge_session(answers, views)
    row.accepted += len(answers)
    row.finished_once += sum(
        all(finished_once(answer, view) for view in views) for answer in answers
    )


def _of_turns(view: View, turns: set[str]) -> View:
    """The view with the events of these turns alone, and whatever was broken in it."""
    part = View()
    part.events = [event for event in view.events if event.get("turn_id") in turns]
    part.breaches = view.breaches
    return part


async def _check_what_was_said(stage: Stage, everybody: list[Poisoned]) -> None:
    """One clear line of each part of a process that met it, however often it met it; counted."""
    for process in stage.deployment.processes:
        process.expected_errors += EXPECTED
        for one in everybody:
            for logger, lines in _lines_by_logger(process, one).items():
                if lines > 1:
                    said = f"{lines} lines by {logger} in {process.log_file.name}"
                    stage.row.problems.append(f"{one.session.session_id}: {said}")
    counted = [await metric(gateway, "fanline_broken_logs_total") for gateway in stage.gateways]
    stage.row.notes.append(f"{sum(counted):.0f} reads of what is no log, counted by the gateways")


def _lines_by_logger(process: Process, one: Poisoned) -> dict[str, int]:
    """Lines about the session or one of its turns."""
    marks = [one.mark, *(answer.message_id for answer in one.session.answers)]
    lines = [line for line in process.log().splitlines() if any(mark in line for mark in marks)]
    found = [_LOGGER.search(line) for line in lines]
    loggers = [match[1] for match in found if match is not None]
    return {logger: loggers.count(logger) for logger in set(loggers)}
