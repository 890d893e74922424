"""One gateway that is told to stop, looked at from outside: what its tabs are told, and when."""

import asyncio
import signal
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random

import httpx2 as httpx

from shared.ids import SessionId
from tests.faults.row import Row
from tests.faults.script import make_message_id
from tests.faults.stage import Stage
from tests.faults.tab import DRAINING, Close, Tab
from tests.faults.traffic import Traffic
from tests.faults.view import Frame
from tests.gateway.log_writer import LogWriter, writing_to
from tests.gateway.raw_tab import reluctant
from tests.support.processes import Process

DRAINED = "gateways drained"
SENT_AWAY = "tabs sent away"
NEVER_READS = "clients that never read"
FAULTS = (DRAINED, SENT_AWAY, NEVER_READS)

MESSAGES = 300
KB_32 = "x" * 32_000
"""300 of these are more than the kernel will hold for a peer that takes nothing."""
LOOK_SECONDS = 0.01
SLACK_SECONDS = 2.0
"""What a busy machine may add to `DRAIN_SECONDS`."""


@dataclass
class Readiness:
    """What `/readyz` of one gateway answered while it was going."""

    answers: list[tuple[float, int]] = field(default_factory=lambda: [])
    """When it was asked, and the status."""
    open_at_first_503: int = 0

    async def watch(self, gateway: Process, theirs: list[Tab]) -> None:
        """Ask until it does not answer any more."""
        loop = asyncio.get_running_loop()
        with suppress(httpx.TransportError):
            async with httpx.AsyncClient() as http:
                while not gateway.has_ended:
                    asked_at = loop.time()
                    status = (await http.get(f"{gateway.http}/readyz")).status_code
                    if status == 503 and not any(seen == 503 for _, seen in self.answers):
                        self.open_at_first_503 = sum(_is_on(gateway, tab) for tab in theirs)
                    self.answers.append((asked_at, status))
                    await asyncio.sleep(LOOK_SECONDS)


async def drain_one(
    stage: Stage, traffic: Traffic, going: Process, theirs: list[Tab], drain_seconds: float
) -> None:
    """Tell `going` to stop while `theirs` are open there, and look at everything it promised."""
    row, loop = stage.row, asyncio.get_running_loop()
    random = Random(stage.random.getrandbits(64))
    session_id = f"s-{random.getrandbits(64):016x}"
    async with (
        writing_to(stage.deployment.redis_url, stage.deployment.keys) as writer,
        reluctant(going, session_id) as mute,
    ):
        await _write_much(writer, session_id, random)
        before = {tab: len(tab.closes) for tab in theirs}
        readiness, back_at = Readiness(), _watch_returns(theirs)
        began = loop.time()
        going.terminate()
        watching = asyncio.create_task(readiness.watch(going, theirs))
        status = await going.process.wait()
        took = loop.time() - began
        await watching
        row.happened(DRAINED)
        row.happened(NEVER_READS, _was_cut(await mute.read_until_the_end()))
    await traffic.until_up_to_date()
    closes = [close for tab in theirs for close in tab.closes[before[tab] :]]
    row.happened(SENT_AWAY, len(closes))
    if status != -signal.SIGTERM:
        row.problems.append(f"a gateway that was told to stop ended with {status}")
    if took > drain_seconds + SLACK_SECONDS:
        row.problems.append(f"a gateway was gone after {took:.1f} s, and not {drain_seconds} s")
    _judge_readiness(row, readiness, closes)
    _judge_closes(row, closes, len(theirs))
    if closes and min(back_at, default=loop.time()) > max(close.at for close in closes):
        row.problems.append("all were closed before one was back: the closes are not spread out")
    times = sorted(close.at - began for close in closes) or [0.0]
    row.notes.append(
        f"DRAIN_SECONDS {drain_seconds}: {len(closes)} of {len(theirs)} tabs sent away from"
        f" {times[0]:.2f} to {times[-1]:.2f} s after the signal, gone after {took:.2f} s with"
        f" status {status}; {readiness.open_at_first_503} sockets were open when readiness went"
    )


def _watch_returns(tabs: list[Tab]) -> list[float]:
    """When tabs were told `connected`, from now on."""
    times: list[float] = []
    loop = asyncio.get_running_loop()

    def look(frame: Frame) -> None:
        if frame["type"] == "connection" and frame["status"] == "connected":
            times.append(loop.time())

    for tab in tabs:
        tab.on_frame = look
    return times


async def _write_much(writer: LogWriter, session_id: str, random: Random) -> None:
    """As if they had been answered already: the inbox is empty."""
    for number in range(MESSAGES):
        message_id = make_message_id(random)
        await writer.say(session_id, f"{number} {KB_32}", message_id=message_id)
    await writer.client.delete(writer.keys.session(SessionId(session_id)).inbox)


def _was_cut(heard: bytes) -> bool:
    """Whether what the client had not read was lost with its connection: the close frame, which
    stands behind it, did not come."""
    is_part = 0 < len(heard) < MESSAGES * len(KB_32)
    return is_part and DRAINING.to_bytes(2, "big") not in heard[-64:]


def _judge_readiness(row: Row, readiness: Readiness, closes: list[Close]) -> None:
    first_close = min((close.at for close in closes), default=0.0)
    if not readiness.open_at_first_503:
        row.problems.append("readiness went when no socket was open any more")
    if any(status == 200 and asked > first_close for asked, status in readiness.answers):
        row.problems.append("a gateway said that it was ready after it had closed a socket")


def _judge_closes(row: Row, closes: list[Close], tabs: int) -> None:
    if len(closes) != tabs:
        row.problems.append(f"{tabs} tabs were there, and {len(closes)} got a close frame")
    for close in closes:
        if close.code != DRAINING or not close.reason.isdecimal():
            row.problems.append(f"closed with {close.code} and {close.reason!r}")
        if close.after_status != "disconnected":
            row.problems.append(f"told {close.after_status!r} before it was closed")
    waits = {close.reason for close in closes}
    if len(closes) > 2 and len(waits) < len(closes) / 2:
        row.problems.append(f"{len(closes)} tabs were told only {len(waits)} different waits")


def _is_on(gateway: Process, tab: Tab) -> bool:
    return tab.is_open and tab.url == gateway.url
