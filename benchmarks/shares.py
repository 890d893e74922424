"""Processes that are given a share of one core each, as containers are.

On a machine of two cores, two gateways and what feeds them would fight for these, and nothing could
add up. So each process runs in a slice of its own of a cycle and is stopped in the others: what
several such processes do together shows what as many do on as many cores.
"""

import os
import signal
import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager

SLICES = 4
"""In a cycle, and so the most processes; each has a quarter of the core."""
SLICE_SECONDS = 0.005


@contextmanager
def shares_of_a_core(pids: Sequence[int]) -> Generator[None, None, None]:
    """Let each run in its slice only, until the context ends. Raises `ValueError` for too many."""
    if len(pids) > SLICES:
        raise ValueError(f"{len(pids)} processes, {SLICES} slices")
    ended = threading.Event()
    turning = threading.Thread(target=_take_turns, args=(pids, ended))
    turning.start()
    try:
        yield
    finally:
        ended.set()
        turning.join()


def _take_turns(pids: Sequence[int], ended: threading.Event) -> None:
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    while not ended.is_set():
        for number in range(SLICES):
            running = pids[number : number + 1]
            for pid in running:
                os.kill(pid, signal.SIGCONT)
            ended.wait(SLICE_SECONDS)
            for pid in running:
                os.kill(pid, signal.SIGSTOP)
    for pid in pids:
        os.kill(pid, signal.SIGCONT)
