"""Slow tabs among fast ones: they lag, or are closed, and end identical; nobody else pays."""

import asyncio
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from typing import Any

from gateway.close_codes import TRY_AGAIN
from tests.faults.scenarios.loud import Loud, pieces_of
from tests.faults.scenarios.measures import Latencies, PeakMemory, turn_ms
from tests.faults.scenarios.positions import as_it_was
from tests.faults.scenarios.slow_peer import SlowPeer, slow_peer
from tests.faults.stage import Scenario, Stage
from tests.faults.traffic import Traffic
from tests.faults.view import View, place_of
from tests.gateway.signs import metric
from tests.support.eventually import eventually

LAGGED = "slow tabs that lagged"
MERGED = "pieces merged for them"
STALLED = "silent tabs closed with 1013"

SETTINGS = {
    "STALL_SECONDS": "4",
    "DRAIN_SECONDS": "120",
    "CLOSE_SECONDS": "60",  # so that the close frame can still be read behind what was not taken
    "MAX_TAB_BUFFER_BYTES": "65536",
}
BYTES_PER_SECOND = 1000
LOUD, SLOW = 2, 2
LEAST_LAG = 50
"""Events by which a tab must be behind to be called slow."""
UNBOUNDED_SHARE = 0.5
"""The part of what slow tabs have not taken that a gateway with bounds has not in its memory."""


async def slow_tabs(stage: Stage) -> None:
    """Long answers come fast in two sessions, first to fast tabs only, then with slow ones among
    them: some take a kilobyte a second and later all they can get, some take nothing."""
    stage.row.expect(LAGGED, MERGED, STALLED)
    stage.deployment.environment |= SETTINGS
    await stage.start()
    # Slow tabs are closed after the traffic: they too must have its end.
    async with AsyncExitStack() as stack, stage.traffic(talking=False, pace=0.05) as traffic:
        traffic.start_talking(traffic.sessions[LOUD:])
        scene = _Scene(stage, traffic, stack)
        await scene.speak_to_fast_tabs()
        await scene.speak_to_all()
        await scene.bring_silent_tabs_back()
        await scene.let_slow_tabs_catch_up()


class _Scene:
    """The loud sessions and the tabs among them that are slow."""

    def __init__(self, stage: Stage, traffic: Traffic, stack: AsyncExitStack) -> None:
        self._row, self._traffic, self._stack = stage.row, traffic, stack
        self._gateway, self._other = stage.gateways
        pieces = stage.times(short=120, long=250)
        self._loud = [Loud(traffic, session, pieces) for session in traffic.sessions[:LOUD]]
        self._turns = stage.times(short=1, long=2)
        self._silent_tabs = stage.times(short=8, long=20)
        self._slow: list[tuple[Loud, SlowPeer]] = []
        self._silent: list[tuple[Loud, SlowPeer]] = []
        self._latencies = Latencies(traffic.tabs)
        self._memory = PeakMemory(self._gateway)
        self._run(self._memory.watch())

    async def speak_to_fast_tabs(self) -> None:
        """The baseline."""
        await self._speak("without slow tabs")

    async def speak_to_all(self) -> None:
        """The same again, with slow tabs."""
        for number in range(SLOW):
            loud = self._loud[number % LOUD]
            self._slow.append((loud, await self._open(loud, BYTES_PER_SECOND)))
        for number in range(self._silent_tabs):
            loud = self._loud[number % LOUD]
            self._silent.append((loud, await self._open(loud, 0)))
        said = sum(loud.bytes_said for loud in self._loud)
        before_kb = self._memory.peak_kb
        await self._speak(f"with {SLOW} slow and {self._silent_tabs} silent tabs")
        said = sum(loud.bytes_said for loud in self._loud) - said
        self._judge_memory(before_kb, said // LOUD * (SLOW + self._silent_tabs))

    async def bring_silent_tabs_back(self) -> None:
        """When they have been given up they read what was written to them and the close frame
        behind it, and resume on the other gateway."""

        async def are_given_up() -> bool:
            stalled = await metric(self._gateway, "fanline_tabs_stalled_total")
            return stalled >= len(self._silent)

        await eventually(are_given_up, "the silent tabs are given up")
        for loud, peer in self._silent:
            peer.hurry()
            await self._traffic.until(lambda peer=peer: peer.has_ended, "a silent tab has ended")
            self._row.happened(STALLED, peer.close_code == TRY_AGAIN)
            if peer.close_code != TRY_AGAIN:
                self._row.problems.append(f"a silent tab was closed with {peer.close_code}")
            again = await self._stack.enter_async_context(
                slow_peer(self._other, loud.session.session_id, peer.view)
            )
            again.hurry()
            self._run(again.read())

    async def let_slow_tabs_catch_up(self) -> None:
        """In the midst of an answer, when no whole text is there yet to replace its pieces."""
        held = await asyncio.gather(*(loud.held_turn() for loud in self._loud))
        for loud, (turn_id, reply) in zip(self._loud, held, strict=True):
            fast = loud.session.tabs[0].view
            for peer in [peer for theirs, peer in self._slow if theirs is loud]:
                behind = [
                    e for e in fast.events if place_of(e["id"]) > (peer.view.cursor or (0, 0))
                ]
                self._row.happened(LAGGED, len(behind) > LEAST_LAG and not peer.has_ended)
                peer.hurry()
                await self._traffic.until(
                    lambda view=peer.view, fast=fast: view.cursor == fast.cursor,
                    "a slow tab has caught up",
                )
                self._judge_merging(pieces_of(fast.events, turn_id), peer.view, turn_id)
            reply.release()

    def _judge_merging(self, pieces: list[str], slow: View, turn_id: str) -> None:
        merged = pieces_of(slow.events, turn_id)
        self._row.happened(MERGED, max(0, len(pieces) - len(merged)))
        if "".join(merged) != "".join(pieces):
            self._row.problems.append("merged pieces are not the pieces, merged")

    def _judge_memory(self, before_kb: int, not_taken_bytes: int) -> None:
        grown_kb = self._memory.peak_kb - before_kb
        self._row.notes.append(
            f"memory of the gateway: {before_kb} kB before, {grown_kb} kB more at most while slow"
            f" tabs did not take {not_taken_bytes // 1024} kB"
        )
        if grown_kb * 1024 > not_taken_bytes * UNBOUNDED_SHARE:
            self._row.problems.append("slow tabs cost memory: see the note")

    async def _speak(self, when: str) -> None:
        self._latencies.take()
        turns = [await self._speak_once() for _ in range(self._turns)]
        ended = [turn_ms(self._loud[0].session, [turn]) for turn in turns]
        self._row.notes.append(
            f"{when}: {self._latencies.take()} from the worker to a fast tab;"
            f" long turns took {ended} ms"
        )

    async def _speak_once(self) -> str:
        turns = await asyncio.gather(*(loud.turn() for loud in self._loud))
        return turns[0]

    async def _open(self, loud: Loud, bytes_per_second: int) -> SlowPeer:
        """A tab that has what a fast one has, and is slow from here on."""
        fast = loud.session.tabs[0].view
        view = as_it_was(fast, len(fast.events))
        loud.session.others.append(view)
        peer = await self._stack.enter_async_context(
            slow_peer(self._gateway, loud.session.session_id, view)
        )
        peer.bytes_per_second = bytes_per_second
        self._run(peer.read())
        return peer

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        self._stack.callback(asyncio.create_task(work).cancel)


SCENARIOS = (Scenario("slow tabs among fast ones", slow_tabs),)
