"""Bad neighbours: strangers who write where only we write, and a Redis that has no room left."""

import asyncio
from typing import Any

import httpx2 as httpx

from shared.ids import SessionId
from tests.faults.scenarios import oversized, poisoned
from tests.faults.scenarios.garbage import FORGE_THE_NEXT, FORGED, garbage, rest_of_next
from tests.faults.stage import Scenario, Stage
from tests.faults.traffic import Session, Traffic
from tests.gateway.signs import metric
from tests.support.processes import Process

GARBAGE = "garbage texts"
NEXT = "forged next events"
ELSEWHERE = "garbage on control and probe channels"
FULL = "commands refused by a full Redis"
REFUSED = "messages refused"
HELD = "running turns held up"

QUIET_SESSIONS = 5


async def publish_garbage(stage: Stage) -> None:
    """On every channel that somebody listens to: what is not JSON, not ours, not of this session,
    not next; and forged events at exactly the next place, which the log takes back."""
    row, deployment = stage.row, stage.deployment
    row.expect(GARBAGE, NEXT, ELSEWHERE)
    await stage.start()
    async with stage.traffic() as traffic, deployment.client() as client:
        quiet = [
            traffic.open_session([stage.any_gateway(tab) for tab in range(3)])
            for _ in range(QUIET_SESSIONS)
        ]
        for session in quiet:
            traffic.ask(session)
        await traffic.until(lambda: not any(s.unfinished for s in quiet), "the quiet ones are done")
        for _ in range(stage.times(short=1, long=2)):
            await traffic.after_events(stage.random.randint(5, 100))
            for session in traffic.sessions:
                keys = deployment.keys.session(SessionId(session.session_id))
                cursor = session.tabs[0].view.cursor or (1, 1)
                for text in garbage(session.session_id, cursor, stage.random):
                    row.happened(GARBAGE, bool(await client.publish(keys.channel, text)))
            for channel in await _channels(client, "*:control", "*:probe"):
                for text in (
                    b"\xff",
                    b"cancel",
                    b"cancel not-this-turn",
                    b'{"id":"1-1"}',
                    b"x" * 100_000,
                ):
                    row.happened(ELSEWHERE, bool(await client.publish(channel, text)))
            await _forge_the_next(stage, traffic, client)
    counted = sum(
        [await metric(gateway, "fanline_foreign_texts_total") for gateway in stage.gateways]
    )
    row.notes.append(f"{counted:.0f} texts counted as foreign")
    if not counted:
        row.problems.append("no metric counted a foreign text")
    _check_lines(stage, traffic)


def _check_lines(stage: Stage, traffic: Traffic) -> None:
    """One line about each session at each gateway: every session has tabs on all."""
    for process in stage.gateways:
        log = process.log()
        for session in traffic.sessions:
            lines = log.count(f"session {session.session_id[:8]}: dropped a text")
            if lines != 1:
                said = f"{lines} lines about foreign texts in {process.log_file.name}, and not 1"
                stage.row.problems.append(f"{session.session_id}: {said}")


async def _forge_the_next(stage: Stage, traffic: Traffic, client: Any) -> None:
    """Wait until no tab has what was forged: the true event, or a comparison of heads, shows it."""
    for session in traffic.sessions:
        keys = stage.deployment.keys.session(SessionId(session.session_id))
        published = await client.eval(
            FORGE_THE_NEXT, 2, keys.channel, keys.meta, rest_of_next(session.session_id)
        )
        stage.row.happened(NEXT, bool(published))
    began = asyncio.get_running_loop().time()
    await traffic.until(
        lambda: not any(_was_misled(session) for session in traffic.sessions),
        "every tab was told to drop the forged event",
    )
    stage.row.recoveries.append(asyncio.get_running_loop().time() - began)


def _was_misled(session: Session) -> bool:
    return any(event["type"] == FORGED for view in session.views for event in view.events)


async def _channels(client: Any, *patterns: str) -> list[str]:
    return [channel for pattern in patterns for channel in await client.pubsub_channels(pattern)]


async def fill_redis(stage: Stage) -> None:
    """Redis has no memory left, and refuses what would need some: running turns wait and end whole;
    a message is refused with an error that says *again*, or is answered once."""
    row, deployment = stage.row, stage.deployment
    row.expect(FULL, REFUSED, HELD)
    # A message is refused sooner than by default: a row is not there to wait.
    starting = [deployment.start_gateway(accept_seconds=1) for _ in range(2)]
    await asyncio.gather(*starting, deployment.start_worker(), deployment.start_worker())
    async with stage.traffic() as traffic, deployment.client() as client:
        await traffic.after_events(stage.random.randint(100, 400))
        before, refused = await _out_of_memory(client), _refused(traffic)
        await client.config_set("maxmemory", 1)
        try:
            asked = [(session, traffic.ask(session)) for session in traffic.sessions]
            await traffic.until(lambda: _refused(traffic) > refused, "a message is refused")
        finally:
            await client.config_set("maxmemory", 0)
        row.happened(FULL, await _out_of_memory(client) - before)
        row.happened(REFUSED, _refused(traffic) - refused)
        await traffic.until(
            lambda: not any(answer in one.unfinished for one, answer in asked),
            "what was asked is answered",
        )
    held = [worker.log().count("agent_worker.insist: session") for worker in stage.workers]
    row.happened(HELD, sum(held))
    strange = {
        error["code"]
        for tab in traffic.tabs
        for error in tab.errors
        if (error["code"], error["retryable"]) != ("unavailable", True)
    }
    if strange:
        row.problems.append(f"messages were refused with {strange}")
    await _check_what_was_said(stage, traffic)


async def _check_what_was_said(stage: Stage, traffic: Traffic) -> None:
    """Every refusal is counted, and every gateway that refused has a line about it: at most one
    for each time that something was said."""
    said = sum(len(session.answers) for session in traffic.sessions)
    counted = [await _counted_refusals(gateway) for gateway in stage.gateways]
    refused = _refused(traffic)
    stage.row.notes.append(f"{sum(counted)} refusals counted by the gateways")
    if sum(counted) != refused:
        stage.row.problems.append(f"{refused} refused, and {sum(counted)} counted")
    for gateway, count in zip(stage.gateways, counted, strict=True):
        lines = gateway.log().count("gateway.acceptance: session ")
        if bool(lines) != bool(count) or lines > count + said:
            where = gateway.log_file.name
            stage.row.problems.append(f"{lines} lines about {count} refusals in {where}")


async def _counted_refusals(gateway: Process) -> int:
    async with httpx.AsyncClient() as http:
        text = (await http.get(f"{gateway.http}/metrics")).text
    name = 'fanline_frames_refused_total{code="unavailable"} '
    found = [line for line in text.splitlines() if line.startswith(name)]
    return int(float(found[0].removeprefix(name))) if found else 0


def _refused(traffic: Traffic) -> int:
    return sum(len(tab.errors) for tab in traffic.tabs)


async def _out_of_memory(client: Any) -> int:
    """How many commands Redis has refused because it is full."""
    errors: dict[str, Any] = await client.info("errorstats")
    return int(errors.get("errorstat_OOM", {}).get("count", 0))


SCENARIOS = (
    Scenario("garbage and forged events on our channels", publish_garbage),
    Scenario("strangers' values under our keys", poisoned.take_keys_over, is_short=False),
    Scenario("Redis is full", fill_redis),
    Scenario("events and histories too large", oversized.exceed_every_bound),
)
